// Proves what was fetched: that the file is the complete answer for its window, that the log has signed it, and that it goes on
// from what was seen of the log before. What the server says counts for nothing here but what it signs.

import { setTimeout as sleep } from 'node:timers/promises'
import { formatMicros } from '../../entry/time.ts'
import { AnnalsError } from '../../errors.ts'
import { quorumAttempts, quorumPauseMs } from '../../limits.ts'
import { realDisk } from '../../store/disk.ts'
import { replaceFile } from '../../store/durable-file.ts'
import type { SignedCheckpoint } from '../../tree/signed-checkpoint.ts'
import type { CheckedAnswer } from '../../verify/answer-check.ts'
import { isAskedWindow } from '../../verify/asked-window.ts'
import { contradicted, NotProved } from '../../verify/not-proved.ts'
import {
  type CheckedProof,
  checkpointsOf,
  nonceIn,
  type ProofCheck,
  proofCheckOf,
} from '../../verify/proof-check.ts'
import { demandQuorum } from '../../verify/signatures.ts'
import type { Progress } from '../progress.ts'
import type { Surroundings } from '../surroundings.ts'
import { eachLine } from '../verify/files.ts'
import type { Source } from './beginning.ts'
import { type Continued, continued, Contradiction, type Known } from './continuity.ts'
import { type LogFiles, publishedPath } from './log-files.ts'
import { saveTiles } from './save-tiles.ts'
import { lastCheckpoint, readSeen, writeSeen } from './trust-state.ts'

/** What is to be proved, and what to keep of it. */
export interface Verification {
  readonly surroundings: Surroundings
  /** Shows how far something is. */
  readonly bar: (what: string) => Progress
  readonly files: LogFiles
  /** The file that was fetched. */
  readonly file: string
  readonly source: Source | undefined
  /** What was asked: the query of the URL. */
  readonly query: string
  readonly known: Known
  readonly proofFile: string | undefined
  readonly tilesDirectory: string | undefined
  readonly stateFile: string | undefined
}

/** What was proved, in a line for people and in fields for programs. */
export interface Proved {
  readonly verdict: string
  readonly json: object
}

/** Proves it. Throws `NotProved`; evidence is kept beside the state. */
export async function verifyFetched(order: Verification): Promise<Proved> {
  const { files, source, known } = order
  const place = source?.proof
  const path = place === undefined ? undefined : publishedPath(place.url)
  if (place === undefined || path === undefined)
    throw new NotProved(
      'unsigned',
      'the server does not say where the proof of this answer is: nothing is proved',
    )
  const { checked, all } = await provedBy(order, path, place.nonce)
  if (order.tilesDirectory !== undefined) {
    using progress = order.bar('keeping hashes')
    await saveTiles(files, order.tilesDirectory, checked, progress)
  }
  for (const { signatures } of all) demandQuorum(signatures)
  if (order.stateFile !== undefined) await keepSeen(order.stateFile, checked, all)
  return proved(checked, all, known)
}

interface Found {
  readonly checked: CheckedProof
  readonly all: readonly Continued[]
}

// Cosignatures come after the checkpoint: where a policy asks for some, the proof is asked for again until they are there.
async function provedBy(order: Verification, path: string, nonce: string): Promise<Found> {
  const { files, known, proofFile } = order
  const isWitnessed = known.policy?.isNone === false
  for (let attempt = 1; ; attempt += 1) {
    const proof = (await files.get(isWitnessed ? `${path}?witnessed=true` : path)).toString()
    if (proofFile !== undefined) await replaceFile(realDisk, proofFile, Buffer.from(proof))
    const checked = await checkFile(order, proofCheckOf(proof))
    if (nonceIn(checked) !== nonce)
      throw contradicted('the proof is of another read: the entry of the read does not repeat our nonce')
    demandWindow(checked, order.query)
    const all = await continuedAll(order, checkpointsOf(checked))
    const isMissing = all.some(({ signatures }) => signatures.quorum === 'missing')
    if (!isMissing || attempt === quorumAttempts) return { checked, all }
    await sleep(quorumPauseMs, undefined, { signal: files.signal }).catch(() => files.signal.throwIfAborted())
  }
}

