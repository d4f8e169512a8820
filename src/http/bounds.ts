// The bounds of the HTTP face that a caller of `createApp` may change, for tests that cannot wait a minute.

import * as limits from '../limits.ts'

/** Each is described, with its reason, under its name in `limits.ts`. */
export interface HttpBounds {
  readonly headerBytes: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connectionsCheckMs: number
  readonly keepAliveMs: number
  readonly connectionIdleMs: number
  readonly connections: number
  readonly lingerMs: number
  readonly smallAnswerBytes: number
  readonly answerBufferBytes: number
  readonly bulkAnswers: number
  readonly compressedAnswers: number
  readonly answerStallMs: number
  readonly recordHeldBytes: number
  readonly recordPlaceMs: number
  readonly recordStallMs: number
  readonly recordLingerMs: number
}

/** What a node uses. */
export const defaultBounds: HttpBounds = {
  headerBytes: limits.headerBytes,
  headersTimeoutMs: limits.headersTimeoutMs,
  requestTimeoutMs: limits.requestTimeoutMs,
  connectionsCheckMs: limits.connectionsCheckMs,
  keepAliveMs: limits.keepAliveMs,
  connectionIdleMs: limits.connectionIdleMs,
  connections: limits.connections,
  lingerMs: limits.lingerMs,
  smallAnswerBytes: limits.smallAnswerBytes,
  answerBufferBytes: limits.answerBufferBytes,
  bulkAnswers: limits.bulkAnswers,
  compressedAnswers: limits.compressedAnswers,
  answerStallMs: limits.answerStallMs,
  recordHeldBytes: limits.recordHeldBytes,
  recordPlaceMs: limits.recordPlaceMs,
  recordStallMs: limits.recordStallMs,
  recordLingerMs: limits.recordLingerMs,
}
