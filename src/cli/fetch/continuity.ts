// Whether what a server signs now goes on from what it was seen to sign before: with keys that are known, or that follow from
// them, and with a tree that begins with the earlier one. If not, both notes are the evidence.

import { followRotations, parseLogKeys } from '../../tree/key-rotation.ts'
import type { NoteKey } from '../../tree/note-key.ts'
import type { Policy } from '../../tree/policy.ts'
import { consistencyRanges, hashesOf, isConsistent } from '../../tree/proof.ts'
import { noteOf, type SignedCheckpoint } from '../../tree/signed-checkpoint.ts'
import { tilePath } from '../../tree/tile.ts'
import { tileReader } from '../../tree/tile-reader.ts'
import { logOfOrigin } from '../../verify/lines.ts'
import { malformed, NotProved } from '../../verify/not-proved.ts'
import { type Signatures, signaturesOf } from '../../verify/signatures.ts'
import type { LogFiles } from './log-files.ts'
import { lastCheckpoint, type SeenLog } from './trust-state.ts'

/** What somebody knows of logs. */
export interface Known {
  readonly policy: Policy | undefined
  readonly seen: ReadonlyMap<string, SeenLog>
}

/** A checkpoint that goes on from what is known. */
export interface Continued {
  readonly signatures: Signatures
  /** What is seen of the log from now on. */
  readonly seen: SeenLog
  /** False where the log was not seen before, and no key of it was named. */
  readonly isKnown: boolean
}

/** A log contradicts what was seen of it. */
export class Contradiction extends NotProved {
  /** What was seen, and what is shown now. */
  readonly notes: readonly [string, string]

  constructor(message: string, notes: readonly [string, string]) {
    super('contradicted', message)
    this.notes = notes
  }
}

/** Asks that of a checkpoint. Throws `NotProved`, `Contradiction` where there is evidence. */
export async function continued(
  files: LogFiles,
  checkpoint: SignedCheckpoint,
  known: Known,
): Promise<Continued> {
  const { origin } = checkpoint
  const note = noteOf(checkpoint)
  const before = known.seen.get(origin)
  const named = (known.policy?.logs ?? []).map(({ key }) => key).filter(({ name }) => name === origin)
  // Whom the person names goes before what was seen: the first time it may have been somebody else's.
  const begin = named.length > 0 ? named : (before?.keys ?? [])
  const published = async () => await keysOf(files, origin)
  const own = begin.length === 0 ? (await published()).keys : undefined
  const trust = { policy: known.policy, isOwn: own !== undefined }
  const keys = own ?? (await presentKeys(checkpoint, begin, published, before))
  const signatures = signaturesOf(checkpoint, { ...trust, logKeys: keys })
  if (before !== undefined) await demandContinuation(files, checkpoint, before)
  return { signatures, seen: { keys, note }, isKnown: own === undefined }
}

// Those that are known, or where they have not signed, those that follow from them.
async function presentKeys(
  checkpoint: SignedCheckpoint,
  known: readonly NoteKey[],
  published: () => ReturnType<typeof keysOf>,
  before: SeenLog | undefined,
): Promise<readonly NoteKey[]> {
  const isSigned = (keys: readonly NoteKey[]) => {
    try {
      return signaturesOf(checkpoint, { logKeys: keys, policy: undefined, isOwn: false }).log.length > 0
    } catch (error) {
      if (error instanceof NotProved) return false
      throw error
    }
  }
  if (isSigned(known)) return known
  const { statements } = await published()
  const present = followRotations(known, statements)
  if (typeof present !== 'string' && isSigned(present)) return present
  const message = `the checkpoint of ${checkpoint.origin} is not signed by the keys that are known of it, and no rotation leads from them to others`
  if (before === undefined) throw new NotProved('unsigned', message)
  throw new Contradiction(message, [before.note, noteOf(checkpoint)])
}

async function demandContinuation(
  files: LogFiles,
  checkpoint: SignedCheckpoint,
  before: SeenLog,
): Promise<void> {
  const old = lastCheckpoint(before)
  const { origin, size, root } = checkpoint
  const isFork = size === old.size && root !== old.root
  if (size < old.size || isFork) {
    const what = isFork ? 'has another root' : `is smaller than the ${old.size} entries that were seen before`
    throw new Contradiction(`the log ${origin} of ${size} entries ${what}`, [before.note, noteOf(checkpoint)])
  }
  const log = logIn(origin)
  const read = tileReader(size, async (tile) => {
    return await files.get(`logs/${log}/tile/${tilePath(tile.level, tile.index, tile.width)}`)
  })
  const proof = await hashesOf(consistencyRanges(old.size, size), read)
  if (isConsistent({ old, size, root, proof })) return
  throw new Contradiction(
    `the log ${origin} of ${size} entries does not begin with the ${old.size} that were seen before: another history is shown`,
    [before.note, noteOf(checkpoint)],
  )
}

async function keysOf(files: LogFiles, origin: string) {
  const published = parseLogKeys((await files.get(`logs/${logIn(origin)}/keys`)).toString())
  if (published?.origin === origin) return published
  throw malformed(`what the server publishes of the keys of ${origin} is not readable`)
}

function logIn(origin: string): string {
  const log = logOfOrigin(origin)
  if (log === undefined) throw malformed(`${origin} is not the origin of an audit log`)
  return log
}
