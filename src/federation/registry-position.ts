// Where in the portal's log the last change of its engines stands, at rest in `DATA/registry-position`: an answer about all
// engines names it, so that whoever has the portal's log knows which engines there have to be in the answer.

import { join } from 'node:path'
import type { Recorder } from '../database/outbox.ts'
import type { AuditEvent, Position } from '../entry/event.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'

/** See the head of this file. */
export class RegistryPosition {
  readonly #disk: Disk
  readonly #file: string

  constructor(disk: Disk, data: string) {
    this.#disk = disk
    this.#file = join(data, 'registry-position')
  }

  /**
   * A recorder for the outbox that keeps the position of each such change before the outbox lets go of it: after a crash in
   * between the event comes again, and leads to the same position (I4).
   */
  noting(record: (event: AuditEvent) => Promise<{ readonly position: Position }>): Recorder {
    return async (event) => {
      const { position } = await record(event)
      if (isChange(event)) await replaceFile(this.#disk, this.#file, Buffer.from(`${position}\n`))
    }
  }

  /** Undefined where no change was noted. */
  async read(): Promise<Position | undefined> {
    const bytes = await readWhole(this.#disk, this.#file)
    const [, position] = /^(\d{1,15})\n$/.exec(bytes?.toString() ?? '') ?? []
    return position === undefined ? undefined : Number(position)
  }
}

// An engine was added, removed, connected or disconnected.
function isChange({ via, code }: AuditEvent): boolean {
  return via === 'self' && /^2070[1-4]$/.test(code)
}
