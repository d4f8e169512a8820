// A witness (C2SP tlog-witness): it cosigns a log's checkpoint where the log has grown from the one that it cosigned last,
// and remembers that before it answers. Requests about one log take turns, so that what is compared is what is replaced.
//
// Anybody may ask: what counts is the log's signature. So what somebody shows is evidence against a log only where the log's
// own signatures contradict each other. A proof that does not fit may be a stranger's doing: it is held against the log
// only where the log itself does not show a true one for some time.

import type { AuditEvent } from '../../entry/event.ts'
import { isAnnalsError } from '../../errors.ts'
import { witnessIntervalMs, witnessShrinkSeconds, witnessSuspicionMs } from '../../limits.ts'
import { formatNote } from '../../tree/note.ts'
import { type NoteKey, type NoteSigner, signatureTypes } from '../../tree/note-key.ts'
import { cosignatureLine, type SignedCheckpoint, verifySignatures } from '../../tree/signed-checkpoint.ts'
import { type AddCheckpoint, judge, nothingSeen, parseAddCheckpoint } from '../../tree/witness.ts'
import type { FederationLogger } from '../monitor.ts'
import { logContradicted, type Recorder, witnessBegins } from './witness-events.ts'
import { originHash, type SeenCheckpoint, type WitnessState } from './witness-state.ts'

/** A log that is witnessed. */
export interface WitnessedLog {
  /** Whose it is, for people: a host name. */
  readonly owner: string
  /** The keys that it signs with. */
  readonly keys: readonly NoteKey[]
}

/** What a witness needs. */
export interface WitnessParts {
  readonly state: WitnessState
  readonly signers: readonly NoteSigner[]
  /** Which logs it witnesses, by origin. */
  readonly logOf: (origin: string) => Promise<WitnessedLog | undefined>
  /** The wall clock, in seconds since the epoch. */
  readonly seconds: () => number
  readonly record: (event: AuditEvent) => Promise<void>
  readonly node: Recorder
  readonly logger: FederationLogger
  readonly metrics: WitnessMetrics
  /** How often it cosigns for one log; for tests. */
  readonly intervalMs?: number
}

/** What a witness counts. */
export interface WitnessMetrics {
  asked(verdict: WitnessAnswer['verdict']): void
}

/** What becomes of a request. */
export type WitnessAnswer =
  | { readonly verdict: 'cosigned'; readonly lines: string }
  | { readonly verdict: 'malformed' | 'unknown' | 'unsigned' | 'inconsistent' }
  | { readonly verdict: 'conflict'; readonly size: number }
  | { readonly verdict: 'too soon'; readonly retryAfterSeconds: number }

/** Why a log is said to contradict itself. */
export type ContradictionReason = 'fork' | 'shrink' | 'no continuation'

/** See the head of this file. Dispose of it to stop waiting. */
export class Witness implements Disposable {
  readonly #parts: WitnessParts
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #cosignedMs = new Map<string, number>()
  readonly #suspicions = new Map<string, NodeJS.Timeout>()
  #warnings: readonly string[] = []
  #evidence = 0

  static async open(parts: WitnessParts): Promise<Witness> {
    const witness = new Witness(parts)
    await witness.#readEvidence()
    return witness
  }

  private constructor(parts: WitnessParts) {
    this.#parts = parts
  }

  /** The keys that verify its cosignatures. */
  get keys(): readonly NoteKey[] {
    return this.#parts.signers
  }

  /** What people must know: which logs contradict what was seen of them. */
  get warnings(): readonly string[] {
    return this.#warnings
  }

  /** How many contradictions are kept. */
  get evidence(): number {
    return this.#evidence
  }

  /** Answers a request to cosign. Throws STORAGE_FAILED and what the disk throws: then nothing was cosigned. */
  async addCheckpoint(body: string): Promise<WitnessAnswer> {
    const answer = await this.#answer(parseAddCheckpoint(body))
    this.#parts.metrics.asked(answer.verdict)
    return answer
  }

