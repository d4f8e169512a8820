// Ids for events that come without one: UUIDs of version 4 (RFC 9562 section 5.4), as `crypto.randomUUID` makes them. That
// one puts each together from twenty pieces, which the text stays for as long as it lives: half a kilobyte an event.

import { randomFillSync } from 'node:crypto'

const idBytes = 16
const hexadecimal = Buffer.from('0123456789abcdef', 'latin1')
const dash = 0x2d
/** Behind which of the bytes a dash stands. */
const dashes: ReadonlySet<number> = new Set([3, 5, 7, 9])

/** Makes such ids, with random bytes for many at a time. */
export class EventIds {
  readonly #fill: (bytes: Buffer) => void
  readonly #random = Buffer.alloc(256 * idBytes)
  readonly #text = Buffer.alloc(36)
  #at = this.#random.length

  /** `fill` fills a buffer with random bytes. */
  constructor(fill: (bytes: Buffer) => void = randomFillSync) {
    this.#fill = fill
  }

  /** The next one. */
  next(): string {
    if (this.#at === this.#random.length) {
      this.#fill(this.#random)
      this.#at = 0
    }
    let end = 0
    for (let k = 0; k < idBytes; k++) {
      const byte = versioned(this.#random[this.#at + k] ?? 0, k)
      this.#text[end] = hexadecimal[byte >> 4] ?? 0
      this.#text[end + 1] = hexadecimal[byte & 15] ?? 0
      end += 2
      if (dashes.has(k)) this.#text[end++] = dash
    }
    this.#at += idBytes
    return this.#text.toString('latin1')
  }
}

// The four bits of the version and the two of the variant.
function versioned(byte: number, k: number): number {
  if (k === 6) return (byte & 0x0f) | 0x40
  return k === 8 ? (byte & 0x3f) | 0x80 : byte
}
