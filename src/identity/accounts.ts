// Local accounts: making, changing and removing them. Each change, the event that tells it, and the raised
// credential version, which ends what was proved before, are one transaction. It works the same in a server and
// in a command beside it. What is returned names the events, for whoever wants to wait until they are recorded.

import { enqueue } from '../database/outbox.ts'
import type { Database, Transaction } from '../database/database.ts'
import type { AuditEvent } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { normalizeName, parseName, type Account } from './account.ts'
import { clientsOf, keepClientsOf, removeClientsOf } from './account-clients.ts'
import * as events from './account-events.ts'
import type { Author } from './account-events.ts'
import type { AccountState, ReadAccountState } from './account-state.ts'
import type { Clock } from './clock.ts'
import type { Hasher } from './hasher.ts'
import { isLocked } from './lockout.ts'
import { checkPassword } from './password.ts'
import type { Profile } from './profile.ts'
import { demandProfile } from './profiles.ts'

/** What accounts need. */
export interface AccountsParts {
  readonly database: Database
  readonly readState: ReadAccountState
  readonly hasher: Pick<Hasher, 'hash'>
  readonly clock: Clock
  readonly hostName: string
}

/** A change that was made. */
export interface AccountChange {
  /** The account's name, as it is stored. */
  readonly name: string
  /** False where everything was so already, and nothing is recorded. */
  readonly isChanged: boolean
  /** The ids of its events in the outbox (`database/outbox.ts`). */
  readonly eventIds: readonly string[]
}

/** A new account. */
export interface NewAccount {
  readonly name: string
  readonly profile: Profile
  readonly password: string
}

/**
 * The local accounts of a portal. Throws ACCOUNT_UNKNOWN for a name that is none, UNAVAILABLE where the database
 * fails; nothing is changed then.
 */
export class Accounts {
  readonly #parts: AccountsParts

  constructor(parts: AccountsParts) {
    this.#parts = parts
  }

  /** All accounts, by name. */
  async list(): Promise<Account[]> {
    const now = this.#parts.clock.wallMicros()
    const rows = await this.#parts.database.read
      .selectFrom('account')
      .leftJoin('login_failure', 'login_failure.account', 'account.name')
      .select(['name', 'profile', 'created_at', 'password_changed_at'])
      .select(({ fn }) => [
        // Over all networks.
        fn.sum<number | null>('failures').as('failures'),
        fn.max('failed_at').as('failed_at'),
        fn.max('locked_until').as('locked_until'),
      ])
      .groupBy('account.id')
      .orderBy('name')
      .execute()
    return rows.map((row) => ({
      name: row.name,
      profile: row.profile,
      createdAt: row.created_at,
      passwordChangedAt: row.password_changed_at,
      failures: row.failures ?? 0,
      lastFailedAt: row.failed_at ?? undefined,
      lockedUntil: isLocked({ lockedUntil: row.locked_until ?? undefined }, now)
        ? (row.locked_until ?? undefined)
        : undefined,
    }))
  }

