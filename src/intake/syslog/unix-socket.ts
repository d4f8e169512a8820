// Syslog over a unix datagram socket, such as `logger -u`, syslog(3) and rsyslog's omuxsock write to. Who can write to
// the file may record.

import { chmod, lstat, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { AnnalsError } from '../../errors.ts'
import { socketPathBytes, syslogUnixBytes } from '../../limits.ts'
import { Datagrams } from './datagrams.ts'
import type { SyslogSource } from './event-of-message.ts'
import type { Inlet } from './inlet.ts'
import type { Listening } from './listening.ts'
import { bindUnixDatagram, type UnixDatagramHandlers, type UnixDatagramSocket } from './unix-datagram.ts'

/** What a listener at a socket needs. */
export interface UnixSocketParts {
  readonly path: string
  /** Who may write to it: permissions of the file. */
  readonly mode: number
  readonly hostName: string
  readonly inlet: Inlet
  readonly warn: (fields: object, message: string) => void
}

/**
 * Listens. A socket that nobody listens at any more is replaced. Throws INVALID_CONFIGURATION where something else
 * stands there, somebody listens, or it cannot be made.
 */
export async function openUnixSocket(parts: UnixSocketParts): Promise<Omit<Listening, 'address'>> {
  const { path, mode, inlet, warn } = parts
  if (Buffer.byteLength(path) > socketPathBytes)
    throw cannot(path, `its path is longer than ${socketPathBytes} bytes`)
  await clear(path)
  const datagrams = new Datagrams(inlet)
  const source: SyslogSource = { by: '*local', hostName: parts.hostName }
  const handlers: UnixDatagramHandlers = {
    datagram: (bytes) =>
      datagrams.take(bytes, source, bytes.length >= syslogUnixBytes ? 'truncated' : undefined),
    error: (err) => warn({ err }, 'the syslog socket failed, and is not read any more'),
  }
  try {
    const socket = await bindUnixDatagram(path, handlers)
    await chmod(path, mode)
    return new UnixSocket(path, socket, datagrams)
  } catch (error) {
    // The system's own message does not say what it is about.
    throw error instanceof AnnalsError ? error : cannot(path, reasonOf(error), error)
  }
}

class UnixSocket implements Omit<Listening, 'address'> {
  readonly #path: string
  readonly #socket: UnixDatagramSocket
  readonly #datagrams: Datagrams
  #removing: Promise<void> = Promise.resolve()

  constructor(path: string, socket: UnixDatagramSocket, datagrams: Datagrams) {
    this.#path = path
    this.#socket = socket
    this.#datagrams = datagrams
  }

  get received(): number {
    return this.#datagrams.received
  }

  // Without the file nobody finds the socket any more.
  stopAccepting(): void {
    this.#removing = rm(this.#path, { force: true })
  }

  async close(): Promise<void> {
    await this.#removing
    this.#socket.close()
  }
}

async function clear(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return
  if (!found.isSocket()) throw cannot(path, 'there is something else, which is no socket')
  if (await isLive(path)) throw cannot(path, 'another program listens at it')
  await rm(path, { force: true })
}

// A stream cannot be connected to a datagram socket; how it is refused tells whether anybody is there.
async function isLive(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.once('connect', () => resolve(true))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  const isLive = await promise
  socket.destroy()
  return isLive
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function cannot(path: string, why: string, cause?: unknown): AnnalsError {
  return new AnnalsError(
    'INVALID_CONFIGURATION',
    `syslog cannot be taken in at the socket ${path} (--syslog-socket): ${why}`,
    { cause },
  )
}
