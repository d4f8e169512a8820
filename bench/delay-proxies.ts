// Puts servers far away: for each of them a TCP proxy that holds every byte for so long, in either direction, and is
// otherwise not felt. TCP's own handshake is not delayed, for the system makes it. All of them are one process.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { serveTask } from './helper-process.ts'

/** What is to be far away, and the ports of the proxies, in the order of the files. */
export interface DelayProtocol {
  readonly task: {
    readonly oneWayMs: number
    /** Files that hold the port of a server on loopback each. They are read when somebody calls, and not before. */
    readonly portFiles: readonly string[]
  }
  readonly reply: readonly number[]
}

const loopback = '127.0.0.1'

serveTask<DelayProtocol>(async ({ oneWayMs, portFiles }) => {
  const ports: number[] = []
  for (const portFile of portFiles) {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      void passThrough(client, portFile, oneWayMs)
    })
    server.listen(0, loopback)
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  return { reply: ports, stop: () => Promise.resolve() }
})

async function passThrough(client: Socket, portFile: string, oneWayMs: number): Promise<void> {
  const port = Number(await readFile(portFile, 'latin1'))
  const server = connect({ host: loopback, port, allowHalfOpen: true, noDelay: true })
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    // Whatever goes wrong with one side ends the other.
    one.on('error', () => other.destroy()).on('close', () => other.destroy())
    passLate(one, other, oneWayMs)
  }
}

// Chunks are passed in their order, each no earlier than `delayMs` after it came. What is held is not bounded: whoever
// is measured here asks for little.
function passLate(source: Socket, target: Socket, delayMs: number): void {
  const held: { readonly dueMs: number; readonly chunk: Buffer | undefined }[] = []
  let timer: NodeJS.Timeout | undefined
  const release = () => {
    timer = undefined
    for (let first = held[0]; first !== undefined; first = held[0]) {
      const waitMs = first.dueMs - performance.now()
      if (waitMs > 0) return void (timer = setTimeout(release, Math.ceil(waitMs)))
      held.shift()
      if (first.chunk === undefined) target.end()
      else target.write(first.chunk)
    }
  }
  const hold = (chunk?: Buffer) => {
    held.push({ dueMs: performance.now() + delayMs, chunk })
    if (timer === undefined) release()
  }
  source.on('data', hold).on('end', () => hold())
  target.on('close', () => clearTimeout(timer))
  source.resume()
}
