// A client on a bare socket that takes an answer at its own pace, and tells what came of it: a whole answer, or one that
// is visibly broken (R6).

import type { Socket } from 'node:net'
import { dial, requestText, type Server } from '../conformance/wire.ts'
import { administrator, until } from './portal-process.ts'

/** What came until the connection closed. */
export interface Received {
  readonly status: number
  readonly head: string
  /** As it was sent: with its chunks, where it is chunked. */
  readonly body: Buffer
  /** False where there are fewer bytes than were promised, or no last chunk. */
  readonly isWhole: boolean
}

/** A client under way. */
export interface SlowClient {
  readonly socket: Socket
  /** Resolves when the connection has closed, which it does after one answer. */
  readonly ended: Promise<Received>
  /** Bytes so far, head and all. */
  received(): number
  /** Takes so many bytes, and then no more until `resume`. */
  takeUntil(bytes: number): Promise<void>
  resume(): void
}

/** Asks for one answer, as the administrator. `lines` are further lines of the request. */
export async function begin(
  server: Server,
  path: string,
  lines: readonly string[] = [],
): Promise<SlowClient> {
  const socket = await dial(server)
  const chunks: Buffer[] = []
  let [received, enough] = [0, Number.POSITIVE_INFINITY]
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    received += chunk.length
    // At once: in the time of a look at it some megabytes more could have come.
    if (received >= enough) socket.pause()
  })
  // A reset is one way of breaking off.
  socket.on('error', () => undefined)
  const { promise: ended, resolve } = Promise.withResolvers<Received>()
  socket.once('close', () => resolve(read(Buffer.concat(chunks))))
  socket.write(requestText(path, administrator, [...lines, 'Connection: close']))
  return {
    socket,
    ended,
    received: () => received,
    takeUntil: async (bytes) => {
      enough = bytes
      await until(() => received >= bytes)
      socket.pause()
    },
    resume: () => {
      enough = Number.POSITIVE_INFINITY
      socket.resume()
    },
  }
}

/** Asks, and takes all of the answer as fast as it comes. */
export async function take(server: Server, path: string, lines: readonly string[] = []): Promise<Received> {
  return (await begin(server, path, lines)).ended
}

/** The bytes of a body that came in chunks. */
export function unchunk(body: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, end), 16)
    if (end === -1 || size === 0) break
    chunks.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
  return Buffer.concat(chunks)
}

function read(bytes: Buffer): Received {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return { status: 0, head: '', body: bytes, isWhole: false }
  const head = bytes.toString('latin1', 0, end)
  const body = bytes.subarray(end + 4)
  const length = /^content-length: (\d+)$/im.exec(head)?.[1]
  const isWhole =
    length === undefined
      ? body.toString('latin1', body.length - 5) === '0\r\n\r\n'
      : body.length === Number(length)
  return { status: Number(head.slice(9, 12)), head, body, isWhole }
}
