// What has been recorded lately, so that an event is recorded at most once (I4): a fingerprint of 8 bytes and a
// position for each of at least the last 2^20 entries, in bounded memory. A hit is only a candidate: the caller
// confirms it by reading the line.
//
// Three generations of half the horizon each: the youngest takes new entries until it is full, then they all grow
// older, and the oldest is forgotten. So nothing is ever removed one by one.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type { Draft, Micros, Position } from '../entry/event.ts'
import { timeLength } from '../entry/time.ts'
import { horizonEntries } from '../limits.ts'

/** The first 8 bytes of a SHA-256, as 8 characters. */
export type Fingerprint = string & { readonly __brand: 'Fingerprint' }

/** The length of a fingerprint. */
export const fingerprintBytes = 8

/** What an event's identity is made of: `" id="…" via="…" by="…"`, as it stands in the line. */
export function identityOf({ stamp }: Pick<Draft, 'stamp'>): string {
  const end = stamp.length - occurredLength
  return stamp.startsWith(occurredStart, end) ? stamp.slice(0, end) : stamp
}

// The only thing that can stand behind it. In a value a quote is escaped, so that none can look like it.
const occurredStart = ' occurred="'
const occurredLength = occurredStart.length + timeLength + 1

/** The fingerprint of an identity, given as text or as the line's bytes. */
export function fingerprintOf(identity: string | Uint8Array): Fingerprint {
  return hash('sha256', identity, 'binary').slice(0, fingerprintBytes) as Fingerprint
}

/** Remembers at least the last 2^20 entries. */
export class Horizon {
  readonly #capacity: number
  /** The youngest first; there are three at the most. */
  readonly #generations: Generation[]

  constructor(capacity = horizonEntries) {
    this.#capacity = Math.ceil(capacity / 2)
    this.#generations = [new Generation(this.#capacity)]
  }

  /** The position of the first entry that is remembered, and its time or a later one; undefined while nothing was forgotten. */
  get forgottenBefore(): { position: Position; time: Micros } | undefined {
    const first = this.#generations.at(-1)?.first
    return first === undefined || first.position === 0 ? undefined : first
  }

  /** Remembers the next entry. */
  add(fingerprint: Fingerprint, position: Position, time: Micros): void {
    this.#add(wordOf(fingerprint, 0), wordOf(fingerprint, 4), position, time)
  }

  /** Remembers a run of entries: their fingerprints one behind the other, and times that theirs do not lie behind. */
  addRun(
    fingerprints: Buffer,
    first: Position,
    times: { readonly first: Micros; readonly last: Micros },
  ): void {
    for (let at = 0; at < fingerprints.length; at += fingerprintBytes) {
      const position = first + at / fingerprintBytes
      // A time that is too late only has more ids looked at more closely (I4).
      const time = at === 0 ? times.first : times.last
      this.#add(fingerprints.readUInt32BE(at), fingerprints.readUInt32BE(at + 4), position, time)
    }
  }

  #add(high: number, low: number, position: Position, time: Micros): void {
    let [young] = this.#generations
    assert(young !== undefined)
    if (young.count === this.#capacity) {
      // The memory of the generation that is forgotten is used again.
      const forgotten = this.#generations.length === 3 ? this.#generations.pop() : undefined
      young = forgotten?.clear() ?? new Generation(this.#capacity)
      this.#generations.unshift(young)
    }
    young.add(high, low, position, time)
  }

  /** Where an event of that fingerprint may have been recorded, latest generation first. */
  candidates(fingerprint: Fingerprint): readonly Position[] {
    const high = wordOf(fingerprint, 0)
    const low = wordOf(fingerprint, 4)
    let all = none
    for (const generation of this.#generations) {
      const found = generation.find(high, low)
      if (found !== none) all = [...all, ...found]
    }
    return all
  }
}

// Almost every look-up ends here: nothing is made for it.
const none: readonly Position[] = []

// A hash table with open addressing, three quarters full at the most. A slot is two words: half of a fingerprint, and
// behind 12 bits of the other half 20 bits with 1 + the position's distance from the generation's first; 0 is an empty
// slot. The 20 bits that are left out are nothing to miss: a hit is confirmed by reading the line.
const distanceBits = 20
const distanceMask = 2 ** distanceBits - 1

class Generation {
  readonly #slots: number
  readonly #high: Uint32Array
  readonly #rest: Uint32Array
  count = 0
  first: { position: Position; time: Micros } | undefined

  constructor(capacity: number) {
    this.#slots = Math.ceil((capacity * 4) / 3) + 1
    this.#high = new Uint32Array(this.#slots)
    this.#rest = new Uint32Array(this.#slots)
  }

  clear(): this {
    this.#rest.fill(0)
    this.count = 0
    this.first = undefined
    return this
  }

  add(high: number, low: number, position: Position, time: Micros): void {
    this.first ??= { position, time }
    const distance = position - this.first.position + 1
    assert(distance > 0 && distance <= distanceMask && this.count < this.#slots - 1)
    let slot = this.#slotOf(high)
    while (this.#rest[slot] !== 0) slot = slot + 1 === this.#slots ? 0 : slot + 1
    this.#high[slot] = high
    this.#rest[slot] = ((low & ~distanceMask) | distance) >>> 0
    this.count += 1
  }

  find(high: number, low: number): readonly Position[] {
    if (this.first === undefined) return none
    const lowBits = (low & ~distanceMask) >>> 0
    let found: Position[] | undefined
    for (let slot = this.#slotOf(high); ; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      const rest = this.#rest[slot]
      if (rest === undefined || rest === 0) return found ?? none
      if (this.#high[slot] === high && (rest & ~distanceMask) >>> 0 === lowBits) {
        found ??= []
        found.push(this.first.position + (rest & distanceMask) - 1)
      }
    }
  }

  #slotOf(high: number): number {
    return Math.floor((high / 2 ** 32) * this.#slots)
  }
}

function wordOf(fingerprint: Fingerprint, at: number): number {
  return (
    ((fingerprint.charCodeAt(at) << 24) |
      (fingerprint.charCodeAt(at + 1) << 16) |
      (fingerprint.charCodeAt(at + 2) << 8) |
      fingerprint.charCodeAt(at + 3)) >>>
    0
  )
}
