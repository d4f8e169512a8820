// Reads what has come in a file, records its lines, and only then changes the place. A crash in between reads them again
// (I4). What has come is read together with the bytes before it: where those are not what they were, the file has begun
// again, whatever its size says.

import type { FileHandle } from 'node:fs/promises'
import type { AuditEvent } from '../../entry/event.ts'
import { followMarkBytes, followWindowLines } from '../../limits.ts'
import type { Intake } from '../intake.ts'
import { type Cut, cutLines } from './cut-lines.ts'
import { eventOfFollowed, eventOfPiece, type LineSource } from './event-of-followed.ts'
import { lineId, markOf, type Place } from './place.ts'
import type { Places } from './places.ts'
import type { Recognised } from './recognise.ts'

/** What reading needs. */
export interface ReaderParts {
  readonly intake: Pick<Intake, 'deliverAll'>
  readonly places: Places
  readonly clock: { wallMicros(): number }
  /** Aborts when nothing more is to be read. */
  readonly stopping: AbortSignal
  /** Aborts when what is read is not waited for any more. */
  readonly aborted: AbortSignal
}

/** What a look found. */
export interface Look {
  /** How many bytes were there behind the place. */
  readonly bytes: number
  /** True where there were no more than those. */
  readonly isWhole: boolean
}

const none = Buffer.alloc(0)

/** Reads one file. */
export class LineReader {
  readonly #parts: ReaderParts
  readonly #place: Place
  readonly #source: LineSource
  // The bytes before the place, and the first ones.
  #before: Buffer = none
  #beginning: Buffer = none
  #isInHole = false

  constructor(parts: ReaderParts, place: Place, source: LineSource) {
    this.#parts = parts
    this.#place = place
    this.#source = source
  }

  /** Says by which bytes the file was known again; undefined where it begins again. */
  begin(known: Recognised | undefined): void {
    this.#before = known?.before ?? none
    this.#beginning = known?.beginning ?? none
    this.#isInHole = false
  }

  /**
   * Reads into `buffer`, and records the lines that are there as a whole; with `isComplete` also a last one without a
   * newline. Undefined where the file has begun again.
   */
  async read(handle: FileHandle, buffer: Buffer, isComplete: boolean): Promise<Look | undefined> {
    const place = this.#place
    const marked = this.#before.length
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, place.offset - marked)
    if (bytesRead < marked || !buffer.subarray(0, marked).equals(this.#before)) return undefined
    const bytes = bytesRead - marked
    const isWhole = bytesRead < buffer.length
    const size = place.offset + bytes
    if (size > place.size) {
      place.size = size
      this.#parts.places.changed(0)
    }
    await this.#record(buffer.subarray(0, bytesRead), marked, isComplete && isWhole)
    return { bytes, isWhole }
  }

  // `bytes` begin with those before the place.
  async #record(bytes: Buffer, marked: number, isComplete: boolean): Promise<void> {
    const place = this.#place
    const { places, intake, aborted, stopping } = this.#parts
    const base = place.offset - marked
    let from = this.#afterHole(bytes, marked)
    if (from > marked) this.#advance(bytes, base, from, 0, false)
    while (!stopping.aborted) {
      const cuts = cutLines(bytes, { from, isWithin: place.isWithin, isComplete, most: followWindowLines })
      const last = cuts.at(-1)
      if (last === undefined) return
      const events = this.#eventsOf(bytes, base, cuts)
      await places.demandRoom(aborted)
      await intake.deliverAll(events, aborted)
      this.#advance(bytes, base, last.next, cuts.length, last.isWithin)
      from = last.next
    }
  }

  #eventsOf(bytes: Buffer, base: number, cuts: ReturnType<typeof cutLines>): AuditEvent[] {
    const now = this.#parts.clock.wallMicros()
    const events: AuditEvent[] = []
    for (const cut of cuts) {
      const { start, end, isPiece } = cut
      const id = lineId(this.#place.id, base + start, bytes.subarray(start, end))
      const line = contentOf(bytes, cut, base)
      const event = isPiece
        ? eventOfPiece(line, id, this.#source)
        : eventOfFollowed(line, id, now, this.#source)
      if (event !== undefined) events.push(event)
    }
    return events
  }

  // Who writes on at his own place into a file that was truncated leaves a hole before it, which the system fills with
  // zeros. They were written by nobody.
  #afterHole(bytes: Buffer, from: number): number {
    const { restarts, offset } = this.#place
    if (restarts === 0 || !(offset === 0 || this.#isInHole)) return from
    let end = from
    while (end < bytes.length && bytes[end] === 0) end += 1
    this.#isInHole = end === bytes.length
    return end
  }

  // All that is kept of a place changes at once: it may be kept at any moment.
  #advance(bytes: Buffer, base: number, to: number, lines: number, isWithin: boolean): void {
    const place = this.#place
    const missing = followMarkBytes - this.#beginning.length
    if (missing > 0) {
      const from = this.#beginning.length - base
      const more = bytes.subarray(from, Math.min(to, from + missing))
      this.#beginning = Buffer.concat([this.#beginning, more])
      place.head = markOf(this.#beginning)
    }
    this.#before = Buffer.from(bytes.subarray(Math.max(0, to - followMarkBytes), to))
    place.tail = markOf(this.#before)
    place.offset = base + to
    place.isWithin = isWithin
    place.isSettled = false
    place.lines += lines
    this.#parts.places.changed(lines)
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])
const carriageReturn = 0x0d

// What a line says: neither the mark at the head of the file, nor the other half of its newline.
function contentOf(bytes: Buffer, { start, end, next }: Cut, base: number): Buffer {
  const isMarked = base + start === 0 && bytes.subarray(start, start + 3).equals(byteOrderMark)
  const from = isMarked ? start + 3 : start
  const hasReturn = next > end && end > from && bytes[end - 1] === carriageReturn
  return bytes.subarray(from, hasReturn ? end - 1 : end)
}