async function checkFile(
  { surroundings, bar, file }: Verification,
  check: ProofCheck,
): Promise<CheckedProof> {
  using progress = bar('verifying')
  await eachLine(surroundings, file, progress, (bytes, start, end) => check.line(bytes, start, end))
  return check.end()
}

// A server may be right about another window than was asked for.
function demandWindow({ of, answer }: CheckedProof, query: string): void {
  const parts = of === 'log' ? [answer] : answer.engines
  for (const { log, start, end, read } of parts) {
    if (isAskedWindow(query, { start, end, now: read.time })) continue
    throw contradicted(
      `${log} has answered for another window than was asked for: ${windowText({ start, end })}`,
    )
  }
}

async function continuedAll(
  { files, known, stateFile }: Verification,
  checkpoints: readonly SignedCheckpoint[],
): Promise<Continued[]> {
  const all: Continued[] = []
  for (const checkpoint of checkpoints) {
    try {
      all.push(await continued(files, checkpoint, known))
    } catch (error) {
      if (error instanceof Contradiction && stateFile !== undefined)
        throw await withEvidence(stateFile, error)
      throw error
    }
  }
  return all
}

async function withEvidence(stateFile: string, { message, notes }: Contradiction): Promise<Contradiction> {
  const file = `${stateFile}.evidence-${new Date().toISOString().replaceAll(':', '')}`
  await replaceFile(realDisk, file, Buffer.from(notes.join('\n')))
  return new Contradiction(`${message}. Both checkpoints are kept in ${file}`, notes)
}

// Read again: another fetch may have seen more meanwhile.
async function keepSeen(file: string, checked: CheckedProof, all: readonly Continued[]): Promise<void> {
  const seen = new Map(await readSeen(file))
  for (const [k, { origin, size }] of checkpointsOf(checked).entries()) {
    const [one, there] = [all[k], seen.get(origin)]
    if (one !== undefined && (there === undefined || lastCheckpoint(there).size <= size))
      seen.set(origin, one.seen)
  }
  await writeSeen(file, seen)
}

function proved(checked: CheckedProof, all: readonly Continued[], { seen }: Known): Proved {
  const [first] = all
  const verdicts = [...new Set(all.map(({ signatures }) => signatures.verdict))]
  // Whoever has seen logs before is told of one that is new: it may be in the place of another.
  const isNews = seen.size > 0 && all.some(({ isKnown }) => !isKnown)
  const news = isNews ? '; it is of a log that was never seen before' : ''
  const verdict = `complete, ${aboutAnswer(checked)}; ${verdicts.join(' / ')}${news}`
  const checkpoints = checkpointsOf(checked).map(({ origin, size }) => ({ origin, size }))
  return { verdict, json: { verdict, checkpoints, quorum: first?.signatures.quorum } }
}

function aboutAnswer({ of, answer }: CheckedProof): string {
  if (of === 'engines') {
    const entries = answer.engines.reduce((sum, { from, to }) => sum + to - from, 0)
    return `${entries} entries of ${answer.engines.length} engines`
  }
  const { log, from, to } = answer
  const entries = from === to ? `no entry of ${log}` : `entries ${from} to ${to - 1} of ${log}`
  return `${entries}, ${windowText(answer)}`
}

function windowText({ start, end }: Pick<CheckedAnswer, 'start' | 'end'>): string {
  const begin = start === undefined ? 'from its beginning' : `from ${formatMicros(start)}`
  return `${begin} to ${formatMicros(end)}`
}

/** Throws INVALID_INPUT where nothing could be proved of standard output. */
export function demandFile(file: string | undefined): asserts file is string {
  if (file === undefined)
    throw new AnnalsError('INVALID_INPUT', '--verify: what is proved is a file; give --output FILE')
}
