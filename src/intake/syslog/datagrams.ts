// Messages that come one a datagram. Nobody can be made to wait: what there is no room for is dropped and counted (I7).

import type { SyslogSource } from './event-of-message.ts'
import { type Flaw, frameOfDatagram } from './framing.ts'
import type { Inlet } from './inlet.ts'

/** Takes datagrams. */
export class Datagrams {
  readonly #inlet: Inlet
  #received = 0

  constructor(inlet: Inlet) {
    this.#inlet = inlet
  }

  /** How many have come. */
  get received(): number {
    return this.#received
  }

  /** Takes one. */
  take(bytes: Buffer, source: SyslogSource, flaw?: Flaw): void {
    this.#received += 1
    if (this.#inlet.isFull) this.#inlet.lose(source.by, 'queue-full')
    else this.#inlet.take(frameOfDatagram(bytes, flaw), source)
  }
}
