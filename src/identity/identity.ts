// Who calls: the composition of `identity/`, and the way of a login through it. A call that presents credentials
// is either remembered (its credentials were verified not long ago, and the account is as it was then) or
// verified by hashing. Whatever fails has the same work done for it and gets the same answer (S6).

import { randomBytes } from 'node:crypto'
import type { Database } from '../database/database.ts'
import type { AuditEvent } from '../entry/event.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { accountStates, type AccountState, type ReadAccountState } from './account-state.ts'
import { Accounts } from './accounts.ts'
import { parseBasic, type Credentials } from './basic.ts'
import type { Clock } from './clock.ts'
import { CredentialCache } from './credential-cache.ts'
import { Failures, type Schedule } from './failures.ts'
import { Hasher } from './hasher.ts'
import { isLocked, type LockoutPolicy } from './lockout.ts'
import { settleLogin, type LoginAttempt, type LoginOutcome } from './login-attempt.ts'
import { accountLocked, loggedIn, noName, unknownName, type FailureReason } from './login-events.ts'
import { unmatchableHash, type Random } from './password.ts'
import type { Profile } from './profile.ts'
import { SingleFlight } from './single-flight.ts'

export { mayReadAuditLog } from './profile.ts'

/** Somebody whose credentials are valid. */
export interface Principal {
  readonly name: string
  readonly profile: Profile
  /** The session that the login began. */
  readonly session: string
}

/** One call, as far as its caller is concerned. */
export interface CallerClaim {
  /** The Authorization header. */
  readonly authorization: string | undefined
  /** The address that the call came from. */
  readonly source: string
}

/** What identity needs. The database stays its owner's. */
export interface IdentityParts {
  readonly database: Database
  /** Records an event; resolves once it is durable. */
  readonly record: (event: AuditEvent) => Promise<void>
  readonly clock: Clock
  /** The node's, for the events. */
  readonly hostName: string
  readonly options: {
    readonly lockout: LockoutPolicy
    /** False: HTTP Basic is switched off as a whole (S5). */
    readonly basicEnabled: boolean
  }
  readonly random?: Random
  readonly hasher?: Hasher
  readonly schedule?: Schedule
}

/** Accounts, and logins to them. Closing records what is counted, and ends the hashing thread. */
export interface Identity extends AsyncDisposable {
  readonly accounts: Accounts
  /**
   * The account that an Authorization header proves (S1). Throws UNAUTHENTICATED, in the same words whatever
   * was wrong; TOO_MANY_REQUESTS where too many passwords wait to be hashed; UNAVAILABLE where the database, the
   * hashing or the recording fails. A failure is recorded or counted before it is thrown (S7).
   */
  authenticateBasic(claim: CallerClaim): Promise<Principal>
  /** Records that an engine was refused to join, as the calls without valid credentials are (S7). */
  noteRefusedJoin(reason: 'join-token' | 'join-name', source: string): Promise<void>
  close(): Promise<void>
}

/** Opens identity over an open database. The hashing thread starts with the first password. */
export function openIdentity(parts: IdentityParts): Identity {
  return new LocalIdentity(parts)
}

class LocalIdentity implements Identity {
  readonly accounts: Accounts
  readonly #parts: IdentityParts
  readonly #random: Random
  readonly #readState: ReadAccountState
  readonly #hasher: Hasher
  readonly #failures: Failures
  readonly #cache: CredentialCache
  readonly #nameKey: Uint8Array
  /** What is verified in place of the password of an account that there is not. */
  readonly #nobodysHash: string
  readonly #proofs = new SingleFlight<LoginAttempt>()
  readonly #welcomes = new SingleFlight<Principal>()

