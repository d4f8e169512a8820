// Logins by HTTP Basic, and the way of one through `identity/`. A call that presents credentials is either remembered
// (its credentials were verified not long ago from the same network, and the account is as it was then) or verified by
// hashing. Whatever fails has the same work done for it and gets the same answer (S6).

import { randomBytes } from 'node:crypto'
import type { Database } from '../database/database.ts'
import type { AuditEvent } from '../entry/event.ts'
import { AnnalsError, isAnnalsError, isUnrecordable } from '../errors.ts'
import type { AccountState, ReadAccountState } from './account-state.ts'
import { parseBasic, type Credentials } from './basic.ts'
import type { Clock } from './clock.ts'
import { CredentialCache } from './credential-cache.ts'
import type { Failures } from './failures.ts'
import type { Hasher } from './hasher.ts'
import { isLocked, type LockoutPolicy } from './lockout.ts'
import { settleLogin, type LoginAttempt, type LoginOutcome } from './login-attempt.ts'
import { accountLocked, loggedIn, noName, unknownName, type FailureReason } from './login-events.ts'
import { elsewhere, loopback, networkOf } from './network.ts'
import { RateLimited, type Attempt, type RateLimits } from './rate-limits.ts'
import { unmatchableHash, type Random } from './password.ts'
import type { CallerClaim, Principal } from './principal.ts'
import { rightsOfPermissions } from './profile.ts'
import { SingleFlight } from './single-flight.ts'

/** What logins need. */
export interface LoginsParts {
  readonly database: Database
  readonly readState: ReadAccountState
  readonly hasher: Hasher
  readonly failures: Failures
  readonly record: (event: AuditEvent) => Promise<void>
  readonly clock: Clock
  readonly hostName: string
  readonly lockout: LockoutPolicy
  /** False: HTTP Basic is switched off as a whole (S5). */
  readonly basicEnabled: boolean
  readonly limits: Pick<RateLimits, 'login'>
  readonly random?: Random
}

/** Where a call came from: its address, and the network of that. */
interface Origin {
  readonly source: string
  readonly network: string
}

/** An attempt whose password was compared, and what it took of what may be tried. */
interface Proof extends LoginAttempt {
  readonly toll: Attempt
}

/** Logins to local accounts. */
export class Logins {
  readonly #parts: LoginsParts
  readonly #random: Random
  readonly #cache: CredentialCache
  readonly #nameKey: Uint8Array
  /** What is verified in place of the password of an account that there is not. */
  readonly #nobodysHash: string
  readonly #proofs = new SingleFlight<Proof>()
  readonly #welcomes = new SingleFlight<Principal>()

  constructor(parts: LoginsParts) {
    const random = parts.random ?? randomBytes
    this.#parts = parts
    this.#random = random
    this.#cache = new CredentialCache(parts.clock, random(keyBytes))
    this.#nameKey = random(keyBytes)
    this.#nobodysHash = unmatchableHash(random, parts.hasher.parameters)
  }

  /**
   * The account that an Authorization header proves (S1). Throws UNAUTHENTICATED, in the same words whatever
   * was wrong; TOO_MANY_REQUESTS where too many passwords wait to be hashed; UNAVAILABLE where the database, the
   * hashing or the recording fails. A failure is recorded or counted before it is thrown (S7).
   */
  async authenticateBasic({ authorization, source }: CallerClaim): Promise<Principal> {
    const credentials = parseBasic(authorization)
    if (!this.#parts.basicEnabled) return this.#refuse('basic-off', noName, source)
    if (typeof credentials === 'string') return this.#refuse(credentials, noName, source)
    const from = { source, network: networkOf(source) }
    const key = this.#cache.keyOf(credentials, from.network)
    return (await this.#recall(key, from)) ?? (await this.#logIn(key, credentials, from))
  }

  /**
   * Credentials that were verified not long ago, where the account is still as it was then. This is no login:
   * it neither begins a session nor clears failed logins.
   */
  async #recall(key: string, { network }: Origin): Promise<Principal | undefined> {
    const verified = this.#cache.get(key)
    if (verified === undefined) return undefined
    const state = await this.#parts.readState(verified.name, network)
    const isValid =
      state?.id === verified.accountId &&
      state.credentialVersion === verified.credentialVersion &&
      !isLocked(state, this.#parts.clock.wallMicros())
    if (isValid) return this.#principal(state, verified.session)
    this.#cache.forget(key)
    return undefined
  }

  #principal({ name, permissions }: AccountState, session: string): Principal {
    return { name, session, scheme: 'Basic', rights: rightsOfPermissions(permissions) }
  }

  async #logIn(key: string, credentials: Credentials, from: Origin): Promise<Principal> {
    const { toll, ...attempt } = await this.#prove(key, credentials, from)
    const outcome = await this.#settle(attempt, from)
    if ('admitted' in outcome) {
      // Not before: of a locked account nobody may learn, by when a limit is reached, that a password is right.
      toll.giveBack()
      return this.#welcomes.share(key, () => this.#welcome(key, outcome.admitted, credentials, from))
    }
    return this.#refuse(outcome.refused, outcome.account ?? this.#unknown(credentials), from.source)
  }

