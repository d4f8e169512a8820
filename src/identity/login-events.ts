// What is recorded of logins, with the catalogue's codes and templates, and 29004 of our own. A name that is no
// account is never told in clear, for people type passwords there: it stands as `(unknown)` and a keyed hash (S7).

import { createHmac } from 'node:crypto'
import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import { elsewhere } from './network.ts'

/** Why a call had no valid credentials. */
export type FailureReason =
  | 'no-credentials'
  | 'other-scheme'
  | 'malformed'
  | 'basic-off'
  | 'unknown'
  | 'external'
  | 'locked'
  | 'wrong-password'
  | 'busy'
  // Too many attempts of late, refused before anything was hashed or looked up.
  | 'rate-limited'
  // Of an access token.
  | 'token-malformed'
  | 'token-issuer'
  | 'token-signature'
  | 'token-audience'
  | 'token-expired'
  | 'token-revoked'
  | 'token-client'
  // Of a client at the token endpoint: there is none of that id, its secret is wrong, it is switched off or has expired.
  | 'client-unknown'
  | 'client-secret'
  | 'client-ended'
  // Of an engine that asked to join: no good token, or a host name that another engine has.
  | 'join-token'
  | 'join-name'

/** A call without valid credentials. */
export interface FailedCall {
  /** An account's name, or what stands for it: `unknownName`, `noName`. */
  readonly account: string
  readonly reason: FailureReason
  /** The caller's address. */
  readonly source: string
}

/** What is recorded where a call told no name at all. */
export const noName = '(none)'

/** What is recorded for a name that is no account: the same for the same name, as long as the key lives. */
export function unknownName(name: string, key: Uint8Array): string {
  return `(unknown) ${createHmac('sha256', key).update(name).digest('hex').slice(0, 8)}`
}

/** 20101: an account's credentials were verified, and began a session. */
export function loggedIn(hostName: string, account: string, session: string, source: string): AuditEvent {
  return selfEvent({
    code: '20101',
    actor: account,
    session,
    hostName,
    outcome: 'success',
    target: account,
    details: [['source', source]],
  })
}

/** 20103: a call had no valid credentials. */
export function loginFailed(hostName: string, { account, reason, source }: FailedCall): AuditEvent {
  return selfEvent({
    code: '20103',
    actor: '*system',
    hostName,
    outcome: 'failure',
    target: account,
    fields: { account, reason },
    details: [['source', source]],
  })
}

/** 20104: failed logins in a row have locked an account towards a network, or everywhere but where it is at home. */
export function accountLocked(
  hostName: string,
  account: string,
  source: string,
  network: string,
): AuditEvent {
  return selfEvent({
    code: '20104',
    actor: account,
    hostName,
    outcome: 'success',
    target: account,
    details: [
      ['source', source],
      ['network', network === elsewhere ? 'elsewhere' : network],
    ],
  })
}

/** 29004: calls without valid credentials that were too many to be recorded one by one, counted by reason. */
export function failuresCounted(
  { hostName, component }: { readonly hostName: string; readonly component?: string },
  counts: ReadonlyMap<FailureReason, number>,
  seconds: number,
): AuditEvent {
  const reasons = [...counts].map(([reason, count]) => `${reason}: ${count}`).join(', ')
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return selfEvent({
    code: '29004',
    actor: '*system',
    hostName,
    ...(component === undefined ? {} : { component }),
    outcome: 'failure',
    fields: { n: String(total), seconds: String(seconds), reasons },
    eventParams: [...counts].map(([reason, count]) => [reason, String(count)] as const),
  })
}
