// Ids of events: UUIDs of version 7 (RFC 9562 section 5.7), in order of their making. The server tells by the id that an
// event came before, so an event keeps its id for as long as it is tried.

import { randomBytes } from 'node:crypto'

/** Makes ids, each greater than the one before: twelve bits of the version's randomness count within a millisecond. */
export function uuidMaker(
  now: () => number = Date.now,
  random: (bytes: number) => Buffer = randomBytes,
): () => string {
  let [time, count, prefix] = [0, 0, '']
  let [pool, taken] = ['', 0]
  const turn = (next: number): void => {
    time = next
    count = 0
    const hex = time.toString(16).padStart(12, '0')
    prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`
  }
  return () => {
    const at = now()
    if (at > time) turn(at)
    else if (++count > 0xfff) turn(time + 1)
    if (taken === pool.length) [pool, taken] = [random(4096).toString('hex'), 0]
    const bits = pool.slice(taken, (taken += 16))
    const variant = '89ab'[Number.parseInt(bits.charAt(0), 16) & 3]
    const counted = count.toString(16).padStart(3, '0')
    return `${prefix}${counted}-${variant}${bits.slice(1, 4)}-${bits.slice(4)}`
  }
}
