// Chance that is always the same: what follows from a seed and a label. Every stretch of the demo's activity draws
// from a label of its own, so that a change to one leaves the others as they were.

import { createHash } from 'node:crypto'

/** A source of chance. Each call draws the next value. */
export interface Chance {
  /** A whole number of the half-open range `from` to `to`. */
  between(from: number, to: number): number
  /** True in so many of all cases. */
  happens(share: number): boolean
  /** One of `choices`, which has at least one. */
  pick<T>(choices: readonly T[]): T
  /** So many hexadecimal digits. */
  hex(digits: number): string
}

/** The chance of a seed and a label: the same two always draw the same values. */
export function chanceOf(seed: number, ...label: readonly (string | number)[]): Chance {
  const digest = createHash('sha256').update(JSON.stringify([seed, ...label]))
  let state = digest.digest().readUInt32LE(0)
  // Mulberry32: 32 bits of state, and good enough for what only has to look like chance.
  const share = () => {
    state = (state + 0x6d2b79f5) | 0
    let n = Math.imul(state ^ (state >>> 15), state | 1)
    n ^= n + Math.imul(n ^ (n >>> 7), n | 61)
    return ((n ^ (n >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number) => from + Math.floor(share() * (to - from))
  return {
    between,
    happens: (of) => share() < of,
    pick: <T>(choices: readonly T[]): T => {
      const choice = choices[between(0, choices.length)]
      if (choice === undefined) throw new TypeError('there is nothing to pick from')
      return choice
    },
    hex: (digits) => Array.from({ length: digits }, () => between(0, 16).toString(16)).join(''),
  }
}
