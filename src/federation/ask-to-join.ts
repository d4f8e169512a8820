// An engine joins its portal: one request, one answer (`enrolment.ts`). Both are authenticated by the token, and nothing
// in them is secret, so that it does not matter what carries them: a portal's HTTPS certificate is not asked for.

import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { AnnalsError, type ErrorCode } from '../errors.ts'
import { peerTimeoutMs } from '../limits.ts'
import {
  type JoinAnswer,
  type JoinedNode,
  joinMacHeader,
  joinPath,
  macOf,
  parseAnswer,
  renderRequest,
} from './enrolment.ts'
import type { JoinToken } from './join-token.ts'
import { readSmallAnswer } from './small-answer.ts'

/** What an engine joins with. */
export interface Join {
  /** The portal's URL, an origin. */
  readonly url: string
  readonly token: JoinToken
  readonly engine: JoinedNode
  /** HOST:PORT, where the portal reaches this engine. */
  readonly address: string
}

/**
 * Asks the portal to let this engine join. A crash at any moment leaves an engine that can ask again with the same
 * token. Throws UNAVAILABLE where the portal does not answer, what the portal refuses with, and JOIN_REFUSED where
 * the answer is not the portal's.
 */
export async function askToJoin({ url, token, engine, address }: Join): Promise<JoinAnswer> {
  const nonce = randomBytes(16).toString('base64url')
  const request = renderRequest({ ...engine, token: token.id, address, nonce })
  const { status, mac, body } = await post(url, request, macOf(token.key, 'engine', request))
  if (status === 200) return parseAnswer(token.key, body, mac, request)
  throw refusalOf(url, status, body)
}

/**
 * The address of this machine from which it reaches a portal: where the portal, if nothing translates addresses between
 * them, reaches this machine. Throws UNAVAILABLE where the portal cannot be reached.
 */
export async function addressTowards(url: string): Promise<string> {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const socket = connect({ host, port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port) })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
      socket.setTimeout(peerTimeoutMs, () => reject(new Error('it does not answer')))
    })
    return socket.localAddress ?? '127.0.0.1'
  } catch (cause) {
    throw cannotReach(url, cause)
  } finally {
    socket.destroy()
  }
}

interface Posted {
  readonly status: number
  readonly mac: string
  readonly body: Buffer
}

async function post(url: string, body: Buffer, mac: string): Promise<Posted> {
  // Loaded only here: an engine joins once.
  const { Agent, request } = await import('undici')
  // Whoever sits between can read this and cannot change it; see the head of this file.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false, timeout: peerTimeoutMs } })
  try {
    const answer = await request(`${url}${joinPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [joinMacHeader]: mac },
      body,
      dispatcher,
      signal: AbortSignal.timeout(2 * peerTimeoutMs),
    })
    const given = answer.headers[joinMacHeader.toLowerCase()]
    return {
      status: answer.statusCode,
      mac: typeof given === 'string' ? given : '',
      body: await readSmallAnswer(answer.body),
    }
  } catch (cause) {
    throw cannotReach(url, cause)
  } finally {
    await dispatcher.destroy()
  }
}

function cannotReach(url: string, cause: unknown): AnnalsError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new AnnalsError(
    'UNAVAILABLE',
    `the portal at ${url} cannot be reached: ${why}. Start the engine again with the same token to try again`,
    { cause },
  )
}

// What a refusal says is not authenticated; it can mislead, and change nothing.
function refusalOf(url: string, status: number, body: Buffer): AnnalsError {
  const [element] = elementsOf(body)
  if (element === undefined) {
    const message = `at ${url} there is no portal that engines can join: it answers with status ${status}`
    return new AnnalsError('JOIN_REFUSED', message)
  }
  const code = passedOn.find((known) => known === element.code) ?? 'JOIN_REFUSED'
  return new AnnalsError(code, `the portal at ${url} refuses: ${element.message}`)
}

const passedOn: readonly ErrorCode[] = ['ENGINE_EXISTS', 'JOIN_REFUSED', 'UNAVAILABLE', 'TOO_MANY_REQUESTS']

function elementsOf(body: Buffer): { readonly code: string; readonly message: string }[] {
  try {
    const elements = JSON.parse(body.toString()) as { code: string; message: string }[]
    return elements.filter(({ code, message }) => typeof code === 'string' && typeof message === 'string')
  } catch {
    return []
  }
}
