// What witnesses have said of a log: its latest checkpoint that was cosigned, with all the cosignatures that it got, at rest
// beside the head. Cosignatures come after the checkpoint, and one by one.

import { once } from 'node:events'
import { AnnalsError } from '../errors.ts'
import { witnessedWaitMs } from '../limits.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import { formatNote, mostSignatures, type NoteSignature } from '../tree/note.ts'
import type { NoteKey } from '../tree/note-key.ts'
import { parseSignedCheckpoint, type SignedCheckpoint, verifySignatures } from '../tree/signed-checkpoint.ts'
import type { SignedHead } from './head.ts'

/** What it is kept with. */
export interface WitnessedParts {
  readonly store: Pick<SegmentStore, 'getNote' | 'putNote'>
  readonly origin: string
  /** The log's own of the moment. */
  readonly keys: () => readonly NoteKey[]
  /** How long somebody waits for a cosignature. */
  readonly waitMs?: number
}

/** See the head of this file. */
export class Witnessed {
  readonly #parts: WitnessedParts
  #changed = Promise.withResolvers<void>()
  #isStopped = false
  #turn: Promise<unknown> = Promise.resolve()
  #latest: Kept | undefined

  /** Opens what is at rest. What is not readable, or not of this log, counts as nothing: witnesses say it again. */
  static async open(parts: WitnessedParts): Promise<Witnessed> {
    const note = await parts.store.getNote('witnessed')
    const witnessed = new Witnessed(parts)
    witnessed.#latest = note === undefined ? undefined : ownCheckpoint(note, parts)
    return witnessed
  }

  private constructor(parts: WitnessedParts) {
    this.#parts = parts
  }

  /** The latest checkpoint that was cosigned. */
  get latest(): SignedHead | undefined {
    return this.#latest
  }

  /** A checkpoint of the log's, with what it got of cosignatures. */
  complete(head: SignedHead): SignedHead {
    return this.#latest?.size === head.size ? this.#latest : head
  }

  /** See `AuditLog.cosigned`. Cosignatures of a checkpoint that is older than one that was kept are dropped. */
  async keep(note: string): Promise<void> {
    const turn = this.#turn.then(() => this.#keep(note))
    this.#turn = turn.catch(() => undefined)
    await turn
  }

  /** The latest cosigned checkpoint, once it is of at least `size` entries. Throws UNAVAILABLE where none comes in time. */
  async covering(size: number): Promise<SignedHead> {
    const deadline = AbortSignal.timeout(this.#parts.waitMs ?? witnessedWaitMs)
    for (;;) {
      const latest = this.#latest
      if (latest !== undefined && latest.size >= size) return latest
      if (deadline.aborted || this.#isStopped) throw unwitnessed()
      await Promise.race([this.#changed.promise, aborted(deadline)])
    }
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#isStopped = true
    this.#changed.resolve()
  }

  async #keep(note: string): Promise<void> {
    const told = ownCheckpoint(note, this.#parts)
    if (told === undefined) throw new RangeError('this is no checkpoint of this log')
    const latest = this.#latest
    if (latest !== undefined && told.size < latest.size) return
    const kept = latest?.size === told.size ? merged(latest, told) : told
    if (kept.note === latest?.note) return
    await this.#parts.store.putNote('witnessed', kept.note)
    this.#latest = kept
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}

interface Kept extends SignedHead {
  readonly checkpoint: SignedCheckpoint
}

function ownCheckpoint(note: string, { origin, keys }: WitnessedParts): Kept | undefined {
  const checkpoint = parseSignedCheckpoint(note)
  if (checkpoint?.origin !== origin || !(verifySignatures(checkpoint, keys()) ?? []).length) return undefined
  return { note, size: checkpoint.size, checkpoint }
}

// One signature for each key, the newer one; beyond the bound of a note those that came first stay.
function merged(latest: Kept, told: Kept): Kept {
  const all = new Map<string, NoteSignature>()
  for (const signature of [...latest.checkpoint.signatures, ...told.checkpoint.signatures]) {
    const key = `${signature.name} ${signature.id}`
    if (all.has(key) || all.size < mostSignatures) all.set(key, signature)
  }
  const checkpoint = { ...latest.checkpoint, signatures: [...all.values()] }
  return { note: formatNote(checkpoint), size: latest.size, checkpoint }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await once(signal, 'abort')
}

function unwitnessed(): AnnalsError {
  return new AnnalsError(
    'UNAVAILABLE',
    'no witness has cosigned a checkpoint of this entry yet: try again later',
    {
      retryAfterSeconds: 10,
    },
  )
}
