// The thread that hashes passwords, one at a time, for as long as it lives. It is a thread of its own, and the
// hashing synchronous, because libuv's pool is where the log waits for its disk: 16 hashes there raise an
// `fdatasync` from 0.5 to 550 ms.
//
// Plain JavaScript: to read TypeScript, a thread loads the stripper anew, 17 MB for these few lines. What comes and
// goes is `HashRequest` and `HashReply` of `hasher.ts`.

import { argon2Sync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { constants, setPriority } from 'node:os'

// Hashing must not keep the thread that answers from a processor: on Linux a thread has a priority of its own, and 0 is
// the thread that asks. Elsewhere it would be the whole process.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW)

parentPort?.on('message', (request) => {
  parentPort?.postMessage(reply(request), [])
})

function reply({ password, salt, memory, passes, parallelism, hashBytes }) {
  try {
    const costs = { memory, passes, parallelism, tagLength: hashBytes }
    return { hash: argon2Sync('argon2id', { message: password, nonce: salt, ...costs }) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : 'unknown' }
  } finally {
    password.fill(0)
  }
}
