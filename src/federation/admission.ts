// Whether an engine may join. Pure: the registry reads what is to be known, and does what is decided. Whoever asks has
// proved that they hold the token; what they are told may therefore be plain.

import type { Selectable } from 'kysely'
import type { EngineTokenTable } from '../database/schema.ts'
import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { parseCertificate } from './certificate.ts'
import type { EngineRow } from './engine-row.ts'
import type { JoinedNode, JoinRequest } from './enrolment.ts'

/** What is to be known. */
export interface JoinCase {
  readonly token: Selectable<EngineTokenTable>
  /** The engine that has this host name now. */
  readonly present: EngineRow | undefined
  readonly request: JoinRequest
  readonly portal: Pick<JoinedNode, 'hostName' | 'certificate'>
  readonly now: Micros
}

/** `join`: it joins, and takes the place of the engine that is present. `again`: it has joined, and is answered again. */
export type Admission = 'join' | 'again'

/**
 * Decides. A token is good for one join; the very same join is answered again until the token expires, for the answer
 * may have been lost. Throws JOIN_REFUSED for a token that is not good for it, or ENGINE_EXISTS.
 */
export function admit(join: JoinCase): Admission {
  const { token, request, now } = join
  if (token.expires_at <= now) throw refused(`this token has expired: ${makeNew}`)
  if (token.used_at !== null) {
    if (!isAnsweredAgain(join)) throw refused(`this token was used already: ${makeNew}`)
    return 'again'
  }
  if (token.host_name !== null && token.host_name !== request.hostName)
    throw refused(`this token is for the engine ${token.host_name} only, not for ${request.hostName}`)
  if (request.hostName === join.portal.hostName)
    throw refused(`${request.hostName} is the portal's own name: give the engine another with --host-name`)
  demandValid(request, now)
  demandPlace(join)
  return 'join'
}

/** What an engine says of itself, as one text: everything but what is new with each request. */
export function factsOf({ hostName, log, logKey, certificate, address }: JoinRequest): string {
  return JSON.stringify([hostName, log, logKey, certificate.fingerprint, address])
}

const makeNew = 'make a new one at the portal with "annals engines token"'

// Nothing that came after that join may be told as if it still held: another engine in its place, a disconnection, or
// another certificate of the portal.
function isAnsweredAgain({ token, present, request, portal }: JoinCase): boolean {
  return (
    token.used_facts === factsOf(request) &&
    present?.log === request.log &&
    present.state !== 'DISCONNECTED' &&
    present.portal_certificate === portal.certificate.fingerprint
  )
}

function demandValid({ certificate: { notBefore, notAfter } }: JoinRequest, now: Micros): void {
  if (now < notBefore || now > notAfter)
    throw refused("the engine's TLS certificate is not valid now: do the clocks of both machines agree?")
}

// An engine that lost what the portal answered may join anew as it was; another one needs leave.
function demandPlace({ token, present, request }: JoinCase): void {
  if (present === undefined || present.state === 'DISCONNECTED' || token.may_replace === 1) return
  const { hostName } = request
  if (factsOfRow(present) === factsOf(request)) return
  throw new AnnalsError(
    'ENGINE_EXISTS',
    `an engine ${hostName} is connected already: disconnect it at the portal with "annals engines disconnect ` +
      `${hostName}", or make a token with "annals engines token --replace ${hostName}"`,
    { engine: hostName },
  )
}

function factsOfRow(row: EngineRow): string {
  const { fingerprint } = parseCertificate(row.certificate)
  return JSON.stringify([row.host_name, row.log, row.log_key, fingerprint, row.address])
}

function refused(why: string): AnnalsError {
  return new AnnalsError('JOIN_REFUSED', why)
}
