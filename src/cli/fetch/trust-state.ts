// What a client has seen of each log, kept from one fetch to the next: its keys and its latest checkpoint. Whoever shows it
// another history of the log later, or other keys, is found out.

import { dirname } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import { realDisk } from '../../store/disk.ts'
import { readWhole, replaceFile } from '../../store/durable-file.ts'
import { formatVkey, type NoteKey, parseVkey } from '../../tree/note-key.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../../tree/signed-checkpoint.ts'
import { parseJson } from './answer-text.ts'

/** What was seen of a log. */
export interface SeenLog {
  readonly keys: readonly NoteKey[]
  /** The signed checkpoint, as it stands there. */
  readonly note: string
}

/** By origin. */
export type SeenLogs = ReadonlyMap<string, SeenLog>

const format = 'annals seen logs v1'

/** Reads the file; nothing was seen where there is none. Throws INVALID_INPUT where it is no such file. */
export async function readSeen(file: string): Promise<SeenLogs> {
  const bytes = await readWhole(realDisk, file)
  if (bytes === undefined) return new Map()
  const seen = parse(bytes.toString())
  if (seen !== undefined) return seen
  throw new AnnalsError('INVALID_INPUT', `--state: ${file} is not what annals fetch has kept there`)
}

/** Replaces the file. */
export async function writeSeen(file: string, seen: SeenLogs): Promise<void> {
  const logs = Object.fromEntries(
    [...seen].map(([origin, { keys, note }]) => [origin, { keys: keys.map(formatVkey), checkpoint: note }]),
  )
  await realDisk.makeDirectory(dirname(file))
  await replaceFile(realDisk, file, Buffer.from(`${JSON.stringify({ format, logs }, undefined, 2)}\n`))
}

/** The checkpoint that was seen last. */
export function lastCheckpoint({ note }: SeenLog): SignedCheckpoint {
  const checkpoint = parseSignedCheckpoint(note)
  if (checkpoint === undefined) throw new TypeError('a checkpoint that was read before is none any more')
  return checkpoint
}

function parse(text: string): SeenLogs | undefined {
  const value = parseJson(text) as { readonly format?: unknown; readonly logs?: unknown } | null | undefined
  if (value?.format !== format || typeof value.logs !== 'object' || value.logs === null) return undefined
  const seen = new Map<string, SeenLog>()
  for (const [origin, log] of Object.entries(value.logs)) {
    const one = parseLog(origin, log)
    if (one === undefined) return undefined
    seen.set(origin, one)
  }
  return seen
}

function parseLog(origin: string, value: unknown): SeenLog | undefined {
  const { keys, checkpoint } = (value ?? {}) as { readonly keys?: unknown; readonly checkpoint?: unknown }
  if (!Array.isArray(keys) || keys.length === 0 || typeof checkpoint !== 'string') return undefined
  const parsed = keys.map((key) => (typeof key === 'string' ? parseVkey(key) : undefined))
  const isOwn = parsed.every((key) => key?.name === origin)
  if (!isOwn || parseSignedCheckpoint(checkpoint)?.origin !== origin) return undefined
  return { keys: parsed.filter((key) => key !== undefined), note: checkpoint }
}
