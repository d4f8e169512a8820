// Checks that an answer about all engines is complete: the manifest is the one of which the portal's own entry tells, and
// each engine's part is complete by itself. That every engine is in the manifest follows from the portal's log: its entries
// 20701 to 20704, up to the position that the manifest names, say which engines were connected.

import { createHash } from 'node:crypto'
import type { Position } from '../entry/event.ts'
import { leafHashOfBytes } from '../tree/hash.ts'
import type { SignedCheckpoint } from '../tree/signed-checkpoint.ts'
import { checkpointOfProof, parseTlogProof } from '../tree/tlog-proof.ts'
import { AnswerCheck, type CheckedAnswer, paramsOf, parseEntry } from './answer-check.ts'
import { parseAnswerProof } from './answer-proof.ts'
import { type EnginesManifest, parseManifest } from './engines-manifest.ts'
import type { EnginesProof } from './engines-proof.ts'
import { logOfOrigin } from './lines.ts'
import { contradicted, malformed } from './not-proved.ts'

/** What an answer about all engines is proved to be, once all checkpoints are found to be signed by keys that are trusted. */
export interface CheckedEngines {
  /** The portal's: of its own entry of the read. */
  readonly checkpoint: SignedCheckpoint
  readonly log: string
  readonly position: Position
  readonly nonce: string | undefined
  readonly manifest: EnginesManifest
  /** Each engine's part, in the order of the answer. */
  readonly engines: readonly CheckedAnswer[]
}

/** Checks such an answer, which is given line by line. Every step throws `NotProved`. */
export class EnginesCheck {
  readonly #manifest: EnginesManifest
  readonly #own: Omit<CheckedEngines, 'engines' | 'manifest'>
  readonly #parts: readonly AnswerCheck[]
  readonly #checked: CheckedAnswer[] = []
  #lines = 0

  /** Checks all that can be without the answer. */
  constructor({ manifest, entry, answers }: EnginesProof) {
    const parsed = parseManifest(manifest)
    if (parsed === undefined) throw malformed('the proof has no manifest')
    this.#manifest = parsed
    this.#own = ownEntry(entry, createHash('sha256').update(manifest).digest('hex'))
    if (answers.length !== parsed.engines.length)
      throw malformed(`the proof has ${answers.length} parts for ${parsed.engines.length} engines`)
    this.#parts = answers.map((text, k) => partOf(text, parsed.engines[k]))
    this.#skipEmpty()
  }

  /** The next line, `bytes[start, end)` without its newline. */
  line(bytes: Buffer, start: number, end: number): void {
    const part = this.#parts[this.#checked.length]
    if (part === undefined) throw contradicted('there are more lines than the engines have')
    part.line(bytes, start, end)
    this.#lines += 1
    this.#skipEmpty()
  }

  /** The answer is over. */
  end(): CheckedEngines {
    const part = this.#parts[this.#checked.length]
    // Says how many of its lines are missing.
    part?.end()
    const { checkpoint, log, position, nonce } = this.#own
    return { checkpoint, log, position, nonce, manifest: this.#manifest, engines: this.#checked }
  }

  // Ends every engine's part whose lines have all come.
  #skipEmpty(): void {
    for (;;) {
      const [part, engine] = [this.#parts[this.#checked.length], this.#manifest.engines[this.#checked.length]]
      if (part === undefined || engine === undefined || this.#lines < engine.to - engine.from) return
      this.#checked.push(part.end())
      this.#lines = 0
    }
  }
}

function partOf(text: string, engine: EnginesManifest['engines'][number] | undefined): AnswerCheck {
  const proof = parseAnswerProof(text)
  if (proof === undefined || engine === undefined) throw malformed("a part of the proof is not an engine's")
  const check = new AnswerCheck(proof)
  const isIt = check.log === engine.log && proof.from === engine.from && proof.to === engine.to
  if (isIt && proof.mark === engine.mark) return check
  throw contradicted(`the proof of ${check.log} is not of what the manifest says of ${engine.log}`)
}

function ownEntry(text: string, manifest: string): Omit<CheckedEngines, 'engines' | 'manifest'> {
  const proof = parseTlogProof(text)
  const line = proof?.extra
  if (proof === undefined || line === undefined) throw malformed("the proof lacks the portal's own entry")
  const checkpoint = checkpointOfProof(proof, leafHashOfBytes(line, 0, line.length))
  if (checkpoint === undefined)
    throw contradicted("the portal's own entry does not lead to the root of its checkpoint")
  const entry = parseEntry(line)
  const log = logOfOrigin(checkpoint.origin)
  if (entry === undefined || log === undefined || entry.log !== log || entry.position !== proof.index)
    throw contradicted("the portal's own entry is not where its checkpoint says")
  if (entry.via !== 'self' || paramsOf(entry, 'event@32473').get('manifest') !== manifest)
    throw contradicted("the manifest is not the one of which the portal's own entry tells")
  const nonce = paramsOf(entry, 'detail@32473').get('nonce')
  return { checkpoint, log, position: entry.position, nonce }
}
