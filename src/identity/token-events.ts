// What is recorded of access tokens: 29051 to 29053, and 29057 for the key that signs them. A token itself is never in it.

import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import type { Author } from './account-events.ts'
import type { FailedCall } from './login-events.ts'

/** How entries name a client. No account can be called so. */
export function clientActor(clientId: string): string {
  return `client:${clientId}`
}

/** Which token it is about, and where the call came from. */
export interface ToldToken {
  readonly jti: string
  readonly clientId: string
  readonly source: string
}

/** What is told of a token when it is issued. */
export interface IssuedToken extends ToldToken {
  readonly scope: string
  /** Whom it is for. */
  readonly audience: string
  readonly seconds: number
}

/** 29051. */
export function tokenIssued(
  hostName: string,
  { jti, clientId, source, scope, audience, seconds }: IssuedToken,
): AuditEvent {
  return selfEvent({
    code: 29051,
    actor: clientActor(clientId),
    session: jti,
    hostName,
    outcome: 'success',
    target: clientActor(clientId),
    fields: { token: jti, client: clientId, scope },
    details: [
      ['source', source],
      ['seconds', String(seconds)],
      ['audience', audience],
    ],
  })
}

/** 29052: `reason` is an error code of RFC 6749 or of what builds on it. */
export function clientRefused(
  hostName: string,
  clientId: string,
  reason: string,
  source: string,
): AuditEvent {
  return selfEvent({
    code: 29052,
    actor: clientActor(clientId),
    hostName,
    outcome: 'failure',
    target: clientActor(clientId),
    fields: { client: clientId, reason },
    details: [['source', source]],
  })
}

/** 29053. */
export function tokenRevoked(hostName: string, { jti, clientId, source }: ToldToken): AuditEvent {
  return selfEvent({
    code: 29053,
    actor: clientActor(clientId),
    session: jti,
    hostName,
    outcome: 'success',
    target: clientActor(clientId),
    fields: { token: jti, client: clientId },
    details: [['source', source]],
  })
}

/** 29061: a call had no valid access token, at a node that knows nobody by anything else. */
export function callRefused(
  node: { readonly hostName: string; readonly component: string },
  { reason, source }: FailedCall,
): AuditEvent {
  return selfEvent({
    code: 29061,
    actor: '*system',
    ...node,
    outcome: 'failure',
    fields: { reason },
    details: [['source', source]],
  })
}

/** 29057. */
export function tokenKeyReplaced(hostName: string, by: Author, kid: string, reason: string): AuditEvent {
  return selfEvent({
    code: 29057,
    ...by,
    hostName,
    outcome: 'success',
    target: `token-key/${kid}`,
    fields: { key: kid, reason },
  })
}