  /** The latest checkpoint of a log that was cosigned, with the log's signatures and its own; undefined where none was. */
  async latest(hash: string): Promise<string | undefined> {
    return (await this.#parts.state.seen(hash))?.note
  }

  [Symbol.dispose](): void {
    for (const timer of this.#suspicions.values()) clearTimeout(timer)
    this.#suspicions.clear()
  }

  async #answer(request: AddCheckpoint | undefined): Promise<WitnessAnswer> {
    if (request === undefined) return { verdict: 'malformed' }
    const { origin } = request.checkpoint
    const log = await this.#parts.logOf(origin)
    if (log === undefined) return { verdict: 'unknown' }
    const answer = (this.#turns.get(origin) ?? Promise.resolve()).then(() => this.#inTurn(request, log))
    const turn = answer.catch(() => undefined)
    this.#turns.set(origin, turn)
    return await answer.finally(() => this.#turns.get(origin) === turn && this.#turns.delete(origin))
  }

  async #inTurn(request: AddCheckpoint, log: WitnessedLog): Promise<WitnessAnswer> {
    const { checkpoint } = request
    const seen = await this.#parts.state.seen(originHash(checkpoint.origin))
    const judgement = judge(request, log.keys, seen ?? nothingSeen)
    if (judgement.verdict === 'unsigned') return { verdict: 'unsigned' }
    if (seen !== undefined) await this.#compare(request, log, seen, judgement.verdict)
    if (judgement.verdict === 'conflict') return judgement
    if (judgement.verdict === 'inconsistent') return { verdict: 'inconsistent' }
    // The same again: it is answered with what was kept, and nothing is changed.
    if (seen?.size === checkpoint.size) return { verdict: 'cosigned', lines: this.#linesOf(seen) }
    const waitMs = this.#waitMs(checkpoint.origin)
    if (waitMs > 0) return { verdict: 'too soon', retryAfterSeconds: Math.ceil(waitMs / 1000) }
    return await this.#cosign(checkpoint, log, seen)
  }

  async #cosign(
    checkpoint: SignedCheckpoint,
    { owner, keys }: WitnessedLog,
    seen: SeenCheckpoint | undefined,
  ): Promise<WitnessAnswer> {
    const { signers, seconds, state, node } = this.#parts
    const { origin, size, text } = checkpoint
    if (seen === undefined) await this.#say(witnessBegins(node, { owner, origin, size }))
    const now = seconds()
    const lines = signers.map((signer) => cosignatureLine(checkpoint, signer, now)).join('')
    const own = checkpoint.signatures.filter(({ name, id }) =>
      keys.some((key) => key.name === name && key.id === id),
    )
    // A crash before this: nothing was cosigned. After it: the same request is answered with what was kept.
    await state.keep({ ...checkpoint, note: formatNote({ text, signatures: own }) + lines })
    this.#cosignedMs.set(origin, performance.now())
    this.#trust(origin)
    return { verdict: 'cosigned', lines }
  }

  #linesOf({ signatures, note }: SeenCheckpoint): string {
    const { signers } = this.#parts
    const isOwn = (line: string) => signers.some(({ name }) => line.startsWith(`\u2014 ${name} `))
    const lines = note.split('\n').slice(-1 - signatures.length, -1)
    return lines
      .filter(isOwn)
      .map((line) => `${line}\n`)
      .join('')
  }

  #waitMs(origin: string): number {
    const { intervalMs = witnessIntervalMs } = this.#parts
    const last = this.#cosignedMs.get(origin)
    return last === undefined ? 0 : last + intervalMs - performance.now()
  }

  async #compare(
    { checkpoint, note }: AddCheckpoint,
    log: WitnessedLog,
    seen: SeenCheckpoint,
    verdict: 'cosign' | 'conflict' | 'inconsistent',
  ): Promise<void> {
    const shown = { ...checkpoint, note }
    const reason = contradictionOf(seen, shown, log.keys)
    if (reason !== undefined) await this.#accuse(log, { seen, shown, reason })
    else if (verdict === 'inconsistent') this.#suspect(log, { seen, shown })
  }

  // A log that is honest shows a true proof at its next occasion, and is trusted again.
  #suspect(log: WitnessedLog, { seen, shown }: { seen: SeenCheckpoint; shown: SeenCheckpoint }): void {
    const { logger } = this.#parts
    const { origin } = shown
    if (this.#suspicions.has(origin)) return
    const fields = { log: origin, seen: seen.size, shown: shown.size }
    logger.warn(fields, 'a checkpoint came with a proof that does not continue what was seen of the log')
    const accuse = (): void => {
      this.#suspicions.delete(origin)
      void this.#accuse(log, { seen, shown, reason: 'no continuation' }).catch((error: unknown) =>
        logger.warn({ err: error }, 'evidence against a log could not be kept'),
      )
    }
    this.#suspicions.set(origin, setTimeout(accuse, witnessSuspicionMs).unref())
  }

  #trust(origin: string): void {
    clearTimeout(this.#suspicions.get(origin))
    this.#suspicions.delete(origin)
  }

  async #accuse(
    { owner }: WitnessedLog,
    { seen, shown, reason }: { seen: SeenCheckpoint; shown: SeenCheckpoint; reason: ContradictionReason },
  ): Promise<void> {
    const { state, node, logger } = this.#parts
    const evidence = await state.keepEvidence({ seen, shown })
    if (evidence === undefined) return
    await this.#readEvidence()
    logger.warn({ log: shown.origin, reason, evidence }, 'a log contradicts what was seen of it')
    await this.#say(logContradicted(node, { owner, seen, shown, reason, evidence }))
  }

  async #readEvidence(): Promise<void> {
    const all = await this.#parts.state.evidence()
    this.#evidence = all.length
    this.#warnings = all.map(
      ({ name, origin }) =>
        `the log ${origin} contradicts what this witness saw of it: see witness/evidence/${name}`,
    )
  }

  // A full disk is no reason to fall silent towards a log.
  async #say(event: AuditEvent): Promise<void> {
    try {
      await this.#parts.record(event)
    } catch (error) {
      if (!isAnnalsError(error)) throw error
      this.#parts.logger.warn({ err: error }, 'what the witness saw could not be recorded')
    }
  }
}

/**
 * Whether two checkpoints that a log has signed contradict each other by themselves: of one size with two roots, or a
 * smaller one that was signed well after the larger one.
 */
export function contradictionOf(
  seen: SignedCheckpoint,
  shown: SignedCheckpoint,
  keys: readonly NoteKey[],
): Exclude<ContradictionReason, 'no continuation'> | undefined {
  if (seen.size === shown.size) return seen.root === shown.root ? undefined : 'fork'
  const [before, after] = [signedAt(seen, keys), signedAt(shown, keys)]
  if (shown.size > seen.size || before === undefined || after === undefined) return undefined
  return after > before + witnessShrinkSeconds ? 'shrink' : undefined
}

// When the log itself says that it signed.
function signedAt(checkpoint: SignedCheckpoint, keys: readonly NoteKey[]): number | undefined {
  return verifySignatures(checkpoint, keys)?.find(({ key }) => key.type === signatureTypes.mlDsa44)?.seconds
}
