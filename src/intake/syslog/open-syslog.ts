// All ways that syslog comes in. Without authentication only programs of this machine may send it, unless that is
// allowed in so many words.

import { BlockList, isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AnnalsError } from '../../errors.ts'
import {
  syslogDatagramWindow,
  syslogLullMs,
  syslogStopMs,
  syslogStreamWindow,
  syslogWarnMs,
} from '../../limits.ts'
import type { Intake } from '../intake.ts'
import { Inlet } from './inlet.ts'
import type { Listening, SyslogAddress, SyslogTls, TurnedAway } from './listening.ts'
import { openStreams, type StreamBounds } from './streams.ts'
import { openUdp } from './udp.ts'
import { openUnixSocket } from './unix-socket.ts'

/** What taking in syslog needs. */
export interface SyslogOptions {
  /** The path of a unix datagram socket. */
  readonly socket?: string
  /** Its permissions: the owner and the group may send, unless it says otherwise. */
  readonly socketMode?: number
  readonly udp?: SyslogAddress
  readonly tcp?: SyslogAddress
  readonly tls?: SyslogTls
  /** True where whoever can reach a port may record. */
  readonly allowBeyondLoopback?: boolean
  readonly intake: Pick<Intake, 'log' | 'deliverGroup' | 'refused' | 'hostName'>
  readonly turnedAway: TurnedAway
  readonly logger: { warn(fields: object, message: string): void }
  readonly clock: { wallMicros(): number }
  /** The zone of times that say none. */
  readonly timeZone: string
  /** For tests: instead of what the limits say. */
  readonly bounds?: Partial<StreamBounds> & { readonly stopMs?: number }
}

/** What listens. Disposing it stops that, and lets what was received become durable first. */
export interface SyslogListeners extends AsyncDisposable {
  /** Where, with the ports that the system chose. */
  readonly addresses: {
    readonly socket?: string
    readonly udp?: SyslogAddress
    readonly tcp?: SyslogAddress
    readonly tls?: SyslogAddress
  }
}

/**
 * Takes in syslog wherever the options say. Throws INVALID_CONFIGURATION for what is not allowed, or not possible on
 * this machine, and what binding throws; nothing listens then.
 */
export async function openSyslog(options: SyslogOptions): Promise<SyslogListeners> {
  demandProof(options)
  const listeners = new Listeners(options)
  try {
    await listeners.open()
    return listeners
  } catch (error) {
    await listeners[Symbol.asyncDispose]()
    throw error
  }
}

type Addresses = { -readonly [K in keyof SyslogListeners['addresses']]: SyslogListeners['addresses'][K] }
type Closing = Omit<Listening, 'address'>

class Listeners implements SyslogListeners {
  readonly addresses: Addresses = {}
  readonly #options: SyslogOptions
  readonly #listening: Closing[] = []
  readonly #inlets: Inlet[] = []
  readonly #abort = new AbortController()
  #closing: Promise<void> | undefined

  constructor(options: SyslogOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    const { socket, udp, tcp, tls, intake, socketMode: mode = 0o660, bounds = {}, turnedAway } = this.#options
    const warn = seldom(this.#options.logger)
    const streams = this.#inlet(syslogStreamWindow)
    if (tls !== undefined) {
      const { cert, key, clientCa } = tls
      const certificates = { cert, key, ...(clientCa === undefined ? {} : { clientCa }) }
      const parts = { at: tls, tls: certificates, inlet: streams, warn, turnedAway, bounds }
      this.addresses.tls = this.#add(await openStreams(parts))
    }
    if (tcp !== undefined)
      this.addresses.tcp = this.#add(await openStreams({ at: tcp, inlet: streams, warn, turnedAway, bounds }))
    if (udp !== undefined) {
      const inlet = this.#inlet(syslogDatagramWindow)
      this.addresses.udp = this.#add(await openUdp({ at: udp, inlet, warn }))
    }
    if (socket !== undefined) {
      const inlet = this.#inlet(syslogDatagramWindow)
      const { hostName } = intake
      this.#listening.push(await openUnixSocket({ path: socket, mode, hostName, inlet, warn }))
      this.addresses.socket = socket
    }
  }

  /** Stops listening, and returns when what was received is durable, or counted as lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(), this.#options.bounds?.stopMs ?? syslogStopMs)
    try {
      for (const each of this.#listening) each.stopAccepting()
      await this.#lull()
      for (const each of this.#listening) await each.close()
      for (const inlet of this.#inlets) await inlet.settled()
    } finally {
      clearTimeout(timer)
    }
  }

  // What senders have handed to the kernel is read: they believe that it has arrived.
  async #lull(): Promise<void> {
    if (this.#listening.length === 0) return
    const { signal } = this.#abort
    let before = -1
    // A connection that waits for room has something left to read.
    while (
      (before !== this.#received || this.#inlets.some(({ isAwaited }) => isAwaited)) &&
      !signal.aborted
    ) {
      before = this.#received
      await sleep(syslogLullMs)
    }
  }

  get #received(): number {
    return this.#listening.reduce((sum, { received }) => sum + received, 0)
  }

  #add(listening: Listening): SyslogAddress {
    this.#listening.push(listening)
    return listening.address
  }

  #inlet(window: typeof syslogStreamWindow): Inlet {
    const { intake, timeZone, clock } = this.#options
    const inlet = new Inlet({ intake, window, timeZone, clock, signal: this.#abort.signal })
    this.#inlets.push(inlet)
    return inlet
  }
}

function demandProof({ udp, tcp, tls, allowBeyondLoopback = false }: SyslogOptions): void {
  const proved = tls?.clientCa === undefined ? tls : undefined
  for (const [name, at] of Object.entries({ UDP: udp, TCP: tcp, TLS: proved })) {
    if (at === undefined || allowBeyondLoopback || isLoopback(at.host)) continue
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `syslog over ${name} at ${at.host} would let whoever can reach it record; take it in at loopback, demand client ` +
        'certificates over TLS, or allow it in so many words',
    )
  }
}

function isLoopback(host: string): boolean {
  const version = isIP(host)
  if (version === 0) return /^(?:.+\.)?localhost\.?$/i.test(host)
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('::1', 'ipv6')
  return list.check(host, version === 6 ? 'ipv6' : 'ipv4')
}

// Of each kind of trouble an operator is told once in a while, and how often it came meanwhile.
function seldom(logger: SyslogOptions['logger']): (fields: object, message: string) => void {
  const told = new Map<string, { at: number; more: number }>()
  return (fields, message) => {
    const last = told.get(message)
    const now = performance.now()
    if (last !== undefined && now - last.at < syslogWarnMs) {
      last.more += 1
      return
    }
    told.set(message, { at: now, more: 0 })
    logger.warn(last === undefined || last.more === 0 ? fields : { ...fields, more: last.more }, message)
  }
}
