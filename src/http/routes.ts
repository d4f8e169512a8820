// The whole route tables on one screen. Every resource of the Audit Trail API answers GET and HEAD, and nothing else (A5).

import { joinPath } from '../federation/enrolment.ts'
import { innerPaths } from '../federation/inner-api.ts'
import { witnessPath } from '../federation/witness/witness-peer.ts'
import { metadataPaths, oauthPaths, resourceMetadataPath } from '../identity/oauth-paths.ts'
import { eventSchemaPath } from '../intake/event-schema.ts'
import {
  addCheckpointBytes,
  innerCertificateBytes,
  innerTokenTrustBytes,
  innerWindowBytes,
  joinBodyBytes,
  nodeKeysBytes,
  oauthBodyBytes,
} from '../limits.ts'
import type { AgoraNode } from './agora-node.ts'
import type { EngineNode } from './engine-node.ts'
import type { Route } from './face.ts'
import type { Node } from './node.ts'
import type { Portal } from './portal.ts'
import type { RecordingNode } from './recording.ts'
import {
  agoraEngineAuditLog,
  agoraEnginesAuditLog,
  agoraPortalAuditLog,
  agoraPublished,
} from './routes/agora-audit-log.ts'
import { engineAuditLog } from './routes/engine-audit-log.ts'
import { engineJoin } from './routes/engine-join.ts'
import { enginesAuditLog } from './routes/engines-audit-log.ts'
import { eventSchema } from './routes/event-schema.ts'
import { healthz } from './routes/healthz.ts'
import { innerCertificate } from './routes/inner-certificate.ts'
import { innerDescription } from './routes/inner-description.ts'
import { innerEntries } from './routes/inner-entries.ts'
import { innerKeys } from './routes/inner-keys.ts'
import { innerPublished } from './routes/inner-published.ts'
import { innerTokens } from './routes/inner-tokens.ts'
import { innerWindow } from './routes/inner-window.ts'
import { metrics } from './routes/metrics.ts'
import { oauthIntrospect } from './routes/oauth-introspect.ts'
import { oauthKeys } from './routes/oauth-keys.ts'
import { oauthMetadata } from './routes/oauth-metadata.ts'
import { oauthResourceMetadata } from './routes/oauth-resource-metadata.ts'
import { oauthRevoke } from './routes/oauth-revoke.ts'
import { oauthToken } from './routes/oauth-token.ts'
import { otlpLogs, otlpLogsPath } from './routes/otlp-logs.ts'
import { portalAuditLog } from './routes/portal-audit-log.ts'
import { openFile, portalFile, portalOpenFile, publishedPaths } from './routes/published-files.ts'
import { readyz } from './routes/readyz.ts'
import { recordEntries, recordPath } from './routes/record-entries.ts'
import { version } from './routes/version.ts'
import { witnessAddCheckpoint } from './routes/witness-add-checkpoint.ts'
import { witnessCheckpoint } from './routes/witness-checkpoint.ts'
import { witnessVkeys } from './routes/witness-vkeys.ts'
import type { WitnessingNode } from './witnessing.ts'

const read = ['GET', 'HEAD'] as const

/** What every node answers about itself. */
export const engineRoutes: readonly Route<Node>[] = [
  { path: '/healthz', methods: read, handler: healthz },
  { path: '/readyz', methods: read, handler: readyz },
  { path: '/metrics', methods: read, handler: metrics },
  { path: '/version', methods: read, handler: version },
]

/** Where events are recorded: at portals, at engines and at the record socket. */
export const recordingRoutes: readonly Route<RecordingNode>[] = [
  { path: recordPath, methods: ['POST'], handler: recordEntries, readsBody: true },
  { path: otlpLogsPath, methods: ['POST'], handler: otlpLogs, readsBody: true },
  { path: eventSchemaPath, methods: read, handler: eventSchema },
]

/** What a witness answers: at portals, at engines, and at an engine's face for its portal. Open (C2SP tlog-witness). */
export const witnessRoutes: readonly Route<WitnessingNode>[] = [
  {
    path: `${witnessPath}/add-checkpoint`,
    methods: ['POST'],
    handler: witnessAddCheckpoint,
    bodyBytes: addCheckpointBytes,
  },
  { path: `${witnessPath}/:hash/checkpoint`, methods: read, handler: witnessCheckpoint },
  { path: `${witnessPath}/vkeys`, methods: read, handler: witnessVkeys },
]