  /** Compares the password, once for all who present the same credentials meanwhile. */
  async #prove(key: string, credentials: Credentials, { source, network }: Origin): Promise<Proof> {
    try {
      return await this.#proofs.share(key, async () => {
        const state = await this.#parts.readState(credentials.name, network)
        const home = homeOf(state, network)
        const toll = await this.#parts.limits.login(credentials.name, network, home)
        const matches = await this.#compare(credentials, state, home, toll)
        return { name: credentials.name, network, state, matches, toll }
      })
    } catch (error) {
      if (isAnnalsError(error, 'TOO_MANY_REQUESTS')) await this.#tellTooMany(credentials, source, error)
      throw error
    }
  }

  async #compare(
    { password }: Credentials,
    state: AccountState | undefined,
    home: string,
    toll: Attempt,
  ): Promise<boolean> {
    try {
      const hash = state?.passwordHash ?? this.#nobodysHash
      return await this.#parts.hasher.verify(password, hash, home !== elsewhere)
    } catch (error) {
      // Nothing was compared.
      toll.giveBack()
      throw error
    }
  }

  async #settle(attempt: LoginAttempt, { source }: Origin): Promise<LoginOutcome> {
    const { database, clock, readState, hostName, lockout: policy } = this.#parts
    const lockedEvent = (account: string, network: string): AuditEvent =>
      accountLocked(hostName, account, source, network)
    return settleLogin({ database, clock, readState, policy, lockedEvent }, attempt)
  }

  /** Begins a session, once for all who logged in with the same credentials meanwhile. */
  async #welcome(
    key: string,
    state: AccountState,
    credentials: Credentials,
    from: Origin,
  ): Promise<Principal> {
    const known = await this.#recall(key, from)
    if (known !== undefined) return known
    const { id: accountId, name, credentialVersion } = state
    const session = Buffer.from(this.#random(sessionBytes)).toString('hex')
    await this.#recordWhereRoom(loggedIn(this.#parts.hostName, name, session, from.source))
    this.#cache.put(key, { accountId, name, credentialVersion, session })
    await this.#renewHash(state, credentials.password)
    return this.#principal(state, session)
  }

  /**
   * Hashes a password anew that was hashed more cheaply than is done today. It stays the same password, so the
   * credential version stays too. Where too many wait to be hashed, it is left to the next login.
   */
  async #renewHash({ id, passwordHash }: AccountState, password: string): Promise<void> {
    if (!this.#parts.hasher.isOutdated(passwordHash) || this.#parts.hasher.isFull) return
    const renewed = await this.#parts.hasher.hash(password)
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
      if (!isUnrecordable(error)) throw error
    }
  }

  async #tellTooMany(credentials: Credentials, source: string, error: AnnalsError): Promise<void> {
    const account = (await this.#parts.readState(credentials.name))?.name ?? this.#unknown(credentials)
    const reason = error instanceof RateLimited ? 'rate-limited' : 'busy'
    await this.#parts.failures.add({ account, reason, source })
  }

  async #refuse(reason: FailureReason, account: string, source: string): Promise<never> {
    await this.#parts.failures.add({ account, reason, source })
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

// On the machine itself every name is at home, so that nobody there can tell accounts from names that are none (S6).
function homeOf(state: AccountState | undefined, network: string): string {
  return state?.network ?? (network === loopback ? loopback : elsewhere)
}

const keyBytes = 32
const sessionBytes = 16
