// What becomes of a login once its password was compared: one transaction, in which the account is looked at
// again, and the attempt is counted or the count is cleared. Attempts are settled one after the other, so of any
// number at once none slips through behind the one that locks.
//
// Failures count for an account and a network that it is known to sign in from, and once for all other networks
// together: whoever fails elsewhere locks nobody out where they are at home. A lock ends nothing that was proved before
// from another network.
//
// Whatever fails takes the same steps (S6): the count of a name that is no account is kept in a row of its own.

import { enqueue } from '../database/outbox.ts'
import type { Database, Transaction } from '../database/database.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { isExternalName } from './account.ts'
import type { AccountState, ReadAccountState } from './account-state.ts'
import type { Clock } from './clock.ts'
import { knownNetworks, knownNetworksMicros, knownNetworkTouchMicros } from '../limits.ts'
import { afterFailure, isLocked, type LockoutPolicy } from './lockout.ts'
import type { FailureReason } from './login-events.ts'
import { elsewhere } from './network.ts'

/** What settling needs. */
export interface LoginParts {
  readonly database: Database
  readonly readState: ReadAccountState
  readonly policy: LockoutPolicy
  readonly clock: Clock
  /** The event that an account was locked towards a network, or `elsewhere`. */
  readonly lockedEvent: (account: string, network: string) => AuditEvent
}

/** An attempt whose password was compared with that of the account as it was then. */
export interface LoginAttempt {
  readonly name: string
  /** Where it came from (`network.ts`). */
  readonly network: string
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
    const state = await parts.readState(attempt.name, attempt.network, transaction)
    const verdict = judge(attempt, state, now)
    if (typeof verdict !== 'string') {
      await clearFailures(transaction, verdict)
      await rememberNetwork(transaction, verdict, attempt.network, now)
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

async function clearFailures(
  transaction: Transaction,
  { name, network, failures }: AccountState,
): Promise<void> {
  if (failures === 0) return
  await transaction
    .updateTable('login_failure')
    .set({ failures: 0, locked_until: null })
    .where('account', '=', name)
    .where('network', '=', network)
    .execute()
}

// The latest ones are remembered, and none for too long.
async function rememberNetwork(
  transaction: Transaction,
  { name, knownSince }: AccountState,
  network: string,
  now: Micros,
): Promise<void> {
  if (knownSince !== undefined && Math.abs(now - knownSince) < knownNetworkTouchMicros) return
  await transaction
    .insertInto('known_network')
    .values({ account: name, network, last_login_at: now })
    .onConflict((conflict) => conflict.columns(['account', 'network']).doUpdateSet({ last_login_at: now }))
    .execute()
  await forgetNetworks(transaction, name, now)
}

async function forgetNetworks(transaction: Transaction, name: string, now: Micros): Promise<void> {
  const latest = transaction
    .selectFrom('known_network')
    .select('network')
    .where('account', '=', name)
    .orderBy('last_login_at', 'desc')
    .limit(knownNetworks)
  const forgotten = await transaction
    .deleteFrom('known_network')
    .where('account', '=', name)
    .where((row) =>
      row.or([row('last_login_at', '<', now - knownNetworksMicros), row('network', 'not in', latest)]),
    )
    .returning('network')
    .execute()
  if (forgotten.length === 0) return
  await transaction
    .deleteFrom('login_failure')
    .where('account', '=', name)
    .where(
      'network',
      'in',
      forgotten.map(({ network }) => network),
    )
    .execute()
}

async function countFailure(
  parts: LoginParts,
  transaction: Transaction,
  state: AccountState | undefined,
  now: Micros,
): Promise<void> {
  const [account, network] = [state?.name ?? '', state?.network ?? elsewhere]
  const counted = await transaction
    .insertInto('login_failure')
    .values({ account, network, failures: 1, failed_at: now })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'network'])
        .doUpdateSet((row) => ({ failures: row('login_failure.failures', '+', 1), failed_at: now })),
    )
    .returning(['failures', 'locked_until'])
    .executeTakeFirstOrThrow()
  const before = { failures: counted.failures - 1, lockedUntil: counted.locked_until ?? undefined }
  const after = afterFailure(before, now, parts.policy)
  if (after.failures === counted.failures && after.lockedUntil === before.lockedUntil) return
  await transaction
    .updateTable('login_failure')
    .set({ failures: after.failures, locked_until: after.lockedUntil ?? null })
    .where('account', '=', account)
    .where('network', '=', network)
    .execute()
  if (state === undefined || after.lockedUntil === undefined) return
  await enqueue(transaction, { ...parts.lockedEvent(account, network), occurred: now })
}
