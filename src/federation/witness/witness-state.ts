// What a witness has seen, at rest in `DATA/witness/`: of each log the latest checkpoint that it cosigned, with the log's
// signatures and its own. It is replaced as a whole and durable before anybody is answered. It is in no database, and in
// no backup: what is restored would be older than what was promised.
//
//   logs/<SHA-256 of the origin>     a signed checkpoint
//   evidence/<name>.seen, .shown     two checkpoints of one log of which only one can be true

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import { witnessEvidence } from '../../limits.ts'
import type { Disk } from '../../store/disk.ts'
import { readWhole, replaceFile } from '../../store/durable-file.ts'
import { bytesOfHash } from '../../tree/hash.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../../tree/signed-checkpoint.ts'

/** What was seen last of a log. */
export interface SeenCheckpoint extends SignedCheckpoint {
  readonly note: string
}

/** Two checkpoints of one log of which only one can be true. */
export interface Contradiction {
  readonly seen: SeenCheckpoint
  readonly shown: SeenCheckpoint
}

/** Under which name a log is asked for at a witness (C2SP tlog-witness, "Monitor Retrieval Mechanism"). */
export function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex')
}

/** See the head of this file. Callers take turns for each origin. */
export class WitnessState {
  readonly #disk: Disk
  readonly #logs: string
  readonly #evidence: string

  /** `directory` is `DATA/witness`. */
  static async open(disk: Disk, directory: string): Promise<WitnessState> {
    const state = new WitnessState(disk, directory)
    await disk.makeDirectory(state.#logs)
    await disk.makeDirectory(state.#evidence)
    return state
  }

  private constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#logs = join(directory, 'logs')
    this.#evidence = join(directory, 'evidence')
  }

  /**
   * What was cosigned last of a log; undefined where nothing was. Throws STORAGE_FAILED where what stands there is not what
   * was written: a state that is damaged is not one that begins.
   */
  async seen(hash: string): Promise<SeenCheckpoint | undefined> {
    const bytes = await readWhole(this.#disk, join(this.#logs, hash))
    if (bytes === undefined) return undefined
    const seen = seenOf(bytes.toString())
    if (seen !== undefined && originHash(seen.origin) === hash) return seen
    throw new AnnalsError('STORAGE_FAILED', 'what this witness has seen of the log is not readable', {
      detail: `witness/logs/${hash} is not a checkpoint of that log`,
    })
  }

  /** Keeps what is cosigned now. Durable when it returns: only then may the cosignature be shown. */
  async keep({ origin, note }: SeenCheckpoint): Promise<void> {
    // A crash leaves the checkpoint before or this one: nobody has been told of it yet.
    await replaceFile(this.#disk, join(this.#logs, originHash(origin)), Buffer.from(note))
  }

  /**
   * Keeps both checkpoints of a contradiction. Returns the name under which they are, undefined where they were already, or
   * where there are too many.
   */
  async keepEvidence({ seen, shown }: Contradiction): Promise<string | undefined> {
    const root = bytesOfHash(shown.root).toString('hex').slice(0, 16)
    const name = `${originHash(shown.origin).slice(0, 16)}-${shown.size}-${root}`
    const names = await this.#disk.list(this.#evidence)
    if (names.includes(name + shownSuffix) || names.length >= 2 * witnessEvidence) return undefined
    // What was shown comes last: it is what counts as evidence, and then it is whole.
    await replaceFile(this.#disk, join(this.#evidence, name + seenSuffix), Buffer.from(seen.note))
    await replaceFile(this.#disk, join(this.#evidence, name + shownSuffix), Buffer.from(shown.note))
    return name
  }

  /** All evidence, by its name, with the origin of the log that it is about. An operator who has dealt with it moves it away. */
  async evidence(): Promise<{ readonly name: string; readonly origin: string }[]> {
    const found = []
    for (const file of (await this.#disk.list(this.#evidence)).sort()) {
      if (!file.endsWith(shownSuffix)) continue
      const note = await readWhole(this.#disk, join(this.#evidence, file))
      const [origin = ''] = (note?.toString() ?? '').split('\n', 1)
      found.push({ name: file.slice(0, -shownSuffix.length), origin })
    }
    return found
  }
}

const seenSuffix = '.seen'
const shownSuffix = '.shown'

/** Reads a note as what was seen; undefined where it is no checkpoint. */
export function seenOf(note: string): SeenCheckpoint | undefined {
  const checkpoint = parseSignedCheckpoint(note)
  return checkpoint && { ...checkpoint, note }
}
