// Where a log lies that somebody gives by its directory: a data directory, the log's own, or a copy of its text.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Position } from '../../entry/event.ts'
import { AnnalsError } from '../../errors.ts'
import { noteKeysOf, readDescription } from '../../log/description.ts'
import { dataLayout } from '../../log/layout.ts'
import { absent, realDisk } from '../../store/disk.ts'
import { readWhole } from '../../store/durable-file.ts'
import type { NoteKey } from '../../tree/note-key.ts'

/** A file with lines of the log. */
export interface SegmentFile {
  readonly path: string
  /** The position of its first entry, as its name says. */
  readonly first: Position
  readonly bytes: number
}

/** What lies there. */
export interface LogDirectory {
  readonly segments: readonly SegmentFile[]
  /** The log's keys, as they lie beside it; none where there is no description of it. */
  readonly keys: readonly NoteKey[]
  /** Its checkpoint, as it lies beside it. */
  readonly checkpoint: string | undefined
}

/** Finds a log, and changes nothing. Throws INVALID_INPUT where there is none. */
export async function findLog(directory: string): Promise<LogDirectory> {
  for (const base of [dataLayout(directory).log, directory]) {
    for (const place of [join(base, 'segments'), base]) {
      const segments = await segmentsIn(place)
      if (segments.length > 0) return { segments, ...(await readBeside(base)) }
    }
  }
  throw new AnnalsError(
    'INVALID_INPUT',
    `there is no log in ${directory}: expected a data directory, its "log", or files such as ${nameOf(0)}`,
  )
}

async function readBeside(base: string): Promise<Pick<LogDirectory, 'keys' | 'checkpoint'>> {
  const description = await readDescription(realDisk, base)
  const head = await readWhole(realDisk, join(base, 'head'))
  return {
    keys: description === undefined ? [] : noteKeysOf(description),
    checkpoint: head?.toString(),
  }
}

async function segmentsIn(place: string): Promise<SegmentFile[]> {
  const names = await readdir(place).catch(absent<string[]>([]))
  const segments: SegmentFile[] = []
  for (const name of names.sort()) {
    const first = Number(/^(\d{20})\.log$/.exec(name)?.[1])
    if (!Number.isSafeInteger(first)) continue
    const path = join(place, name)
    segments.push({ path, first, bytes: (await stat(path)).size })
  }
  return segments
}

function nameOf(first: Position): string {
  return `${String(first).padStart(20, '0')}.log`
}
