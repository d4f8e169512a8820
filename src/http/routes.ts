// The whole route tables on one screen. Every resource of the Audit Trail API answers GET and HEAD, and nothing else (A5).

import { joinPath } from '../federation/enrolment.ts'
import { innerPaths } from '../federation/inner-api.ts'
import { innerCertificateBytes, innerWindowBytes, joinBodyBytes } from '../limits.ts'
import type { EngineNode } from './engine-node.ts'
import type { Route } from './face.ts'
import type { Node } from './node.ts'
import type { Portal } from './portal.ts'
import { engineAuditLog } from './routes/engine-audit-log.ts'
import { engineJoin } from './routes/engine-join.ts'
import { enginesAuditLog } from './routes/engines-audit-log.ts'
import { healthz } from './routes/healthz.ts'
import { innerCertificate } from './routes/inner-certificate.ts'
import { innerDescription } from './routes/inner-description.ts'
import { innerEntries } from './routes/inner-entries.ts'
import { innerWindow } from './routes/inner-window.ts'
import { metrics } from './routes/metrics.ts'
import { portalAuditLog } from './routes/portal-audit-log.ts'
import { readyz } from './routes/readyz.ts'
import { version } from './routes/version.ts'

const read = ['GET', 'HEAD'] as const

/** What every node answers about itself. */
export const engineRoutes: readonly Route<Node>[] = [
  { path: '/healthz', methods: read, handler: healthz },
  { path: '/readyz', methods: read, handler: readyz },
  { path: '/metrics', methods: read, handler: metrics },
  { path: '/version', methods: read, handler: version },
]

/** Every resource of a portal. */
export const portalRoutes: readonly Route<Portal>[] = [
  { path: '/audit-trail/api/v1/portal/type/auditlog', methods: read, handler: portalAuditLog },
  { path: '/audit-trail/api/v1/engine/:host/type/auditlog', methods: read, handler: engineAuditLog },
  { path: '/audit-trail/api/v1/engines/type/auditlog', methods: read, handler: enginesAuditLog },
  { path: joinPath, methods: ['POST'], handler: engineJoin, bodyBytes: joinBodyBytes },
  ...engineRoutes,
]

/** What an engine answers its portal, over mutual TLS. */
export const innerRoutes: readonly Route<EngineNode>[] = [
  { path: innerPaths.description, methods: ['GET'], handler: innerDescription },
  { path: innerPaths.window, methods: ['POST'], handler: innerWindow, bodyBytes: innerWindowBytes },
  { path: innerPaths.entries, methods: ['GET'], handler: innerEntries },
  {
    path: innerPaths.certificate,
    methods: ['PUT'],
    handler: innerCertificate,
    bodyBytes: innerCertificateBytes,
  },
]
