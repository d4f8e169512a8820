// Who calls: the composition of `identity/`.

import { randomBytes } from 'node:crypto'
import type { Database } from '../database/database.ts'
import type { AuditEvent } from '../entry/event.ts'
import { accountStates } from './account-state.ts'
import { Accounts } from './accounts.ts'
import type { Clock } from './clock.ts'
import type { TokenPlace } from './access-token.ts'
import { AuthorizationServer, type EngineLogs } from './authorization-server.ts'
import { Bearers, type OtherIssuers } from './bearer.ts'
import { clientStates } from './client-state.ts'
import { Failures, type Schedule } from './failures.ts'
import { Hasher } from './hasher.ts'
import type { LockoutPolicy } from './lockout.ts'
import { noName } from './login-events.ts'
import { Logins } from './logins.ts'
import type { Random } from './password.ts'
import { isBearer } from './presented-token.ts'
import type { CallerClaim, Principal } from './principal.ts'
import { type LimitName, RateLimits } from './rate-limits.ts'
import { TokenCheck } from './token-check.ts'
import { TokenKeys } from './token-keys.ts'
import { type TokenTrust, tokenTrustOf } from './token-trust.ts'

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
    /** How long an access token is good. */
    readonly tokenSeconds: number
  }
  /** What access tokens say of this instance; asked at each use, for the public URL is known once the portal listens. */
  readonly place: () => TokenPlace
  /** The authorization servers of others whose tokens are accepted. */
  readonly others: OtherIssuers
  /** The engines for which tokens can be had. */
  readonly engines: EngineLogs
  /** Told of each attempt that a limit refuses. */
  readonly limited?: (limit: LimitName) => void
  readonly random?: Random
  readonly hasher?: Hasher
  readonly schedule?: Schedule
}

/** Accounts, clients, and whom credentials prove. Closing records what is counted, and ends the hashing thread. */
export interface Identity extends AsyncDisposable {
  readonly accounts: Accounts
  readonly authorization: AuthorizationServer
  readonly tokenKeys: TokenKeys
  /** What engines are to be told of access tokens at this moment. */
  tokenTrust(): Promise<TokenTrust>
  /**
   * Whom an Authorization header proves. Throws UNAUTHENTICATED, in the same words whatever was wrong;
   * TOO_MANY_REQUESTS where too many attempts are made; UNAVAILABLE where the database, the hashing or the recording
   * fails. A failure is recorded or counted before it is thrown (S7).
   */
  authenticate(claim: CallerClaim): Promise<Principal>
  /** Records that an engine was refused to join, as the calls without valid credentials are (S7). */
  noteRefusedJoin(reason: 'join-token' | 'join-name', source: string): Promise<void>
  close(): Promise<void>
}

/** Opens identity over an open database. The hashing thread starts with the first password. */
export function openIdentity(parts: IdentityParts): Identity {
  const random = parts.random ?? randomBytes
  const readState = accountStates(parts.database)
  const hasher = parts.hasher ?? new Hasher({ random })
  const failures = new Failures(parts)
  const accounts = new Accounts({ ...parts, readState, hasher })
  const limits = new RateLimits({ ...parts, limited: parts.limited ?? (() => undefined) })
  const { lockout, basicEnabled } = parts.options
  const logins = new Logins({
    ...parts,
    random,
    readState,
    hasher,
    failures,
    limits,
    lockout,
    basicEnabled,
  })
  const keys = new TokenKeys(parts)
  const tokenParts = { ...parts, keys, random, readClient: clientStates(parts.database) }
  const tokens = new TokenCheck(tokenParts)
  const bearers = new Bearers({ ...parts, tokens, failures })
  const authorization = new AuthorizationServer({
    ...tokenParts,
    tokens,
    failures,
    limits,
    nameKey: random(32),
    lifeSeconds: parts.options.tokenSeconds,
  })
  const close = async (): Promise<void> => {
    await hasher.close()
    await failures.close()
  }
  return {
    accounts,
    authorization,
    tokenKeys: keys,
    tokenTrust: () => tokenTrustOf(tokenParts),
    authenticate: (claim) =>
      isBearer(claim.authorization) ? bearers.authenticate(claim) : logins.authenticateBasic(claim),
    noteRefusedJoin: (reason, source) => failures.add({ account: noName, reason, source }),
    close,
    [Symbol.asyncDispose]: close,
  }
}
