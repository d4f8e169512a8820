// Messages that come one a datagram. Nobody can be made to wait: what there is no room for is dropped and counted (I7).
// Those that come in one turn of the event loop go into the log together.

import type { AuditEvent } from '../../entry/event.ts'
import type { SyslogSource } from './event-of-message.ts'
import { type Flaw, frameOfDatagram } from './framing.ts'
import type { Inlet } from './inlet.ts'

/** Gathers datagrams. */
export class Datagrams {
  readonly #inlet: Inlet
  #events: AuditEvent[] = []
  #bytes = 0
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
    if (this.#inlet.isFull) return this.#inlet.lose(source.by, 'queue-full')
    if (flaw !== undefined) this.#inlet.lose(source.by, flaw)
    const event = this.#inlet.eventOf(frameOfDatagram(bytes, flaw), source)
    if (event === undefined) return
    if (this.#events.length === 0) setImmediate(() => this.flush())
    this.#events.push(event)
    this.#bytes += bytes.length
  }

  /** Hands over what has been gathered. */
  flush(): void {
    const [events, bytes] = [this.#events, this.#bytes]
    this.#events = []
    this.#bytes = 0
    this.#inlet.enter(events, bytes)
  }
}
