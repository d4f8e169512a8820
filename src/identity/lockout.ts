// When an account is locked (S4), as a state machine: failures in a row, and until when. Pure; who counts, and
// where, is elsewhere (`login-attempt.ts`).
//
// Times are those of the wall clock, because a lock outlives the process. A clock that is set therefore moves
// its end; an administrator can unlock.

import type { Micros } from '../entry/event.ts'

/** When an account is locked, and for how long. */
export interface LockoutPolicy {
  /** The failure in a row that locks it: 1 or more. */
  readonly failures: number
  readonly minutes: number
}

/** Where an account stands. */
export interface Lockout {
  /** Failures since the last success, or since the last lock ended. Those while it is locked count. */
  readonly failures: number
  readonly lockedUntil: Micros | undefined
}

/** An account that has not failed. */
export const clear: Lockout = { failures: 0, lockedUntil: undefined }

/** Whether an account is locked. */
export function isLocked({ lockedUntil }: Pick<Lockout, 'lockedUntil'>, now: Micros): boolean {
  return lockedUntil !== undefined && now < lockedUntil
}

/** Where an account stands after one more failure. One while it is locked does not prolong the lock. */
export function afterFailure(before: Lockout, now: Micros, policy: LockoutPolicy): Lockout {
  if (isLocked(before, now)) return { ...before, failures: before.failures + 1 }
  const failures = before.lockedUntil === undefined ? before.failures + 1 : 1
  const locks = failures >= policy.failures
  return { failures, lockedUntil: locks ? now + policy.minutes * minuteMicros : undefined }
}

const minuteMicros = 60_000_000
