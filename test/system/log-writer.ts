// A program that writes numbered lines into a log file and rotates it as programs and logrotate do: by renaming, while
// its descriptor is still open, or by copying and truncating. It writes in pieces that end anywhere in a line.

import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  fsyncSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs'

/** Writes into one file. */
export class LogWriter {
  readonly #path: string
  readonly #random: () => number
  #fd: number
  #rest = ''
  /** Lines begun so far: the number of the next one. */
  count = 0
  rotations = 0

  constructor(path: string, random: () => number) {
    this.#path = path
    this.#random = random
    this.#fd = openSync(path, 'a')
  }

  /** Writes some lines, and a part of one more. */
  write(lines: number): void {
    let text = this.#rest
    for (let k = 0; k < lines; k++) text += lineOf(this.count++)
    const end = Math.floor(text.length - this.#random() * 60)
    writeSync(this.#fd, text.slice(0, end))
    this.#rest = text.slice(end)
  }

  /** Ends the line that it has begun. */
  flush(): void {
    writeSync(this.#fd, this.#rest)
    this.#rest = ''
  }

  /** Begins anew, as after a restart; the file is appended to. */
  restart(): void {
    this.flush()
    closeSync(this.#fd)
    this.#fd = openSync(this.#path, 'a')
  }

  /** Renames the file, writes on into it for a little, and begins a new one. The older ones move up: 1, 2, 3, …. */
  rotate(): void {
    this.#moveUp()
    renameSync(this.#path, `${this.#path}.1`)
    this.write(3)
    this.restart()
    this.rotations += 1
  }

  /** Copies the file and truncates it. The older copies move up. */
  copyAndTruncate(): void {
    this.flush()
    fsyncSync(this.#fd)
    this.#moveUp()
    copyFileSync(this.#path, `${this.#path}.1`)
    ftruncateSync(this.#fd, 0)
    this.rotations += 1
  }

  #moveUp(): void {
    for (let k = this.rotations; k > 0; k--)
      if (existsSync(`${this.#path}.${k}`)) renameSync(`${this.#path}.${k}`, `${this.#path}.${k + 1}`)
  }

  close(): void {
    this.flush()
    closeSync(this.#fd)
  }
}

/** The line of that number. */
export function lineOf(number: number): string {
  const time = new Date(Date.UTC(2026, 0, 1) + number).toISOString()
  return `${time} host app[7]: [App|TEST|7001|writer] number ${number}\n`
}
