// Checks an answer with its proof, whatever it is about: one log, or all engines.

import type { SignedCheckpoint } from '../tree/signed-checkpoint.ts'
import { AnswerCheck, type CheckedAnswer } from './answer-check.ts'
import { parseAnswerProof } from './answer-proof.ts'
import { type CheckedEngines, EnginesCheck } from './engines-check.ts'
import { isEnginesProof, parseEnginesProof } from './engines-proof.ts'
import { malformed } from './not-proved.ts'

/** What an answer is proved to be. */
export type CheckedProof =
  | { readonly of: 'log'; readonly answer: CheckedAnswer }
  | { readonly of: 'engines'; readonly answer: CheckedEngines }

/** Checks an answer that is given line by line. Every step throws `NotProved`. */
export interface ProofCheck {
  line(bytes: Buffer, start: number, end: number): void
  end(): CheckedProof
}

/** The check that a proof asks for. Throws `NotProved`. */
export function proofCheckOf(text: string): ProofCheck {
  if (isEnginesProof(text)) {
    const proof = parseEnginesProof(text)
    if (proof === undefined) throw malformed('the proof of all engines is not readable')
    const check = new EnginesCheck(proof)
    return { line: (...of) => check.line(...of), end: () => ({ of: 'engines', answer: check.end() }) }
  }
  const proof = parseAnswerProof(text)
  if (proof === undefined) throw malformed('this is not the proof of an answer')
  const check = new AnswerCheck(proof)
  return { line: (...of) => check.line(...of), end: () => ({ of: 'log', answer: check.end() }) }
}

/** Every checkpoint on which a checked proof rests: each must be signed by keys that are trusted for its origin. */
export function checkpointsOf({ of, answer }: CheckedProof): readonly SignedCheckpoint[] {
  if (of === 'log') return [answer.checkpoint]
  return [answer.checkpoint, ...answer.engines.map(({ checkpoint }) => checkpoint)]
}

/** The nonce that the entry of the read repeats. */
export function nonceIn({ of, answer }: CheckedProof): string | undefined {
  return of === 'log' ? answer.read.nonce : answer.nonce
}
