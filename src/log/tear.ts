// Tells a torn batch from other damage. Only the last batch may be torn, in any of its pages; all entries of one
// batch share one time, and no other batch has it. So wherever what follows the first bad line still claims two
// different times, an earlier batch, which had been acknowledged, is damaged.

import type { Micros } from '../entry/event.ts'
import { parseStoredTime } from '../entry/time.ts'
import { batchBytes } from '../limits.ts'
import type { SegmentReader } from '../store/segment-store.ts'

/** True where `[from, to)`, which begins with a bad line, can be what a crash left of one batch. */
export async function isTornBatch(reader: SegmentReader, from: number, to: number): Promise<boolean> {
  if (to - from > batchBytes) return false
  const bytes = Buffer.alloc(to - from)
  for (let done = 0; done < bytes.length;) {
    const read = await reader.read(bytes.subarray(done), from + done)
    if (read === 0) break
    done += read
  }
  return claimedTimes(bytes).size <= 1
}

// The times of all lines that still begin as lines of a log do, whatever follows in them.
function claimedTimes(bytes: Buffer): Set<Micros> {
  const times = new Set<Micros>()
  for (const line of bytes.toString('latin1').split('\n')) {
    const stamp = /^<[0-9]{1,3}>1 (\S{27}) /.exec(line)?.[1]
    const time = stamp === undefined ? undefined : parseStoredTime(stamp)
    if (time !== undefined) times.add(time)
  }
  return times
}