/** What an engine publishes of its log to everybody: its portal passes on the rest to whoever may read it. */
export const engineCheckpointRoutes: readonly Route<Node>[] = [
  { path: publishedPaths.checkpoint, methods: read, handler: openFile('checkpoint') },
  { path: publishedPaths.keys, methods: read, handler: openFile('keys') },
]

/** Every resource of a portal. */
export const portalRoutes: readonly Route<Portal>[] = [
  { path: '/audit-trail/api/v1/portal/type/auditlog', methods: read, handler: portalAuditLog },
  { path: '/audit-trail/api/v1/engine/:host/type/auditlog', methods: read, handler: engineAuditLog },
  { path: '/audit-trail/api/v1/engines/type/auditlog', methods: read, handler: enginesAuditLog },
  { path: publishedPaths.checkpoint, methods: read, handler: portalOpenFile('checkpoint') },
  { path: publishedPaths.keys, methods: read, handler: portalOpenFile('keys') },
  { path: publishedPaths.tile, methods: read, handler: portalFile },
  { path: publishedPaths.entryProof, methods: read, handler: portalFile },
  { path: publishedPaths.readProof, methods: read, handler: portalFile },
  { path: joinPath, methods: ['POST'], handler: engineJoin, bodyBytes: joinBodyBytes },
  { path: oauthPaths.token, methods: ['POST'], handler: oauthToken, bodyBytes: oauthBodyBytes },
  { path: oauthPaths.introspect, methods: ['POST'], handler: oauthIntrospect, bodyBytes: oauthBodyBytes },
  { path: oauthPaths.revoke, methods: ['POST'], handler: oauthRevoke, bodyBytes: oauthBodyBytes },
  { path: oauthPaths.keys, methods: read, handler: oauthKeys },
  ...metadataPaths.map((path) => ({ path, methods: read, handler: oauthMetadata })),
  { path: resourceMetadataPath, methods: read, handler: oauthResourceMetadata },
  ...recordingRoutes,
  ...witnessRoutes,
  ...engineRoutes,
]

/** What the record socket answers: health, and that events come in. */
export const socketRoutes: readonly Route<RecordingNode>[] = [
  { path: '/healthz', methods: read, handler: healthz },
  ...recordingRoutes,
]

/** What a regional gateway passes on to instances (A4), and what it answers about itself. */
export const agoraRoutes: readonly Route<AgoraNode>[] = [
  { path: '/audit-trail/api/v1/portal/type/auditlog', methods: read, handler: agoraPortalAuditLog },
  { path: '/audit-trail/api/v1/engine/:host/type/auditlog', methods: read, handler: agoraEngineAuditLog },
  { path: '/audit-trail/api/v1/engines/type/auditlog', methods: read, handler: agoraEnginesAuditLog },
  ...Object.values(publishedPaths).map((path) => ({ path, methods: read, handler: agoraPublished })),
  ...engineRoutes,
]

/** What an engine answers its portal, over mutual TLS. */
export const innerRoutes: readonly Route<EngineNode>[] = [
  { path: innerPaths.description, methods: ['GET'], handler: innerDescription },
  { path: innerPaths.window, methods: ['POST'], handler: innerWindow, bodyBytes: innerWindowBytes },
  { path: innerPaths.entries, methods: ['GET'], handler: innerEntries },
  { path: `${innerPaths.published}/*`, methods: ['GET'], handler: innerPublished },
  {
    path: innerPaths.certificate,
    methods: ['PUT'],
    handler: innerCertificate,
    bodyBytes: innerCertificateBytes,
  },
  { path: innerPaths.tokens, methods: ['PUT'], handler: innerTokens, bodyBytes: innerTokenTrustBytes },
  { path: innerPaths.keys, methods: ['PUT'], handler: innerKeys, bodyBytes: nodeKeysBytes },
  ...witnessRoutes,
]