  /** Makes an account. Throws INVALID_INPUT where its name or password breaks the rules, or ACCOUNT_EXISTS. */
  async add({ name: asked, profile, password }: NewAccount, by: Author): Promise<AccountChange> {
    const name = parseName(asked)
    checkPassword(password)
    const hash = await this.#parts.hasher.hash(password)
    return this.#transact(async (transaction) => {
      await demandProfile(transaction, profile)
      await insert(transaction, name, profile, hash, this.#parts.clock.wallMicros())
      return this.#tell(transaction, name, events.accountCreated(this.#parts.hostName, by, name, profile))
    })
  }

  /** Replaces a password. Throws INVALID_INPUT where the new one breaks the rules. A lock stays. */
  async setPassword(name: string, password: string, by: Author): Promise<AccountChange> {
    checkPassword(password)
    const hash = await this.#parts.hasher.hash(password)
    return this.#change(name, async (transaction, account) => {
      const changed = { password_hash: hash, password_changed_at: this.#parts.clock.wallMicros() }
      await transaction.updateTable('account').set(changed).where('id', '=', account.id).execute()
      return events.accountUpdated(this.#parts.hostName, by, account.name, 'password')
    })
  }

  /** Ends every lock, and forgets failed logins. */
  async unlock(name: string, by: Author): Promise<AccountChange> {
    return this.#change(name, async (transaction, account) => {
      const { numDeletedRows } = await transaction
        .deleteFrom('login_failure')
        .where('account', '=', account.name)
        .where('failures', '>', 0)
        .executeTakeFirst()
      if (numDeletedRows === 0n) return undefined
      return events.accountUpdated(this.#parts.hostName, by, account.name, 'unlock')
    })
  }

  /** Gives an account another profile. Throws ACCOUNT_REFUSED for the last main administrator. */
  async setProfile(name: string, profile: Profile, by: Author): Promise<AccountChange> {
    return this.#change(name, async (transaction, account) => {
      if (account.profile === profile) return undefined
      await demandProfile(transaction, profile)
      await keepMainAdministrator(transaction, account)
      await transaction.updateTable('account').set({ profile }).where('id', '=', account.id).execute()
      return events.profileChanged(this.#parts.hostName, by, account.name, account.profile, profile)
    })
  }

  /**
   * Removes an account. Throws ACCOUNT_REFUSED for the last main administrator, and for one in whose name there are
   * clients, unless it is said what is to become of them.
   */
  async remove(name: string, by: Author, clients?: 'keep' | 'remove'): Promise<AccountChange> {
    const { hostName } = this.#parts
    return this.#change(name, async (transaction, account) => {
      await keepMainAdministrator(transaction, account)
      const told = await settleClients(transaction, account.name, hostName, by, clients)
      await transaction.deleteFrom('account').where('id', '=', account.id).execute()
      await transaction.deleteFrom('login_failure').where('account', '=', account.name).execute()
      await transaction.deleteFrom('known_network').where('account', '=', account.name).execute()
      return [...told, events.accountRemoved(hostName, by, account.name)]
    })
  }

  /** Changes one account; `change` returns the events that tell it, or undefined where nothing is to change. */
  async #change(
    asked: string,
    change: (
      transaction: Transaction,
      account: AccountState,
    ) => Promise<AuditEvent | readonly AuditEvent[] | undefined>,
  ): Promise<AccountChange> {
    const name = normalizeName(asked)
    return this.#transact(async (transaction) => {
      const account = await this.#parts.readState(name, undefined, transaction)
      if (account === undefined) throw new AnnalsError('ACCOUNT_UNKNOWN', `there is no account "${name}"`)
      const event = await change(transaction, account)
      if (event === undefined) return { name, isChanged: false, eventIds: [] }
      await raiseVersion(transaction, account.id)
      return this.#tell(transaction, name, event)
    })
  }

  async #tell(
    transaction: Transaction,
    name: string,
    told: AuditEvent | readonly AuditEvent[],
  ): Promise<AccountChange> {
    const occurred = this.#parts.clock.wallMicros()
    const eventIds: string[] = []
    for (const event of [told].flat()) eventIds.push(await enqueue(transaction, { ...event, occurred }))
    return { name, isChanged: true, eventIds }
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#parts.database.write.transaction().execute(work)
  }
}

async function settleClients(
  transaction: Transaction,
  account: string,
  hostName: string,
  by: Author,
  clients: 'keep' | 'remove' | undefined,
): Promise<readonly AuditEvent[]> {
  if (clients === 'keep') return keepClientsOf(transaction, account, hostName, by)
  if (clients === 'remove') return removeClientsOf(transaction, account, hostName, by)
  const names = await clientsOf(transaction, account)
  if (names.length === 0) return []
  throw new AnnalsError(
    'ACCOUNT_REFUSED',
    `clients were made in the name of "${account}": ${names.join(', ')}; say --keep-clients or --remove-clients`,
  )
}

async function insert(
  transaction: Transaction,
  name: string,
  profile: Profile,
  hash: string,
  now: number,
): Promise<void> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('account')
    .values({ name, profile, password_hash: hash, created_at: now, password_changed_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows !== 1n) {
    throw new AnnalsError('ACCOUNT_EXISTS', `there is an account "${name}" already`)
  }
}

async function raiseVersion(transaction: Transaction, id: number): Promise<void> {
  await transaction
    .updateTable('account')
    .set((row) => ({ credential_version: row('credential_version', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

// Sound because a transaction holds the write lock from its beginning: no other can remove the second-last now.
async function keepMainAdministrator(transaction: Transaction, account: AccountState): Promise<void> {
  if (account.profile !== 'main-administrator') return
  const other = await transaction
    .selectFrom('account')
    .select('id')
    .where('profile', '=', 'main-administrator')
    .where('id', '!=', account.id)
    .limit(1)
    .executeTakeFirst()
  if (other !== undefined) return
  throw new AnnalsError(
    'ACCOUNT_REFUSED',
    `"${account.name}" is the last main administrator: there must be one`,
  )
}
