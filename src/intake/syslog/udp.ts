// Syslog over UDP (RFC 5426). What the kernel drops because nobody has read what came before is asked for and counted.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIP, isIPv6 } from 'node:net'
import { lookup } from 'node:dns/promises'
import { syslogDropsLookMs, syslogReceiveBytes } from '../../limits.ts'
import { Datagrams } from './datagrams.ts'
import type { SyslogSource } from './event-of-message.ts'
import type { Inlet } from './inlet.ts'
import { type KernelDrops, openKernelDrops } from './kernel-drops.ts'
import type { Listening, SyslogAddress } from './listening.ts'
import { addressOfPeer } from './peer.ts'

/** What a listener for UDP needs. */
export interface UdpParts {
  readonly at: SyslogAddress
  readonly inlet: Inlet
  readonly warn: (fields: object, message: string) => void
}

/** Listens. Throws what binding throws. */
export async function openUdp(parts: UdpParts): Promise<Listening> {
  const { host, port } = parts.at
  const address = isIP(host) === 0 ? (await lookup(host)).address : host
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' })
  const bound = once(socket, 'listening')
  socket.bind({ address, port, exclusive: true })
  await bound
  const drops = await openKernelDrops(socket.address().port)
  if (drops === undefined)
    parts.warn(
      {},
      'what the kernel drops of syslog over UDP cannot be told on this system: it is not counted',
    )
  return new Udp(parts, socket, drops)
}

/** Who sent what the kernel dropped is not known. */
const unknownSource = '*unknown'

class Udp implements Listening {
  readonly address: SyslogAddress
  readonly #parts: UdpParts
  readonly #socket: Socket
  readonly #datagrams: Datagrams
  readonly #drops: KernelDrops | undefined
  readonly #timer: NodeJS.Timeout
  #looking: Promise<void> = Promise.resolve()
  #last: SyslogSource = { by: '', hostName: '' }

  constructor(parts: UdpParts, socket: Socket, drops: KernelDrops | undefined) {
    this.#parts = parts
    this.#socket = socket
    this.#drops = drops
    this.#datagrams = new Datagrams(parts.inlet)
    this.address = { host: parts.at.host, port: socket.address().port }
    // As much as the kernel allows: more than its bound is no error.
    socket.setRecvBufferSize(syslogReceiveBytes)
    socket.on('message', (bytes: Buffer, from: RemoteInfo) =>
      this.#datagrams.take(bytes, this.#sourceOf(from)),
    )
    socket.on('error', (err) => parts.warn({ err }, 'a syslog datagram could not be read'))
    this.#timer = setInterval(() => this.#look(), syslogDropsLookMs)
    this.#timer.unref()
  }

  get received(): number {
    return this.#datagrams.received
  }

  // UDP knows no connections: who sends now is read until it is quiet.
  stopAccepting(): void {
    clearInterval(this.#timer)
  }

  async close(): Promise<void> {
    this.#look()
    await this.#looking
    this.#socket.close()
  }

  // Most datagrams come from where the last one came from.
  #sourceOf({ address }: RemoteInfo): SyslogSource {
    if (this.#last.by === address) return this.#last
    const by = addressOfPeer(address)
    this.#last = { by, hostName: by }
    return this.#last
  }

  #look(): void {
    this.#looking = this.#count(this.#looking)
  }

  async #count(before: Promise<void>): Promise<void> {
    await before
    const count = (await this.#drops?.take()) ?? 0
    if (count > 0) this.#parts.inlet.lose(unknownSource, 'kernel', count)
  }
}
