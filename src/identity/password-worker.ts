// The thread that hashes passwords, one at a time, for as long as it lives. It is a thread of its own, and the
// hashing synchronous, because libuv's pool is where the log waits for its disk: 16 hashes there raise an
// `fdatasync` from 0.5 to 550 ms.

import { argon2Sync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** One password to hash. Its bytes are handed over, and are wiped when it is done. */
export interface HashRequest {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly hashBytes: number
}

/** What became of it. */
export type HashReply = { readonly hash: Uint8Array } | { readonly failure: string }

parentPort?.on('message', (request: HashRequest) => {
  parentPort?.postMessage(reply(request), [])
})

function reply({ password, salt, memory, passes, parallelism, hashBytes }: HashRequest): HashReply {
  try {
    const costs = { memory, passes, parallelism, tagLength: hashBytes }
    return { hash: argon2Sync('argon2id', { message: password, nonce: salt, ...costs }) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : 'unknown' }
  } finally {
    password.fill(0)
  }
}
