// What becomes of a login once its password was compared: one transaction, in which the account is looked at
// again, and the attempt is counted or the count is cleared. Attempts are settled one after the other, so of any
// number at once none slips through behind the one that locks.
//
// Whatever fails takes the same steps (S6): the count of a name that is no account is kept in a row of its own.

import { enqueue } from '../database/outbox.ts'
import type { Database, Transaction } from '../database/database.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { isExternalName } from './account.ts'
import type { AccountState, ReadAccountState } from './account-state.ts'
import type { Clock } from './clock.ts'
import { afterFailure, isLocked, type LockoutPolicy } from './lockout.ts'
import type { FailureReason } from './login-events.ts'

/** What settling needs. */
export interface LoginParts {
  readonly database: Database
  readonly readState: ReadAccountState
  readonly policy: LockoutPolicy
  readonly clock: Clock
  /** The event that an account was locked. */
  readonly lockedEvent: (account: string) => AuditEvent
}

/** An attempt whose password was compared with that of the account as it was then. */
export interface LoginAttempt {
  readonly name: string
  readonly state: AccountState | undefined
  readonly matches: boolean
}

/** Admitted, as the account is now; or refused. `account` is its name, where there is one. */
export type LoginOutcome =
  | { readonly admitted: AccountState }
  | { readonly refused: FailureReason; readonly account: string | undefined }

/** Settles an attempt. Throws UNAVAILABLE where the database fails: then nobody is admitted. */
export async function settleLogin(parts: LoginParts, attempt: LoginAttempt): Promise<LoginOutcome> {
  return parts.database.write.transaction().execute(async (transaction) => {
    const now = parts.clock.wallMicros()
    const state = await parts.readState(attempt.name, transaction)
    const verdict = judge(attempt, state, now)
    if (typeof verdict !== 'string') {
      await clearFailures(transaction, verdict)
      return { admitted: verdict }
    }
    await countFailure(parts, transaction, state, now)
    return { refused: verdict, account: state?.name }
  })
}

function judge(
  attempt: LoginAttempt,
  state: AccountState | undefined,
  now: Micros,
): AccountState | FailureReason {
  if (isExternalName(attempt.name)) return 'external'
  if (state === undefined) return 'unknown'
  if (isLocked(state, now)) return 'locked'
  return attempt.matches && isSamePassword(attempt.state, state) ? state : 'wrong-password'
}

/** The password that was compared may have been replaced meanwhile, or only hashed anew. */
function isSamePassword(before: AccountState | undefined, now: AccountState): boolean {
  if (before?.id !== now.id) return false
  return before.passwordHash === now.passwordHash || before.credentialVersion === now.credentialVersion
}

async function clearFailures(transaction: Transaction, { name, failures }: AccountState): Promise<void> {
  if (failures === 0) return
  await transaction
    .updateTable('lockout')
    .set({ failures: 0, locked_until: null })
    .where('account', '=', name)
    .execute()
}

async function countFailure(
  parts: LoginParts,
  transaction: Transaction,
  state: AccountState | undefined,
  now: Micros,
): Promise<void> {
  const key = state?.name ?? ''
  const counted = await transaction
    .updateTable('lockout')
    .set((row) => ({ failures: row('failures', '+', 1), failed_at: now }))
    .where('account', '=', key)
    .returning(['failures', 'locked_until'])
    .executeTakeFirstOrThrow()
  const before = { failures: counted.failures - 1, lockedUntil: counted.locked_until ?? undefined }
  const after = afterFailure(before, now, parts.policy)
  if (after.failures === counted.failures && after.lockedUntil === before.lockedUntil) return
  await transaction
    .updateTable('lockout')
    .set({ failures: after.failures, locked_until: after.lockedUntil ?? null })
    .where('account', '=', key)
    .execute()
  if (state !== undefined && after.lockedUntil !== undefined) await lock(parts, transaction, state, now)
}

/** Ends what was proved before, and tells it. */
async function lock(
  parts: LoginParts,
  transaction: Transaction,
  { id, name }: AccountState,
  now: Micros,
): Promise<void> {
  await transaction
    .updateTable('account')
    .set((row) => ({ credential_version: row('credential_version', '+', 1) }))
    .where('id', '=', id)
    .execute()
  await enqueue(transaction, { ...parts.lockedEvent(name), occurred: now })
}
