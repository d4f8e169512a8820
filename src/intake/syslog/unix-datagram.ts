// A unix datagram socket, which Node itself has none of: the only file that knows of the package that does. What it reads
// it cuts at `limits.syslogUnixBytes`, in silence.

import { AnnalsError } from '../../errors.ts'
import { syslogReceiveBytes } from '../../limits.ts'

/** An open socket. */
export interface UnixDatagramSocket {
  close(): void
}

/** What is called for each datagram, and for what goes wrong. */
export interface UnixDatagramHandlers {
  readonly datagram: (bytes: Buffer) => void
  readonly error: (error: Error) => void
}

/**
 * Binds a socket to a path that nothing stands at. Throws INVALID_CONFIGURATION where this platform has no such sockets,
 * and what binding throws.
 */
export async function bindUnixDatagram(
  path: string,
  handlers: UnixDatagramHandlers,
): Promise<UnixDatagramSocket> {
  const { DgramSocket } = await load()
  const socket = new DgramSocket()
  try {
    socket.on('data', handlers.datagram)
    socket.on('error', handlers.error)
    socket.bind(path)
    socket.setRecvBufferSize(syslogReceiveBytes)
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

// Loaded only where it is needed: it is a binary for each platform.
async function load(): Promise<typeof import('node-unix-socket')> {
  try {
    return await import('node-unix-socket')
  } catch (cause) {
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `there are no unix datagram sockets for ${process.platform} on ${process.arch}: take syslog in over UDP or TCP at ` +
        'loopback instead of a socket',
      { cause },
    )
  }
}
