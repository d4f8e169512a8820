// What every HTTP face works with: the parts of a node, whatever its role.

import type { AuditLog } from '../log/audit-log.ts'
import type { HttpBounds } from './bounds.ts'
import type { BodyBudget } from './body-budget.ts'
import type { BodyDeadlines } from './body-deadlines.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { Calls } from './calls.ts'
import type { Challenge } from './challenge.ts'
import type { HttpLogger } from './errors.ts'
import type { HttpMetrics } from './metrics.ts'
import type { Slots } from './slots.ts'

/** A node, as its HTTP faces see it. */
export interface Node {
  readonly log: AuditLog
  /** The node's host name, and the component that its own entries name. */
  readonly hostName: string
  readonly component: string
  readonly metrics: HttpMetrics
  readonly logger: HttpLogger
  /** How callers prove who they are; undefined where nobody is asked. */
  readonly challenge?: Challenge
  /** Whether an address is that of a proxy whose X-Forwarded-For is believed; undefined where none is. */
  readonly trusts?: (address: string) => boolean
  /** Where all calls come from, at a face that no address leads to. */
  readonly source?: string
  /** False while the node starts and stops (E10). */
  readonly isReady: () => boolean
  /** What `/readyz` says, as JSON: whether the node is ready, and what is wrong. */
  readonly health: () => object
  readonly version: string
  readonly bounds: HttpBounds
  readonly buffers: BufferPool
  readonly calls: Calls
  /** How long requests may take to arrive, and how much of them is held. */
  readonly deadlines: BodyDeadlines
  readonly bodyBudget: BodyBudget
  readonly bulkSlots: Slots
  readonly compressionSlots: Slots
}
