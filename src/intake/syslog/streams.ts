// Syslog over TCP (RFC 6587) and TLS (RFC 5425). Senders are not answered, so that what there is no room for is not
// read: the sender's own queue holds it (back-pressure).

import { once } from 'node:events'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { AuditEvent } from '../../entry/event.ts'
import { acceptBacklog, syslogConnections, syslogHandshakeMs, syslogHeldBytes } from '../../limits.ts'
import { addressOfPeer, nameOfPeer } from './peer.ts'
import { Framer, type Frame } from './framing.ts'
import type { Inlet } from './inlet.ts'
import type { Listening, SyslogAddress, SyslogTls } from './listening.ts'

/** What a listener for streams needs. */
export interface StreamsParts {
  readonly at: SyslogAddress
  /** With this it speaks TLS. */
  readonly tls?: Pick<SyslogTls, 'cert' | 'key' | 'clientCa'>
  readonly inlet: Inlet
  /** Tells the operator; bounded by whoever gives it. */
  readonly warn: (fields: object, message: string) => void
}

/** Listens for streams. Throws what binding throws. */
export async function openStreams(parts: StreamsParts): Promise<Listening> {
  const streams = new Streams(parts)
  await streams.listen()
  return streams
}

class Streams implements Listening {
  readonly #parts: StreamsParts
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #heldBytes = 0
  #received = 0

  constructor(parts: StreamsParts) {
    this.#parts = parts
    this.#server = parts.tls === undefined ? createTcpServer() : tlsServer(parts.tls)
    this.#server.maxConnections = syslogConnections
    const { warn } = parts
    this.#server.on(parts.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#accept(socket)
    })
    this.#server.on('tlsClientError', (err: Error, { remoteAddress }: Socket) => {
      warn({ err, peer: remoteAddress }, 'a syslog sender could not be let in')
    })
    this.#server.on('drop', (data) => {
      warn({ peer: data?.remoteAddress }, 'a syslog sender was turned away: there are too many connections')
    })
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#parts.at.port, this.#parts.at.host, acceptBacklog)
    await once(this.#server, 'listening')
    this.#server.on('error', (err) => this.#parts.warn({ err }, 'a syslog sender could not be accepted'))
  }

  get address(): SyslogAddress {
    const address = this.#server.address()
    const port = typeof address === 'object' && address !== null ? address.port : this.#parts.at.port
    return { host: this.#parts.at.host, port }
  }

  get received(): number {
    return this.#received
  }

  // Nobody is accepted any more; those who are connected are read on.
  stopAccepting(): void {
    this.#server.close()
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close()
    await Promise.resolve()
  }

  #accept(socket: Socket): void {
    const { inlet, warn } = this.#parts
    const connection = new Connection(socket, inlet, {
      warn,
      received: () => (this.#received += 1),
      held: (more) => this.#hold(more),
      ended: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
  }

  // Whoever holds the most makes room for the others: it may be somebody who never ends a message.
  #hold(more: number): void {
    this.#heldBytes += more
    while (this.#heldBytes > syslogHeldBytes) {
      const [most] = [...this.#connections].sort((a, b) => b.heldBytes - a.heldBytes)
      if (most === undefined || most.heldBytes === 0) return
      most.evict()
    }
  }
}

function tlsServer({ cert, key, clientCa }: Pick<SyslogTls, 'cert' | 'key' | 'clientCa'>): Server {
  return createTlsServer({
    cert,
    key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: syslogHandshakeMs,
    ...(clientCa === undefined ? {} : { ca: [clientCa], requestCert: true, rejectUnauthorized: true }),
  })
}

/** What a connection tells the listener. */
interface Reports {
  readonly warn: StreamsParts['warn']
  readonly received: () => void
  readonly held: (more: number) => void
  readonly ended: () => void
}

class Connection {
  readonly #socket: Socket
  readonly #inlet: Inlet
  readonly #reports: Reports
  readonly #framer = new Framer()
  readonly #source: { by: string; hostName: string }
  readonly #resume = (): void => void this.#socket.resume()
  #heldBytes = 0
  #isClosed = false

  constructor(socket: Socket, inlet: Inlet, reports: Reports) {
    this.#socket = socket
    this.#inlet = inlet
    this.#reports = reports
    const hostName = addressOfPeer(socket.remoteAddress)
    this.#source = {
      by: (socket instanceof TLSSocket ? nameOfPeer(socket) : undefined) ?? hostName,
      hostName,
    }
    socket.setKeepAlive(true)
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('end', () => this.close())
    socket.on('close', () => this.close())
    socket.on('error', (err) => reports.warn({ err, peer: this.#source.by }, 'a syslog connection broke'))
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Ends it; what is held of a message is recorded as incomplete. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const rest = this.#framer.end()
    if (rest !== undefined) this.#enter([rest])
    this.#end()
  }

  /** Ends it for want of memory; what is held is lost, and counted. */
  evict(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inlet.lose(this.#source.by, 'no-room')
    this.#reports.warn(
      { peer: this.#source.by },
      'a syslog connection was closed: messages that do not end took all memory',
    )
    this.#end()
  }

  #read(bytes: Buffer): void {
    if (this.#isClosed) return
    this.#reports.received()
    this.#enter(this.#framer.push(bytes))
    if (this.#framer.isLost) return this.#lose()
    this.#tellHeld(this.#framer.heldBytes)
    if (!this.#inlet.isFull || this.#isClosed) return
    this.#socket.pause()
    this.#inlet.whenRoom(this.#resume)
  }

  #enter(frames: readonly Frame[]): void {
    const events: AuditEvent[] = []
    let size = 0
    for (const frame of frames) {
      const event = this.#inlet.eventOf(frame, this.#source)
      if (event === undefined) continue
      size += frame.bytes
      events.push(event)
      if (frame.flaw === 'truncated') this.#inlet.lose(this.#source.by, 'truncated')
    }
    this.#inlet.enter(events, size)
  }

  #lose(): void {
    this.#isClosed = true
    this.#inlet.lose(this.#source.by, 'too-long')
    this.#reports.warn({ peer: this.#source.by }, 'a syslog connection was closed: its message is too long')
    this.#end()
  }

  #tellHeld(bytes: number): void {
    const more = bytes - this.#heldBytes
    this.#heldBytes = bytes
    if (more !== 0) this.#reports.held(more)
  }

  #end(): void {
    this.#inlet.forget(this.#resume)
    this.#tellHeld(0)
    this.#reports.ended()
    this.#socket.destroy()
  }
}
