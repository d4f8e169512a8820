// How the portal lets an engine join: who asks is authenticated first, then what is asked is read, and then the use of
// the token, the engine and the events are one transaction. A crash before its commit leaves a token that is still good;
// a crash after it leaves an engine that has joined, and that is answered again when it asks again.

import type { Transaction } from '../database/database.ts'
import { AnnalsError } from '../errors.ts'
import { admit, factsOf, type JoinCase } from './admission.ts'
import { engineAdded, engineRemoved } from './engine-events.ts'
import { toldOf } from './engine-row.ts'
import {
  checkMac,
  hashOf,
  type JoinedNode,
  macOf,
  parseRequest,
  renderAnswer,
  tokenIdOf,
} from './enrolment.ts'
import { type RegistryParts, tell, transact } from './registry-parts.ts'
import { replaceEngine, rowOfHost, tokenOf, useToken } from './registry-queries.ts'

/** What an engine that asked to join is answered. */
export interface Enrolled {
  readonly body: Buffer
  /** Authenticates `body`. */
  readonly mac: string
  /** The engine's host name. */
  readonly hostName: string
  /** False where it had joined before, and was only answered again. */
  readonly isNew: boolean
}

/** As `Registry.enrol` says. */
export async function enrolEngine(
  parts: RegistryParts,
  body: Buffer,
  mac: string,
  portal: JoinedNode,
): Promise<Enrolled> {
  // Before the write lock is taken, and before the rest of the body is read: anybody may ask.
  const { id, key } = await authenticate(parts, body, mac)
  const request = parseRequest(body)
  const { hostName } = request
  const isNew = await transact(parts, async (transaction) => {
    const token = await tokenOf(transaction, id)
    if (token === undefined) throw notValid()
    const present = await rowOfHost(transaction, hostName)
    const join = { token, present, request, portal, now: parts.clock.wallMicros() }
    if (admit(join) === 'again') return false
    await add(parts, transaction, join)
    return true
  })
  const nonce = Buffer.from(parts.random(16)).toString('base64url')
  const answer = renderAnswer({ ...portal, nonce, request: hashOf(body) })
  return { body: answer, mac: macOf(key, 'portal', answer), hostName, isNew }
}

interface Authenticated {
  readonly id: string
  readonly key: Buffer
}

// Compares with a key of its own where there is no such token: how long it takes does not tell either.
async function authenticate({ database }: RegistryParts, body: Buffer, mac: string): Promise<Authenticated> {
  const id = tokenIdOf(body)
  const token = await tokenOf(database.read, id)
  const key = token === undefined ? Buffer.alloc(32) : Buffer.from(token.key, 'hex')
  if (!checkMac(key, 'engine', body, mac) || token === undefined) throw notValid()
  return { id, key }
}

// That the engine which had this name has another log is told first: that log is not reached any more.
async function add(parts: RegistryParts, transaction: Transaction, join: JoinCase): Promise<void> {
  const { token, present, request, portal, now } = join
  const [by, node] = [{ actor: token.created_by }, { hostName: parts.hostName }]
  await useToken(transaction, token.id, factsOf(request), now)
  await replaceEngine(transaction, request, portal.certificate.fingerprint, now)
  if (present !== undefined && present.log !== request.log)
    await tell(parts, transaction, engineRemoved(node, by, toldOf(present)))
  const engine = { ...request, certificate: request.certificate.fingerprint }
  await tell(parts, transaction, engineAdded(node, by, engine, token.id))
}

function notValid(): AnnalsError {
  return new AnnalsError('JOIN_REFUSED', 'this token is not valid here')
}
