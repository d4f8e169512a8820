// Counts what arrives in a file, or in a directory whose files are filled one after the other: how many times a mark
// stands in it. Every byte is read once, however often it is asked.

import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Counts a mark in a file, or in the files of a directory that end with `.log`, in the order of their names. */
export class LineCounter {
  readonly #path: string
  readonly #mark: Buffer
  readonly #places = new Map<string, { offset: number; rest: Buffer }>()
  #count = 0

  constructor(path: string, mark: string) {
    this.#path = path
    this.#mark = Buffer.from(mark)
  }

  /** How many there are by now. */
  look(): number {
    for (const file of filesOf(this.#path)) this.#readOn(file)
    return this.#count
  }

  /** Waits until there are `count`. Throws where nothing more comes for a long time. */
  async until(count: number): Promise<void> {
    let [seen, since] = [this.look(), Date.now()]
    while (seen < count) {
      await sleep(lookMs)
      const now = this.look()
      if (now > seen) since = Date.now()
      if (Date.now() - since > patienceMs) throw new Error(`${now} of ${count} have arrived`)
      seen = now
    }
    if (seen > count) throw new Error(`${seen} have arrived, and not ${count}`)
  }

  #readOn(file: string): void {
    const place = this.#places.get(file) ?? { offset: 0, rest: Buffer.alloc(0) }
    this.#places.set(file, place)
    if (statSync(file).size === place.offset) return
    const fd = openSync(file, 'r')
    try {
      for (;;) {
        const read = readSync(fd, buffer, place.rest.length, buffer.length - place.rest.length, place.offset)
        if (read === 0) return
        place.rest.copy(buffer)
        this.#countIn(buffer.subarray(0, place.rest.length + read), place)
        place.offset += read
      }
    } finally {
      closeSync(fd)
    }
  }

  // What may be the beginning of a mark is kept for the bytes that follow.
  #countIn(bytes: Buffer, place: { rest: Buffer }): void {
    let end = 0
    for (let at = bytes.indexOf(this.#mark); at !== -1; at = bytes.indexOf(this.#mark, end)) {
      this.#count += 1
      end = at + this.#mark.length
    }
    place.rest = Buffer.from(bytes.subarray(Math.max(end, bytes.length - this.#mark.length + 1)))
  }
}

const lookMs = 10
const patienceMs = 30_000
const buffer = Buffer.alloc(1024 * 1024)

function filesOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  if (!found.isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(path, name))
}
