// OAuth 2.0 clients: making, changing and removing them. Each change and the event that tells it are one transaction, as
// with accounts (`accounts.ts`), and it works the same in a server and in a command beside it. Clients belong to the
// instance; one may be made in the name of an account, which must then be allowed to.

import type { Database, Transaction } from '../database/database.ts'
import { enqueue } from '../database/outbox.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { normalizeName } from './account.ts'
import type { Author } from './account-events.ts'
import { type Client, newClientId, newSecret, parseClientName, parseDescription } from './client.ts'
import { boundsText, clientAdded, clientChanged, clientRemoved, type NamedClient } from './client-events.ts'
import {
  clientOf,
  type ClientRow,
  type ClientValues,
  columnsOf,
  endSecrets,
  insertClient,
  insertSecret,
  namedOf,
  removeRow,
  rowFor,
  updateClient,
} from './client-row.ts'
import type { Clock } from './clock.ts'
import type { Random } from './password.ts'
import type { Permission } from './permission.ts'
import type { RecordBounds } from './rights.ts'
import { demandScope, recordScope } from './scope.ts'

/** What clients need. */
export interface ClientsParts {
  readonly database: Database
  readonly clock: Clock
  readonly hostName: string
  readonly random: Random
  /** Whether an account may do something; undefined where there is no such account. */
  readonly accountMay: (
    account: string,
    permission: Permission,
    within: Transaction,
  ) => Promise<boolean | undefined>
}

/** A new client. */
export interface NewClient {
  readonly name: string
  readonly description?: string | undefined
  readonly scopes: readonly string[]
  readonly recordBounds?: RecordBounds | undefined
  readonly expiresAt?: Micros | undefined
  /** The account in whose name it is made. */
  readonly owner?: string | undefined
}

/** What of a client is to be another. What is undefined stays. */
export interface ClientSettings {
  readonly description?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly recordBounds?: RecordBounds | undefined
  /** Null: it does not expire any more. */
  readonly expiresAt?: Micros | null | undefined
  readonly isEnabled?: boolean | undefined
}

/** How a secret is replaced. */
export interface Rotation {
  /** How long the old secret goes on; 0 ends it, and any other, at once. */
  readonly graceSeconds: number
  /** Whether every token that was issued so far ends too. */
  readonly revokesTokens: boolean
}

/** A change that was made. */
export interface ClientChange {
  readonly clientId: string
  readonly name: string
  /** False where everything was so already, and nothing is recorded. */
  readonly isChanged: boolean
  /** The ids of its events in the outbox (`database/outbox.ts`). */
  readonly eventIds: readonly string[]
}

/** A change that made a secret, which is told only now. */
export type ClientWithSecret = ClientChange & { readonly clientSecret: string }

/** The clients of a portal. Throws DOES_NOT_EXIST for one that there is not, and UNAVAILABLE where the database fails. */
export class Clients {
  readonly #parts: ClientsParts

  constructor(parts: ClientsParts) {
    this.#parts = parts
  }

  /** All clients, by name. */
  async list(): Promise<Client[]> {
    const { read } = this.#parts.database
    const rows = await read.selectFrom('client').selectAll().orderBy('name').execute()
    const secrets = await read.selectFrom('client_secret').selectAll().orderBy('id').execute()
    const now = this.#parts.clock.wallMicros()
    return rows.map((row) => ({
      ...clientOf(row),
      secrets: secrets
        .filter(({ client, expires_at }) => client === row.id && (expires_at ?? Infinity) > now)
        .map((secret) => ({ createdAt: secret.created_at, expiresAt: secret.expires_at ?? undefined })),
    }))
  }

