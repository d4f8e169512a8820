// Syslog over TCP (RFC 6587) and TLS (RFC 5425). Senders are not answered, so that what there is no room for is not
// read: the sender's own queue holds it (back-pressure).

import { once } from 'node:events'
import { createServer as createTcpServer, type Server, Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, TLSSocket } from 'node:tls'
import {
  acceptBacklog,
  syslogConnections,
  syslogHandshakeMs,
  syslogHeldBytes,
  syslogKeepAliveMs,
  syslogPeerConnections,
} from '../../limits.ts'
import { addressOfPeer, nameOfPeer } from './peer.ts'
import { type Derailment, type Frame, Framer } from './framing.ts'
import type { Inlet } from './inlet.ts'
import type { Listening, Refusal, SyslogAddress, SyslogTls, TurnedAway } from './listening.ts'

/** How many may be connected, and how long a handshake may take: what the limits say, unless a test says otherwise. */
export interface StreamBounds {
  readonly connections: number
  /** Of one address. */
  readonly peerConnections: number
  readonly handshakeMs: number
}

const defaultBounds: StreamBounds = {
  connections: syslogConnections,
  peerConnections: syslogPeerConnections,
  handshakeMs: syslogHandshakeMs,
}

/** What a listener for streams needs. */
export interface StreamsParts {
  readonly at: SyslogAddress
  /** With this it speaks TLS. */
  readonly tls?: Pick<SyslogTls, 'cert' | 'key' | 'clientCa'>
  readonly inlet: Inlet
  /** Tells the operator; bounded by whoever gives it. */
  readonly warn: (fields: object, message: string) => void
  readonly turnedAway: TurnedAway
  readonly bounds?: Partial<StreamBounds>
}

/** Listens for streams. Throws what binding throws. */
export async function openStreams(parts: StreamsParts): Promise<Listening> {
  const streams = new Streams(parts)
  await streams.listen()
  return streams
}

class Streams implements Listening {
  readonly #parts: StreamsParts
  readonly #bounds: StreamBounds
  readonly #server: Server
  readonly #tls: TlsServer | undefined
  // All sockets, those that shake hands included, and how many each address has of them.
  readonly #sockets = new Set<Socket>()
  readonly #byPeer = new Map<string, number>()
  readonly #connections = new Set<Connection>()
  #heldBytes = 0
  #received = 0
  #isClosed = false