  constructor(parts: IdentityParts) {
    const random = parts.random ?? randomBytes
    this.#parts = parts
    this.#random = random
    this.#readState = accountStates(parts.database)
    this.#hasher = parts.hasher ?? new Hasher({ random })
    this.#failures = new Failures(parts)
    this.#cache = new CredentialCache(parts.clock, random(keyBytes))
    this.#nameKey = random(keyBytes)
    this.#nobodysHash = unmatchableHash(random, this.#hasher.parameters)
    this.accounts = new Accounts({ ...parts, readState: this.#readState, hasher: this.#hasher })
  }

  async authenticateBasic({ authorization, source }: CallerClaim): Promise<Principal> {
    const credentials = parseBasic(authorization)
    if (!this.#parts.options.basicEnabled) return this.#refuse('basic-off', noName, source)
    if (typeof credentials === 'string') return this.#refuse(credentials, noName, source)
    const key = this.#cache.keyOf(credentials)
    return (await this.#recall(key)) ?? (await this.#logIn(key, credentials, source))
  }

  async noteRefusedJoin(reason: 'join-token' | 'join-name', source: string): Promise<void> {
    await this.#failures.add({ account: noName, reason, source })
  }

  async close(): Promise<void> {
    await this.#hasher.close()
    await this.#failures.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Credentials that were verified not long ago, where the account is still as it was then. This is no login:
   * it neither begins a session nor clears failed logins.
   */
  async #recall(key: string): Promise<Principal | undefined> {
    const verified = this.#cache.get(key)
    if (verified === undefined) return undefined
    const state = await this.#readState(verified.name)
    const isValid =
      state?.id === verified.accountId &&
      state.credentialVersion === verified.credentialVersion &&
      !isLocked(state, this.#parts.clock.wallMicros())
    if (isValid) return { name: state.name, profile: state.profile, session: verified.session }
    this.#cache.forget(key)
    return undefined
  }

  async #logIn(key: string, credentials: Credentials, source: string): Promise<Principal> {
    const attempt = await this.#prove(key, credentials, source)
    const outcome = await this.#settle(attempt, source)
    if ('admitted' in outcome) {
      return this.#welcomes.share(key, () => this.#welcome(key, outcome.admitted, credentials, source))
    }
    return this.#refuse(outcome.refused, outcome.account ?? this.#unknown(credentials), source)
  }

  /** Compares the password, once for all who present the same credentials meanwhile. */
  async #prove(key: string, credentials: Credentials, source: string): Promise<LoginAttempt> {
    try {
      return await this.#proofs.share(key, async () => {
        const state = await this.#readState(credentials.name)
        const hash = state?.passwordHash ?? this.#nobodysHash
        const matches = await this.#hasher.verify(credentials.password, hash)
        return { name: credentials.name, state, matches }
      })
    } catch (error) {
      if (isAnnalsError(error, 'TOO_MANY_REQUESTS')) await this.#tellBusy(credentials, source)
      throw error
    }
  }

  async #settle(attempt: LoginAttempt, source: string): Promise<LoginOutcome> {
    const { database, clock, hostName, options } = this.#parts
    const lockedEvent = (account: string): AuditEvent => accountLocked(hostName, account, source)
    const parts = { database, clock, readState: this.#readState, policy: options.lockout, lockedEvent }
    return settleLogin(parts, attempt)
  }

  /** Begins a session, once for all who logged in with the same credentials meanwhile. */
  async #welcome(
    key: string,
    state: AccountState,
    credentials: Credentials,
    source: string,
  ): Promise<Principal> {
    const known = await this.#recall(key)
    if (known !== undefined) return known
    const { id: accountId, name, profile, credentialVersion } = state
    const session = Buffer.from(this.#random(sessionBytes)).toString('hex')
    await this.#recordWhereRoom(loggedIn(this.#parts.hostName, name, session, source))
    this.#cache.put(key, { accountId, name, credentialVersion, session })
    await this.#renewHash(state, credentials.password)
    return { name, profile, session }
  }

  /**
   * Hashes a password anew that was hashed more cheaply than is done today. It stays the same password, so the
   * credential version stays too. Where too many wait to be hashed, it is left to the next login.
   */
  async #renewHash({ id, passwordHash }: AccountState, password: string): Promise<void> {
    if (!this.#hasher.isOutdated(passwordHash) || this.#hasher.isFull) return
    const renewed = await this.#hasher.hash(password)
    await this.#parts.database.write
      .updateTable('account')
      .set({ password_hash: renewed })
      .where('id', '=', id)
      .where('password_hash', '=', passwordHash)
      .execute()
  }

  /** I9: where there is no room to record, reading goes on, and the log itself counts what it missed. */
  async #recordWhereRoom(event: AuditEvent): Promise<void> {
    try {
      await this.#parts.record(event)
    } catch (error) {
      if (!isAnnalsError(error, 'STORAGE_FULL')) throw error
    }
  }

  async #tellBusy(credentials: Credentials, source: string): Promise<void> {
    const account = (await this.#readState(credentials.name))?.name ?? this.#unknown(credentials)
    await this.#failures.add({ account, reason: 'busy', source })
  }

  async #refuse(reason: FailureReason, account: string, source: string): Promise<never> {
    await this.#failures.add({ account, reason, source })
    throw new AnnalsError(
      'UNAUTHENTICATED',
      reason === 'basic-off'
        ? 'HTTP Basic is switched off'
        : 'valid credentials of a local account are needed',
    )
  }

  #unknown({ name }: Credentials): string {
    return unknownName(name, this.#nameKey)
  }
}

const keyBytes = 32
const sessionBytes = 16