  /** Makes a client. Throws INVALID_INPUT, ALREADY_EXISTS, or CHANGE_REFUSED where its owner may not make it. */
  async add(asked: NewClient, by: Author): Promise<ClientWithSecret> {
    const { clock, hostName, random } = this.#parts
    const name = parseClientName(asked.name)
    const client = {
      ...valuesFor(asked),
      owner: asked.owner === undefined ? undefined : normalizeName(asked.owner),
    }
    const [clientId, clientSecret] = [newClientId(name, random), newSecret(random)]
    return this.#transact(async (transaction) => {
      await this.#demandOwner(transaction, client)
      const now = clock.wallMicros()
      demandFuture(client.expiresAt, now)
      const row = {
        client_id: clientId,
        name,
        ...columnsOf(client),
        tokens_valid_from: now,
        created_at: now,
        created_by: by.actor,
        owner: client.owner ?? null,
      }
      await insertSecret(transaction, await insertClient(transaction, row), clientSecret, now)
      const event = clientAdded(hostName, by, { clientId, name }, detailsOf(client))
      return { ...(await this.#tell(transaction, { clientId, name }, event)), clientSecret }
    })
  }

  /** Changes what a client is and may. What it loses, the tokens that it has lose at once. */
  async set(named: string, settings: ClientSettings, by: Author): Promise<ClientChange> {
    return this.#change(named, async (transaction, row) => {
      const before = clientOf(row)
      const after = { ...before, ...valuesFor(settings, before) }
      if (givesMore(settings)) await this.#demandOwner(transaction, after)
      const changes = changesOf(row, columnsOf(after))
      if (changes.length === 0) return undefined
      await updateClient(transaction, row.id, columnsOf(after))
      return clientChanged(this.#parts.hostName, by, namedOf(row), changes.join(', '), detailsOf(after))
    })
  }

  /**
   * Gives a client a new secret. The old one goes on for the time of grace; one that is older still ends at once, so that
   * there are never more than two.
   */
  async rotate(named: string, rotation: Rotation, by: Author): Promise<ClientWithSecret> {
    const { clock, hostName, random } = this.#parts
    const clientSecret = newSecret(random)
    const change = await this.#change(named, async (transaction, row) => {
      const now = clock.wallMicros()
      await endSecrets(transaction, row.id, now, rotation.graceSeconds)
      await insertSecret(transaction, row.id, clientSecret, now)
      // Another moment in any case: tokens are good only where it is the one that they name.
      const tokens_valid_from = Math.max(now, row.tokens_valid_from + 1)
      if (rotation.revokesTokens) await updateClient(transaction, row.id, { tokens_valid_from })
      const details: [string, string][] = [['graceSeconds', String(rotation.graceSeconds)]]
      if (rotation.revokesTokens) details.push(['tokens', 'revoked'])
      return clientChanged(hostName, by, namedOf(row), 'secret', details)
    })
    return { ...change, clientSecret }
  }

  /** Removes a client. Its tokens end at once. */
  async remove(named: string, by: Author): Promise<ClientChange> {
    return this.#change(named, async (transaction, row) => {
      await removeRow(transaction, row.id)
      return clientRemoved(this.#parts.hostName, by, namedOf(row))
    })
  }

  async #change(
    named: string,
    change: (transaction: Transaction, row: ClientRow) => Promise<AuditEvent | undefined>,
  ): Promise<ClientChange> {
    return this.#transact(async (transaction) => {
      const row = await rowFor(transaction, named)
      const event = await change(transaction, row)
      if (event === undefined) return { ...namedOf(row), isChanged: false, eventIds: [] }
      return this.#tell(transaction, namedOf(row), event)
    })
  }

  // Sound because a transaction holds the write lock from its beginning: what the owner may cannot change meanwhile.
  async #demandOwner(
    transaction: Transaction,
    { owner, recordBounds }: Pick<Client, 'owner' | 'recordBounds'>,
  ): Promise<void> {
    if (owner === undefined) return
    const demanded: Permission[] = [
      'manage-clients',
      ...(recordBounds?.ownCodes ? (['grant-own-codes'] as const) : []),
    ]
    for (const permission of demanded) {
      const may = await this.#parts.accountMay(owner, permission, transaction)
      if (may === undefined) throw new AnnalsError('ACCOUNT_UNKNOWN', `there is no account "${owner}"`)
      if (!may)
        throw new AnnalsError(
          'CHANGE_REFUSED',
          permission === 'manage-clients'
            ? `the account "${owner}" may not make clients: it is no administrator`
            : `the account "${owner}" may not let a client record the node's own codes: it is no main administrator`,
        )
    }
  }

  async #tell(transaction: Transaction, client: NamedClient, event: AuditEvent): Promise<ClientChange> {
    const id = await enqueue(transaction, { ...event, occurred: this.#parts.clock.wallMicros() })
    return { ...client, isChanged: true, eventIds: [id] }
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#parts.database.write.transaction().execute(work)
  }
}

