// A TCP proxy of the tests' own, between a client and a server, that does to a connection what networks and broken
// servers do. It knows nothing of TLS or HTTP: the bytes that it counts are those on the wire.
//
// The fault of a connection is fixed when the connection is accepted. With `delay`, TCP's own handshake is not
// delayed, for the system makes it; every byte behind it is.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { freePort } from './free-port.ts'
import { relay, type RelayOptions } from './relay.ts'

/** What befalls a connection. */
export type Fault =
  | { readonly kind: 'pass' }
  /** A link with latency: every chunk is held for so long, in either direction. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Accepts, reads nothing and answers nothing. */
  | { readonly kind: 'swallow' }
  /** Accepts, and resets at once. */
  | { readonly kind: 'reset' }
  /** Closes both ways when so many bytes of the server's have passed (with 0: at the first that would). */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Passes so many bytes of the server's, and then nothing more; the connection stays. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Answers in plain text whatever is said, as a server does that does not speak TLS. */
  | { readonly kind: 'garbage' }

/** A proxy under way. */
export interface FaultProxy {
  readonly host: string
  /** It stays the same while connections are refused, and after. */
  readonly port: number
  /** The fault of connections to come. */
  fault: Fault
  /** The faults of the very next connections, one each; `fault` follows when they are used up. */
  readonly next: Fault[]
  /** Connections that live. One that was swallowed lives until it is cut, for nothing of it is read. */
  readonly connections: number
  /** Connections that were ever accepted. */
  readonly accepted: number
  /** Bytes of the server's that were passed on, over all connections. */
  readonly bytesToClient: number
  /** Ends all connections that live, as a cable that is pulled does not: both sides are told. */
  cutAll(): void
  /** False while connections are refused. */
  readonly isListening: boolean
  /** From now on connections are refused; those that live are left alone. */
  refuse(): void
  /** Ends refusing. */
  accept(): Promise<void>
}

const loopback = '127.0.0.1'

/** Starts a proxy on loopback to a server. Everything of it ends with the test. */
export async function startFaultProxy(
  context: TestContext,
  target: { readonly host: string; readonly port: number },
): Promise<FaultProxy> {
  const live = new Set<Socket>()
  const next: Fault[] = []
  let [accepted, bytesToClient] = [0, 0]
  const passed = (bytes: number) => (bytesToClient += bytes)
  const take = (client: Socket) => {
    accepted += 1
    live.add(client)
    client.on('close', () => live.delete(client))
    befall(client, next.shift() ?? proxy.fault, { target, passed })
  }
  const cutAll = () => {
    for (const client of live) client.destroy()
  }
  // Nobody else gets it while connections are refused.
  const port = await freePort()
  let server = await listen(port, take)
  const proxy: FaultProxy = {
    host: loopback,
    port,
    fault: { kind: 'pass' },
    next,
    get connections() {
      return live.size
    },
    get accepted() {
      return accepted
    },
    get bytesToClient() {
      return bytesToClient
    },
    get isListening() {
      return server.listening
    },
    cutAll,
    refuse: () => void server.close(),
    accept: async () => {
      server = await listen(port, take)
    },
  }
  context.after(() => {
    if (server.listening) server.close()
    cutAll()
  })
  return proxy
}

async function listen(port: number, take: (client: Socket) => void): Promise<Server> {
  // A side that has said all that it has to say is no side that has left.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, take)
  server.listen(port, loopback)
  await once(server, 'listening')
  return server
}

interface Passage {
  readonly target: { readonly host: string; readonly port: number }
  readonly passed: (bytes: number) => void
}

const plainText =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nplain text\n'

function befall(client: Socket, fault: Fault, { target, passed }: Passage): void {
  // Whatever goes wrong with a socket closes it, and that is what the rest is told by.
  client.on('error', () => undefined)
  switch (fault.kind) {
    case 'swallow':
      return
    case 'reset':
      return void client.resetAndDestroy()
    case 'garbage':
      client.resume()
      return void client.end(plainText)
    case 'pass':
      return passThrough(client, target, { passed })
    case 'delay':
      return passThrough(client, target, { passed, delayMs: fault.delayMs })
    case 'cut':
      // The client's end takes the server's with it.
      return passThrough(client, target, {
        passed,
        limitBytes: fault.afterBytes,
        atLimit: () => client.destroy(),
      })
    case 'stall':
      // A client that leaves a stalled connection is not answered either: both ways are closed for it.
      return passThrough(client, target, {
        passed,
        limitBytes: fault.afterBytes,
        atLimit: () => (client.readableEnded ? client.destroy() : client.once('end', () => client.destroy())),
      })
  }
}

function passThrough(
  client: Socket,
  { host, port }: Passage['target'],
  toClient: RelayOptions & Pick<Passage, 'passed'>,
): void {
  const server = connect({ host, port, allowHalfOpen: true, noDelay: true })
  server.on('error', () => undefined)
  const { delayMs = 0 } = toClient
  relay(client, server, { delayMs })
  relay(server, client, toClient)
  // A regular end passes through the relays, in its turn; only what is irregular ends the other side at once.
  server.on('close', (hadError) => hadError && client.resetAndDestroy())
  client.on('close', (hadError) => {
    if (hadError) server.resetAndDestroy()
    else if (!client.writableFinished || !client.readableEnded) server.destroy()
  })
}
