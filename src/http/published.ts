// What a log publishes of itself, by its path below `/audit-trail/api/v2/logs/{log}/`: checkpoints, keys, tiles and entry bundles
// as C2SP tlog-tiles has them, and proofs. A portal answers with its own log's, and passes on those of its engines; the
// engine's inner API answers with the same bytes at the same paths.

import type { FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'
import type { LogProofs } from '../log/log-proofs.ts'
import { formatLogKeys } from '../tree/key-rotation.ts'
import type { NoteKey } from '../tree/note-key.ts'
import { parseTilePath } from '../tree/tile.ts'
import { formatTlogProof } from '../tree/tlog-proof.ts'
import { parseReadEntry } from '../verify/answer-check.ts'
import { formatAnswerProof } from '../verify/answer-proof.ts'

/** A published file. */
export type Published = Buffer | string

/** A log whose files are published. */
export interface PublishedLog {
  readonly id: string
  readonly origin: string
  readonly keys: readonly NoteKey[]
  readonly keyRotations: readonly string[]
  readonly proofs: LogProofs
}

/** A file of a log. Throws NOT_FOUND where there is none such, and UNAVAILABLE where its checkpoint is not there in time. */
export async function published(log: PublishedLog, path: string): Promise<Published> {
  return (await find(log, path)) ?? absent()
}

async function find(log: PublishedLog, path: string): Promise<Published | undefined> {
  const { proofs } = log
  if (path === 'checkpoint') return proofs.checkpoint()?.note
  if (path === 'keys')
    return formatLogKeys({ origin: log.origin, keys: log.keys, statements: log.keyRotations })
  if (path.startsWith('tile/')) return await tileAt(proofs, path.slice('tile/'.length))
  const [, kind, text = '', query] = proofForm.exec(path) ?? []
  const witnessed = query !== undefined
  if (kind === 'entries') return await entryProof(log, Number(text), { witnessed })
  return kind === 'reads' ? await answerProof(log, Number(text), { witnessed }) : undefined
}

const proofForm = /^(entries|reads)\/(0|[1-9][0-9]{0,14})\/proof(\?witnessed=true)?$/

/** Whether a proof is to lead to a checkpoint that a witness has cosigned. */
interface ProofOptions {
  readonly witnessed: boolean
}

async function tileAt(proofs: LogProofs, path: string): Promise<Buffer | undefined> {
  const tile = parseTilePath(path)
  if (tile === undefined) return undefined
  const { level, index, width } = tile
  return level === 'entries' ? await proofs.bundle(index, width) : await proofs.tile({ level, index, width })
}

/** The proof that an entry is in its log (C2SP tlog-proof), with its stored line; undefined where there is no such entry. */
export async function entryProof(
  { proofs }: Pick<PublishedLog, 'proofs'>,
  position: number,
  options: ProofOptions,
): Promise<string | undefined> {
  if (!proofs.has(position)) return undefined
  const { note, size } = await proofs.covering(position + 1, options)
  const extra = await proofs.line(position)
  const hashes = await proofs.inclusion(position, size)
  return formatTlogProof({ extra, index: position, hashes, checkpoint: note })
}

// Undefined where the entry at `mark` is not that of a read.
async function answerProof(
  { id, proofs }: PublishedLog,
  mark: number,
  options: ProofOptions,
): Promise<string | undefined> {
  if (!proofs.has(mark)) return undefined
  const entry = await proofs.line(mark)
  const read = parseReadEntry(entry, id)
  if (read === undefined) return undefined
  const { from, to } = read
  const { note, size } = await proofs.covering(mark + 1, options)
  const [left, right, before, after, path] = await Promise.all([
    from === 0 ? undefined : proofs.line(from - 1),
    proofs.line(to),
    proofs.subtrees({ from: 0, to: Math.max(0, from - 1) }),
    proofs.subtrees({ from: to + 1, to: size }),
    mark === to ? undefined : proofs.inclusion(mark, size),
  ])
  const marked = path && { entry, path }
  return formatAnswerProof({ from, to, mark, left, right, before, after, marked, checkpoint: note })
}

/**
 * What stands behind the log's name in a request's target, with `?witnessed=true` where a proof is asked for so. Throws
 * NOT_FOUND where it is nothing that a log publishes, and INVALID_PARAMETER.
 */
export function publishedPathOf({ raw }: FastifyRequest): string {
  const [, path = '', query = ''] =
    /\/audit-trail\/api\/v2\/logs\/[^/]*\/([^?]*)(?:\?(.*))?$/.exec(raw.url ?? '') ?? []
  if (!forms.test(path)) return absent()
  if (query === '' || query === 'witnessed=false') return path
  if (query === 'witnessed=true' && path.endsWith('/proof')) return `${path}?${query}`
  throw new AnnalsError(
    'INVALID_PARAMETER',
    'the query is expected to be witnessed=true for a proof, or nothing',
  )
}

const forms =
  /^(checkpoint|keys|tile\/(\d{1,2}|entries)(\/x\d{3})*\/\d{3}(\.p\/\d{1,3})?|(entries|reads)\/\d{1,15}\/proof)$/

function absent(): never {
  throw new AnnalsError('NOT_FOUND', 'this log has no such checkpoint, tile, entry or read')
}