const nothingYet: ClientValues = {
  description: '',
  scopes: [],
  recordBounds: undefined,
  expiresAt: undefined,
  isEnabled: true,
}

// What a client is to be: what it was, with what is to be another. Bounds go with the scope that they are for.
function valuesFor(settings: ClientSettings, before: ClientValues = nothingYet): ClientValues {
  const scopes = [...new Set(settings.scopes?.map(demandScope) ?? before.scopes)]
  const records = scopes.includes(recordScope)
  const recordBounds = settings.recordBounds ?? (records ? before.recordBounds : undefined)
  if (scopes.length === 0) throw new AnnalsError('INVALID_INPUT', 'a client needs at least one scope')
  if (records !== (recordBounds !== undefined)) throw unbalanced(records)
  return {
    description: parseDescription(settings.description ?? before.description),
    scopes,
    recordBounds,
    expiresAt: settings.expiresAt === undefined ? before.expiresAt : (settings.expiresAt ?? undefined),
    isEnabled: settings.isEnabled ?? before.isEnabled,
  }
}

// Recording needs both: the scope, and what it is for.
function unbalanced(records: boolean): AnnalsError {
  return new AnnalsError(
    'INVALID_INPUT',
    records
      ? `the scope ${recordScope} needs the components and the codes that may be recorded`
      : `components and codes to record are for the scope ${recordScope}`,
  )
}

// A client can always be switched off, whatever has become of its owner since.
function givesMore({ scopes, recordBounds, expiresAt, isEnabled }: ClientSettings): boolean {
  return scopes !== undefined || recordBounds !== undefined || expiresAt !== undefined || isEnabled === true
}

function demandFuture(expiresAt: Micros | undefined, now: Micros): void {
  if ((expiresAt ?? Infinity) > now) return
  throw new AnnalsError('INVALID_INPUT', 'the client would have expired before it is made')
}

const changeWords: Readonly<Record<keyof ReturnType<typeof columnsOf>, (value: unknown) => string>> = {
  description: () => 'description',
  scopes: () => 'scopes',
  record_bounds: () => 'what it may record',
  expires_at: () => 'expiry',
  is_enabled: (value) => (value === 1 ? 'switched on' : 'switched off'),
}

// What is really another, in words.
function changesOf(row: ClientRow, columns: ReturnType<typeof columnsOf>): string[] {
  const names = Object.keys(changeWords) as (keyof typeof changeWords)[]
  return names.filter((name) => row[name] !== columns[name]).map((name) => changeWords[name](columns[name]))
}

function detailsOf({
  scopes,
  recordBounds,
  expiresAt,
  owner,
}: Pick<Client, 'scopes' | 'recordBounds' | 'expiresAt' | 'owner'>): readonly (readonly [string, string])[] {
  return [
    ['scopes', scopes.join(' ')],
    ...(recordBounds === undefined ? [] : [['records', boundsText(recordBounds)] as const]),
    ['expires', expiresAt === undefined ? 'never' : new Date(expiresAt / 1000).toISOString()],
    ...(owner === undefined ? [] : [['owner', owner] as const]),
  ]
}