  constructor(parts: StreamsParts) {
    this.#parts = parts
    this.#bounds = { ...defaultBounds, ...parts.bounds }
    this.#server = createTcpServer((socket) => this.#accept(socket))
    this.#server.maxConnections = this.#bounds.connections
    this.#server.on('drop', (data) => this.#turnAway(addressOfPeer(data?.remoteAddress)))
    if (parts.tls !== undefined) this.#tls = this.#handshakes(parts.tls)
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
    this.#isClosed = true
    for (const connection of this.#connections) connection.close()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.resolve()
  }

  #accept(socket: Socket): void {
    const peer = addressOfPeer(socket.remoteAddress)
    const count = this.#byPeer.get(peer) ?? 0
    if (count >= this.#bounds.peerConnections) {
      socket.destroy()
      return this.#turnAway(peer)
    }
    this.#byPeer.set(peer, count + 1)
    this.#sockets.add(socket)
    socket.on('close', () => this.#forget(socket, peer))
    socket.setKeepAlive(true, syslogKeepAliveMs)
    if (this.#tls === undefined) this.#open(socket)
    else this.#tls.emit('connection', socket)
  }

  #forget(socket: Socket, peer: string): void {
    this.#sockets.delete(socket)
    const others = (this.#byPeer.get(peer) ?? 0) - 1
    if (others > 0) this.#byPeer.set(peer, others)
    else this.#byPeer.delete(peer)
  }

  #turnAway(peer: string): void {
    this.#parts.turnedAway('too-many-connections', peer)
    this.#parts.warn({ peer }, 'a syslog sender was turned away: there are too many connections')
  }

  #handshakes({ cert, key, clientCa }: Pick<SyslogTls, 'cert' | 'key' | 'clientCa'>): TlsServer {
    const server = createTlsServer({
      cert,
      key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.#bounds.handshakeMs,
      ...(clientCa === undefined ? {} : { ca: [clientCa], requestCert: true, rejectUnauthorized: true }),
    })
    server.on('secureConnection', (socket) => this.#open(socket))
    server.on('tlsClientError', (err, socket) => this.#refuse(err, socket))
    return server
  }

  // Of one that says nothing Node only tells.
  #refuse(err: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { address, bytesRead } = beneath(socket)
    socket.destroy()
    // Somebody who only looked whether the port is open.
    if (this.#isClosed || (bytesRead === 0 && err.code === 'ECONNRESET')) return
    this.#parts.turnedAway(refusalOf(err, socket), address)
    this.#parts.warn({ err, peer: address }, 'a syslog sender could not be let in')
  }

  #open(socket: Socket): void {
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

// A TLS socket that is closed has forgotten its peer; the socket that it is on has not. Node names that one nowhere: where it
// is another version that has none, the peer is unknown.
function beneath(socket: TLSSocket): { address: string; bytesRead: number | undefined } {
  const lower: unknown = Reflect.get(socket, '_parent')
  return lower instanceof Socket
    ? { address: addressOfPeer(lower.remoteAddress), bytesRead: lower.bytesRead }
    : { address: addressOfPeer(socket.remoteAddress), bytesRead: undefined }
}

// A certificate of another authority ends the connection only after the handshake.
function refusalOf({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket): Refusal {
  const isMissing = code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'
  return isMissing || (authorizationError ?? null) !== null ? 'no-certificate' : 'handshake'
}

/** What a connection tells the listener. */
interface Reports {
  readonly warn: StreamsParts['warn']
  readonly received: () => void
  readonly held: (more: number) => void
  readonly ended: () => void
}

// What has come is looked at while the inlet has room. The rest stays where it is, and so does what is behind it: Node
// reads no more than a buffer ahead.
class Connection {
  readonly #socket: Socket
  readonly #inlet: Inlet
  readonly #reports: Reports
  readonly #framer = new Framer()
  readonly #source: { by: string; hostName: string }
  readonly #read = (): void => this.#takeAll()
  #heldBytes = 0
  // True once no more will come than Node has.
  #isOver = false
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
    socket.on('readable', this.#read)
    socket.on('end', () => this.#finish())
    socket.on('close', () => this.#finish())
    socket.on('error', (err) => reports.warn({ err, peer: this.#source.by }, 'a syslog connection broke'))
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Ends it. What has no room is counted as lost; what is held of a message otherwise is recorded as incomplete. */
  close(): void {
    this.#finish()
    if (!this.#isClosed) this.#end('stopped', this.#countRest())
  }

  /** Ends it for want of memory; what is held is lost, and counted. */
  evict(): void {
    if (this.#isClosed) return
    this.#reports.warn(
      { peer: this.#source.by },
      'a syslog connection was closed: messages that do not end took all memory',
    )
    this.#end('no-room', this.#countRest())
  }

  #finish(): void {
    this.#isOver = true
    this.#takeAll()
  }

  #takeAll(): void {
    while (!this.#isClosed) {
      if (this.#inlet.isFull) return this.#waitForRoom()
      const frame = this.#next()
      if (frame === undefined) break
      this.#inlet.take(frame, this.#source)
    }
    if (this.#isClosed) return
    const { derailment } = this.#framer
    if (derailment !== undefined) return this.#derail(derailment)
    if (this.#isOver) return this.#takeRest()
    this.#tellHeld(this.#framer.heldBytes)
  }

  // The next message of what has been read, here or by Node.
  #next(): Frame | undefined {
    for (;;) {
      const frame = this.#framer.next()
      if (frame !== undefined || this.#framer.derailment !== undefined) return frame
      const bytes = this.#socket.read() as Buffer | null
      if (bytes === null) return undefined
      this.#reports.received()
      this.#framer.push(bytes)
    }
  }

  #waitForRoom(): void {
    this.#inlet.whenRoom(this.#read)
    this.#tellHeld(this.#framer.heldBytes)
  }

  #takeRest(): void {
    const rest = this.#framer.end()
    if (rest !== undefined) this.#inlet.take(rest, this.#source)
    this.#end()
  }

  #derail(why: Derailment): void {
    this.#reports.warn({ peer: this.#source.by, reason: why }, derailed)
    this.#end(why, 1)
  }

  // Messages that have been read and not taken, as far as they can be told apart.
  #countRest(): number {
    let count = 0
    while (this.#next() !== undefined) count += 1
    return this.#framer.end() === undefined ? count : count + 1
  }

  #tellHeld(bytes: number): void {
    const more = bytes - this.#heldBytes
    this.#heldBytes = bytes
    if (more !== 0) this.#reports.held(more)
  }

  #end(reason = '', lost = 0): void {
    this.#isClosed = true
    if (lost > 0) this.#inlet.lose(this.#source.by, reason, lost)
    this.#inlet.forget(this.#read)
    this.#tellHeld(0)
    this.#reports.ended()
    this.#socket.destroy()
  }
}

const derailed = 'a syslog connection was closed: what it sends cannot be told apart any more'
