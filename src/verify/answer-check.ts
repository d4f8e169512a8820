// Checks that an answer is complete for its window: every entry of the log whose time lies in the window is in it, and
// nothing else is. What is proved is that the entries at from−1 and at to, and the run between them, stand next to each
// other in the tree of a signed checkpoint, that the left neighbour is earlier than the window, and that the right one is
// not. That times never decrease elsewhere in the log (I3) is assumed: only a check of the whole log shows it.

import type { Element, Micros, Position, StoredEntry } from '../entry/event.ts'
import { parseLine } from '../entry/line.ts'
import { parseStoredTime } from '../entry/time.ts'
import { isAnnalsError } from '../errors.ts'
import { type Hash, leafHashOfBytes } from '../tree/hash.ts'
import { rootOfInclusion, RunRoot } from '../tree/proof.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../tree/signed-checkpoint.ts'
import type { AnswerProof } from './answer-proof.ts'
import { LineSequence, logOfOrigin } from './lines.ts'
import { contradicted, malformed } from './not-proved.ts'

/** What an answer is proved to be, once its checkpoint is found to be signed by a key that is trusted. */
export interface CheckedAnswer {
  readonly checkpoint: SignedCheckpoint
  readonly log: string
  readonly from: Position
  readonly to: Position
  /** The window, as the read's own entry has it; undefined: from the beginning of the log. */
  readonly start: Micros | undefined
  readonly end: Micros
  /** The read's own entry. */
  readonly read: ReadEntry
}

/** A read's own entry (contract S7). */
export interface ReadEntry {
  readonly position: Position
  readonly time: Micros
  readonly actor: string | undefined
  /** What the client sent along as `Annals-Nonce`. */
  readonly nonce: string | undefined
  readonly start: Micros | undefined
  readonly end: Micros
  readonly from: Position
  readonly to: Position
}

/** Checks an answer, which is given line by line. Every step throws `NotProved`. */
export class AnswerCheck {
  readonly #proof: AnswerProof
  readonly #checkpoint: SignedCheckpoint
  /** The id of the log that it is of. */
  readonly log: string
  readonly #read: ReadEntry
  readonly #lines: LineSequence
  readonly #root: RunRoot

  /** Checks all that can be without the answer. */
  constructor(proof: AnswerProof) {
    const { from, to, mark, left, marked } = proof
    const checkpoint = parseSignedCheckpoint(proof.checkpoint)
    const log = checkpoint && logOfOrigin(checkpoint.origin)
    if (checkpoint === undefined || log === undefined)
      throw malformed('the proof has no checkpoint of an audit log')
    if (from > to || to > mark || mark >= checkpoint.size)
      throw malformed('the proof is of no run that there can be')
    if ((left === undefined) !== (from === 0) || (marked === undefined) !== (mark === to))
      throw malformed('the proof lacks a neighbour, or has one too many')
    this.#proof = proof
    this.#checkpoint = checkpoint
    this.log = log
    this.#read = this.#readEntryOf(marked?.entry ?? proof.right)
    this.#lines = new LineSequence(log, Math.max(0, from - 1))
    const root = RunRoot.begin(this.#lines.position, proof.before)
    if (root === undefined) throw malformed('the proof has not the hashes before its run')
    this.#root = root
    if (left !== undefined) this.#checkLeft(left)
  }

  /** The next line, `bytes[start, end)` without its newline. */
  line(bytes: Buffer, start: number, end: number): void {
    if (this.#lines.position >= this.#proof.to)
      throw contradicted(`more lines than ${this.#proof.to - this.#proof.from}`)
    const { time, leaf, position } = this.#lines.next(bytes, start, end)
    if (time < (this.#read.start ?? time) || time >= this.#read.end)
      throw contradicted(`position ${position} does not lie in the window`)
    this.#root.add(leaf)
  }

  /** The answer is over. */
  end(): CheckedAnswer {
    const { from, to, right, after } = this.#proof
    const missing = to - this.#lines.position
    if (missing !== 0) throw contradicted(`${missing} of ${to - from} lines are missing at the end`)
    const { time, leaf } = this.#lines.next(right, 0, right.length)
    if (time < this.#read.end) throw contradicted(`the entry behind the answer, at ${to}, lies in the window`)
    this.#root.add(leaf)
    this.#demandRoot(this.#root.end(this.#checkpoint.size, after), 'the answer')
    this.#checkMark()
    const { start, end } = this.#read
    return { checkpoint: this.#checkpoint, log: this.log, from, to, start, end, read: this.#read }
  }

  #checkLeft(left: Buffer): void {
    const { time, leaf } = this.#lines.next(left, 0, left.length)
    const { start } = this.#read
    if (start === undefined || time >= start)
      throw contradicted(`the entry before the answer, at ${this.#proof.from - 1}, lies in the window`)
    this.#root.add(leaf)
  }

  #checkMark(): void {
    const { marked, mark } = this.#proof
    if (marked === undefined) return
    const leaf = leafHashOfBytes(marked.entry, 0, marked.entry.length)
    this.#demandRoot(rootOfInclusion(leaf, mark, this.#checkpoint.size, marked.path), "the read's own entry")
  }

  #demandRoot(root: Hash | undefined, what: string): void {
    if (root !== this.#checkpoint.root)
      throw contradicted(`${what} does not lead to the root of the checkpoint`)
  }

  #readEntryOf(line: Buffer): ReadEntry {
    const { from, to, mark } = this.#proof
    const read = parseReadEntry(line, this.log)
    if (read === undefined || read.position !== mark)
      throw malformed("the proof's mark is not the entry of a read")
    if (read.from !== from || read.to !== to)
      throw contradicted(
        `the read's own entry says positions ${read.from} to ${read.to}, not ${from} to ${to}`,
      )
    return read
  }
}

/** Reads the entry of a read (29001) of a log; undefined where it is none. */
export function parseReadEntry(line: Buffer, log: string): ReadEntry | undefined {
  const entry = parseEntry(line)
  if (entry === undefined || entry.log !== log || entry.via !== 'self' || entry.code !== readCode)
    return undefined
  const event = paramsOf(entry, 'event@32473')
  const [start, end] = [event.get('start') ?? '', parseStoredTime(event.get('end') ?? '')]
  const [from, to] = [positionOf(event.get('from')), positionOf(event.get('to'))]
  const begins = start === '-' ? undefined : parseStoredTime(start)
  if (
    end === undefined ||
    from === undefined ||
    to === undefined ||
    from > to ||
    to > entry.position ||
    (begins === undefined && start !== '-')
  )
    return undefined
  const details = paramsOf(entry, 'detail@32473')
  // A portal's entry of a read that it passed on: its positions are those of another log.
  if (details.has('log')) return undefined
  const nonce = details.get('nonce')
  const { position, time } = entry
  return { position, time, actor: event.get('actor'), nonce, start: begins, end, from, to }
}

const readCode = '29001'

/** An entry, read; undefined where it is none. */
export function parseEntry(line: Buffer): StoredEntry | undefined {
  try {
    return parseLine(line)
  } catch (error) {
    if (isAnnalsError(error, 'LOG_DAMAGED')) return undefined
    throw error
  }
}

/** The parameters of an element of an entry. */
export function paramsOf(entry: StoredEntry, name: string): ReadonlyMap<string, string> {
  const element: Element | undefined = entry.elements.find((element) => element.name === name)
  return new Map(element?.params)
}

function positionOf(text: string | undefined): Position | undefined {
  return text !== undefined && /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined
}
