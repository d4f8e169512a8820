// How often followed files are looked at, and how long one that was rotated away is waited for.

import {
  followLetGoMs,
  followLookMs,
  followRemovedMs,
  followRestLookMs,
  followRestMs,
  followRetryMs,
  followRotatedMs,
  followSaveMs,
  followScanMs,
  followSettleMs,
  followStopMs,
} from '../../limits.ts'

/** The times; what each means stands in `limits.ts`. */
export interface FollowTiming {
  readonly lookMs: number
  readonly restLookMs: number
  readonly restMs: number
  readonly letGoMs: number
  readonly scanMs: number
  readonly saveMs: number
  readonly settleMs: number
  readonly rotatedMs: number
  readonly removedMs: number
  readonly retryMs: number
  readonly stopMs: number
}

/** Those of a node. */
export const followTiming: FollowTiming = {
  lookMs: followLookMs,
  restLookMs: followRestLookMs,
  restMs: followRestMs,
  letGoMs: followLetGoMs,
  scanMs: followScanMs,
  saveMs: followSaveMs,
  settleMs: followSettleMs,
  rotatedMs: followRotatedMs,
  removedMs: followRemovedMs,
  retryMs: followRetryMs,
  stopMs: followStopMs,
}
