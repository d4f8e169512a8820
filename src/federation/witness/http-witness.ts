// A witness that is asked over HTTP: a portal by its engines, and witnesses that an administrator names. Nothing of what is said
// is secret, and everything that counts is signed: a cosignature with the witness's key, and what speaks against a log with
// the log's own. So whoever sits between can withhold an answer, and forge none.

import { Agent, request } from 'undici'
import { peerTimeoutMs } from '../../limits.ts'
import type { NoteKey } from '../../tree/note-key.ts'
import { readSmallAnswer } from '../small-answer.ts'
import type { WitnessPeer, WitnessReply } from './witness-peer.ts'

/** Whom to ask. */
export interface HttpWitness {
  readonly name: string
  /** The prefix of its URLs. */
  readonly url: string
  readonly keys: readonly NoteKey[]
}

/** Asks witnesses over connections that are kept. Dispose of it to end them. */
export class HttpWitnesses implements AsyncDisposable {
  readonly #agent = new Agent({
    connect: { rejectUnauthorized: false, timeout: peerTimeoutMs },
    headersTimeout: peerTimeoutMs,
    bodyTimeout: peerTimeoutMs,
  })

  /** One of them. */
  peer({ name, url, keys }: HttpWitness): WitnessPeer {
    const prefix = url.replace(/\/+$/, '')
    return {
      name,
      keys,
      addCheckpoint: (body) => this.#ask(`${prefix}/add-checkpoint`, body),
      latest: async (originHash) => {
        const { status, body } = await this.#ask(`${prefix}/${originHash}/checkpoint`)
        if (status === 404) return undefined
        if (status !== 200) throw new Error(`it answers with status ${status}`)
        return body.toString()
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask(url: string, body?: string): Promise<WitnessReply> {
    const answer = await request(url, {
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(peerTimeoutMs),
      ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }),
    })
    const after = Number(answer.headers['retry-after'])
    return {
      status: answer.statusCode,
      body: await readSmallAnswer(answer.body),
      retryAfterSeconds: Number.isFinite(after) ? after : undefined,
    }
  }
}
