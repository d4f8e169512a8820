// The HTTP faces of a node by role: a portal has one, an engine has one for everybody and one for its portal alone.

import type { FastifyInstance } from 'fastify'
import { gatewayAnswers, gatewayBufferBytes, idleAnswerBuffers } from '../limits.ts'
import type { AgoraNode } from './agora-node.ts'
import { defaultBounds, type HttpBounds } from './bounds.ts'
import { BodyBudget } from './body-budget.ts'
import { BodyDeadlines } from './body-deadlines.ts'
import { BufferPool } from './buffer-pool.ts'
import { Calls } from './calls.ts'
import type { EngineNode } from './engine-node.ts'
import { createFace } from './face.ts'
import type { TlsIdentity } from './http-server.ts'
import type { Node } from './node.ts'
import type { Portal } from './portal.ts'
import type { RecordingNode } from './recording.ts'
import {
  agoraRoutes,
  engineCheckpointRoutes,
  engineRoutes,
  innerRoutes,
  portalRoutes,
  recordingRoutes,
  socketRoutes,
  witnessRoutes,
} from './routes.ts'
import { Slots } from './slots.ts'
import type { WitnessingNode } from './witnessing.ts'

/** What a face is given: a node's parts, and what differs from the usual bounds. */
export type FaceOptions<N extends Node> = Omit<
  N,
  'bounds' | 'buffers' | 'calls' | 'deadlines' | 'bodyBudget' | 'bulkSlots' | 'compressionSlots' | 'shown'
> & {
  /** The certificate, where the face speaks TLS. */
  readonly tls?: TlsIdentity
  readonly bounds?: Partial<HttpBounds>
}

/** Makes a portal's HTTP face: the Audit Trail API, and where engines join. */
export function createPortalApp(options: FaceOptions<Portal>): FastifyInstance {
  return createFace<Portal>({ ...options, ...ownParts(options.bounds) }, portalRoutes, options.tls)
}

/** Makes a gateway's HTTP face. A small answer takes a place too: its size is the instance's secret until it comes. */
export function createAgoraApp(options: FaceOptions<AgoraNode>): FastifyInstance {
  const bounds = { bulkAnswers: gatewayAnswers, answerBufferBytes: gatewayBufferBytes, ...options.bounds }
  return createFace<AgoraNode>({ ...options, ...ownParts(bounds) }, agoraRoutes, options.tls)
}

/** Makes an engine's HTTP face for everybody: health and numbers, where events come in, and the witness. */
export function createEngineApp(options: FaceOptions<RecordingNode & WitnessingNode>): FastifyInstance {
  const routes = [...engineRoutes, ...recordingRoutes, ...engineCheckpointRoutes, ...witnessRoutes]
  return createFace<RecordingNode & WitnessingNode>(
    { ...options, ...ownParts(options.bounds) },
    routes,
    options.tls,
  )
}

/** Makes the HTTP face of a node's record socket. */
export function createSocketApp(options: FaceOptions<RecordingNode>): FastifyInstance {
  return createFace<RecordingNode>({ ...options, ...ownParts(options.bounds) }, socketRoutes)
}

/** Makes an engine's HTTP face for its portal: the inner API (`federation/inner-api.ts`). */
export function createInnerApp(options: FaceOptions<EngineNode> & { tls: TlsIdentity }): FastifyInstance {
  const node = { ...options, ...ownParts(options.bounds), shown: new WeakMap<object, string | undefined>() }
  return createFace<EngineNode>(node, innerRoutes, options.tls)
}

function ownParts(given: Partial<HttpBounds> = {}) {
  const bounds = { ...defaultBounds, ...given }
  return {
    bounds,
    buffers: new BufferPool(bounds.answerBufferBytes, idleAnswerBuffers),
    calls: new Calls(),
    deadlines: new BodyDeadlines(),
    bodyBudget: new BodyBudget(bounds.recordHeldBytes, bounds.recordPlaceMs),
    bulkSlots: new Slots(bounds.bulkAnswers),
    compressionSlots: new Slots(bounds.compressedAnswers),
  }
}
