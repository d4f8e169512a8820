// What logs publish of themselves, below /audit-trail/api/v2/ of the server that was named: proofs, keys, checkpoints, tiles.
// Where a server says that something is at another address, only the path of it counts: credentials go nowhere else.

import { setTimeout as sleep } from 'node:timers/promises'
import { AnnalsError } from '../../errors.ts'
import { fetchPublishedBytes } from '../../limits.ts'
import type { Authorizer } from './authorizer.ts'
import type { HttpClient } from './http-client.ts'
import type { Patience } from './patience.ts'
import { refusalOf } from './refusal.ts'
import { Setback } from './setback.ts'
import { publishedUrl } from './target.ts'

/** What they are asked with. */
export interface LogFilesParts {
  readonly server: URL
  readonly client: HttpClient
  readonly authorizer: Authorizer
  /** Made anew for each file. */
  readonly patience: () => Patience
  readonly signal: AbortSignal
}

/** Gets such files. */
export class LogFiles {
  readonly #parts: LogFilesParts

  constructor(parts: LogFilesParts) {
    this.#parts = parts
  }

  /** Ends everything. */
  get signal(): AbortSignal {
    return this.#parts.signal
  }

  /** A file by its path, such as `logs/portal/checkpoint`. Throws what the server refuses, and UNAVAILABLE. */
  async get(path: string): Promise<Buffer> {
    const { patience, signal } = this.#parts
    for (const patient = patience(); ;) {
      try {
        return await this.#attempt(path)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof Setback)) throw error
        const verdict = patient.after(0, error.retryAfterMs)
        if ('givenUp' in verdict)
          throw new AnnalsError(error.code, `${error.message}; ${verdict.givenUp}`, { cause: error })
        await sleep(verdict.pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }

  async #attempt(path: string): Promise<Buffer> {
    const { server, client, authorizer, signal } = this.#parts
    const url = publishedUrl(server, path)
    for (;;) {
      const headers = { authorization: await authorizer.header(signal), 'accept-encoding': 'identity' }
      const answer = await client.ask({ method: 'GET', url, headers }, signal)
      try {
        if (answer.status === 200) return await wholeOf(answer.body)
        if (answer.status !== 401 || !authorizer.renew()) throw await refusalOf(answer, 'the server')
      } finally {
        answer.body.destroy()
      }
    }
  }
}

async function wholeOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > fetchPublishedBytes)
      throw new AnnalsError('BODY_TOO_LARGE', 'the server sends more than any proof or tile has')
  }
  return Buffer.concat(chunks)
}

/** The path, for `LogFiles.get`, of what a server says is at this address; undefined where it is none of these files. */
export function publishedPath(address: string): string | undefined {
  const [, path] = /\/audit-trail\/api\/v2\/(logs\/[A-Za-z0-9._-]+\/reads\/\d+\/proof)$/.exec(address) ?? []
  return path
}
