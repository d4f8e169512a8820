// What the HTTP face counts. The numbers themselves are kept by `ops/`; this is the port.

import type { ErrorCode } from '../errors.ts'

/**
 * Why a transfer broke: the client left, took too long over a buffer, an engine or (at a gateway) an instance did not go
 * on, or we could not.
 */
export type BreakReason = 'gone' | 'stalled' | 'engine' | 'instance' | 'failed'

/** Counters and gauges of the HTTP face. Every method is called on a hot path, and must not throw. */
export interface HttpMetrics {
  /** An answer's head is on its way. `route` is a template of the route table, or `none`. */
  answered(route: string, status: number): void
  /** A request was refused; those that only the HTTP parser saw are counted here alone. */
  refused(code: ErrorCode): void
  /** Bytes of answers' bodies that were given to the network, as sent (compressed where they are). */
  sent(bytes: number): void
  /** A bulk answer begins (+1) or ends (-1). */
  bulk(change: 1 | -1): void
  /** A transfer broke after its head was sent. */
  broken(reason: BreakReason): void
  /** A refusal, or the break of a transfer, that should have been an entry could not be recorded. */
  unrecorded(): void
  /** The text of `/metrics` and its content type. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>
}
