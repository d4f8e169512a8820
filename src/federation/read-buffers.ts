// Memory for what comes from engines, shared by all connections of a portal: it does not grow with their number (R7).

import { engineHeldBytes, engineReadBytes, idleHeldBuffers } from '../limits.ts'

/** See the head of this file. */
export class ReadBuffers {
  /** What the system reads into. Whoever is told of bytes in it takes them before anything else happens. */
  readonly common = Buffer.allocUnsafeSlow(engineReadBytes)
  readonly #free: Buffer[] = []

  /** A buffer for what is not wanted yet. */
  lend(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(engineHeldBytes)
  }

  /** Takes back a buffer that nobody looks into any more. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < idleHeldBuffers) this.#free.push(buffer)
  }
}
