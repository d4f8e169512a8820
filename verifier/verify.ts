// The verdict about files that somebody dropped, in plain words: what is proved, of what, and who has signed it. All that is
// decided here is decided by `src/verify`, as it is by `annals verify`.

import { formatMicros } from '../src/entry/time.ts'
import type { SignedCheckpoint } from '../src/tree/signed-checkpoint.ts'
import type { CheckedAnswer } from '../src/verify/answer-check.ts'
import { checkEntryProof } from '../src/verify/entry-proof.ts'
import { logOfOrigin } from '../src/verify/lines.ts'
import { malformed, NotProved, type NotProvedReason } from '../src/verify/not-proved.ts'
import { type CheckedProof, checkpointsOf, proofCheckOf } from '../src/verify/proof-check.ts'
import { signaturesOf, type Trust } from '../src/verify/signatures.ts'
import { WholeLogCheck } from '../src/verify/whole-log.ts'
import { type GivenFile, type GivenFiles, readLines, sortFiles } from './given-files.ts'
import { parseTrust } from './trust.ts'

/** A verdict. */
export interface Verdict {
  /** `unsigned`: it all fits together, but nobody who was named has signed it, or too few have. */
  readonly state: 'proved' | 'unsigned' | 'refused'
  /** One sentence. */
  readonly headline: string
  /** Names and values. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** What the verdict does not say. */
  readonly notes: readonly string[]
}

/** Told how many bytes of how many were read, and waited for: a page can show it, and be used meanwhile. */
export type Progress = (read: number, of: number) => Promise<void>

/** What there is to say about files, under keys or a policy as they were typed. */
export async function verifyFiles(
  files: readonly GivenFile[],
  trusted: string,
  progress: Progress,
): Promise<Verdict[]> {
  try {
    const trust = parseTrust(trusted)
    const given = await sortFiles(files)
    const receipts = given.receipts.map(({ name, text }) => judged(() => verifyReceipt(name, text, trust)))
    const about = subjectOf(given)
    if (about === undefined) return receipts
    const verdict = await judgedLater(async () =>
      about === 'answer'
        ? await verifyAnswer(given, trust, progress)
        : await verifyWholeLog(given, trust, progress),
    )
    return [...receipts, verdict]
  } catch (error) {
    return [refusal(error)]
  }
}

function subjectOf({ receipts, proofs, checkpoints, lines }: GivenFiles): 'answer' | 'log' | undefined {
  if (proofs.length > 1) throw malformed('there are two proofs of answers: drop one, with its answer')
  if (proofs.length === 1) return 'answer'
  if (checkpoints.length > 1)
    throw malformed('there are two checkpoints: drop one, with the files of its log')
  if (checkpoints.length === 1) return 'log'
  if (lines.length > 0)
    throw malformed('there are lines, and nothing that proves them: drop their proof or checkpoint too')
  if (receipts.length === 0) throw malformed('there is nothing to verify')
  return undefined
}

function verifyReceipt(name: string, text: string, trust: Trust): Verdict {
  const { checkpoint, log, position, line } = checkEntryProof(text)
  const facts = [
    ['file', name],
    ['log', log],
    ['entry', line.toString()],
  ] as const
  const headline = `This entry is in the log, at position ${position}.`
  return signedVerdict({ headline, checkpoints: [checkpoint], facts, notes: [] }, trust)
}

async function verifyAnswer(
  { proofs, lines }: GivenFiles,
  trust: Trust,
  progress: Progress,
): Promise<Verdict> {
  const check = proofCheckOf(proofs[0] ?? '')
  await readAll(lines, (...line) => check.line(...line), progress)
  return signedVerdict(aboutAnswer(check.end()), trust)
}

function aboutAnswer(proof: CheckedProof): Found {
  const checkpoints = checkpointsOf(proof)
  if (proof.of === 'log') {
    const { from, to, log } = proof.answer
    const headline = `This answer is complete: ${count(to - from, 'entry', 'entries')}, none left out.`
    return { headline, checkpoints, facts: [['log', log], ...answerFacts(proof.answer)], notes: [aboutOrder] }
  }
  const { engines, log } = proof.answer
  const entries = engines.reduce((sum, { from, to }) => sum + to - from, 0)
  const headline = `This answer is complete: ${count(entries, 'entry', 'entries')} of ${count(engines.length, 'engine', 'engines')}, none left out.`
  const each = engines.flatMap((engine) => [['engine', engine.log] as const, ...answerFacts(engine)])
  return { headline, checkpoints, facts: [['portal', log], ...each], notes: [aboutOrder, aboutEngines] }
}

const aboutOrder =
  'Assumed is that times never decrease elsewhere in the log. The whole log shows whether they do.'
const aboutEngines =
  'That these are all engines is what the portal’s log says: its entries 20701 to 20704 name every engine that was connected or removed.'

function answerFacts({ from, to, start, end, read }: CheckedAnswer): Verdict['facts'] {
  const since = start === undefined ? 'the beginning of the log' : formatMicros(start)
  return [
    ['window', `from ${since}, before ${formatMicros(end)}`],
    ['positions', from === to ? 'none' : `${from} to ${to - 1}`],
    ['read', `by ${read.actor ?? 'somebody'}, entry ${read.position} of the log, ${formatMicros(read.time)}`],
    ...(read.nonce === undefined ? [] : [['nonce', read.nonce] as const]),
  ]
}

async function verifyWholeLog(given: GivenFiles, trust: Trust, progress: Progress): Promise<Verdict> {
  const [checkpoint] = given.checkpoints
  if (checkpoint === undefined) throw malformed('there is no checkpoint')
  const check = new WholeLogCheck(checkpoint)
  await readAll(given.lines, (...line) => check.line(...line), progress)
  const { log, proved, behind, firstTime, lastTime } = check.end()
  const headline = `This is the log from its beginning: ${count(proved, 'entry', 'entries')}, none changed or left out.`
  const facts: Verdict['facts'] = [
    ['log', log],
    ['first', firstTime === undefined ? '-' : formatMicros(firstTime)],
    ['last', lastTime === undefined ? '-' : formatMicros(lastTime)],
    ...(behind === 0
      ? []
      : [['not proved', `${count(behind, 'line', 'lines')} behind what the checkpoint covers`] as const]),
  ]
  return signedVerdict({ headline, checkpoints: [checkpoint], facts, notes: [] }, trust)
}

async function readAll(
  files: readonly GivenFile[],
  sink: Parameters<typeof readLines>[1],
  progress: Progress,
): Promise<void> {
  const all = files.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  for (const file of files) {
    await readLines(file, sink, async (bytes) => {
      done += bytes
      await progress(done, all)
    })
  }
}

/** What all fits together, whoever has signed it. */
interface Found {
  readonly headline: string
  readonly checkpoints: readonly SignedCheckpoint[]
  readonly facts: Verdict['facts']
  readonly notes: readonly string[]
}

// It all fits together. Who says so?
function signedVerdict({ headline, checkpoints, facts, notes: more }: Found, trust: Trust): Verdict {
  const notes = [postQuantumNote(checkpoints), ...more]
  const found = [...facts, ...checkpointFacts(checkpoints)]
  if (trust.logKeys.length === 0) return { state: 'unsigned', headline: signedByNobody, facts: found, notes }
  const signatures = checkpoints.map((checkpoint) => signaturesOf(checkpoint, trust))
  const verdicts = [...new Set(signatures.map(({ verdict }) => verdict))]
  const all = [...found, ...verdicts.map((verdict) => ['signed', verdict] as const)]
  const isWitnessed = signatures.every(({ quorum }) => quorum !== 'missing')
  return isWitnessed
    ? { state: 'proved', headline: `${headline} ${sentence(verdicts.join('; '))}`, facts: all, notes }
    : { state: 'unsigned', headline: tooFewWitnesses, facts: all, notes }
}

const signedByNobody =
  'It all fits together, but you named no key: whoever made the files may have made it all up.'
const tooFewWitnesses =
  'It all fits together and is signed by the log, but fewer have witnessed it than your policy asks for.'

function checkpointFacts(checkpoints: readonly SignedCheckpoint[]): Verdict['facts'] {
  return checkpoints.map((checkpoint) => [
    'checkpoint',
    `${checkpoint.size} entries of ${logName(checkpoint)}`,
  ])
}

function postQuantumNote(checkpoints: readonly SignedCheckpoint[]): string {
  const lines = checkpoints.flatMap(({ signatures }) => signatures)
  const postQuantum = lines.filter(({ bytes }) => bytes.length === mlDsaBytes).length
  return postQuantum === 0
    ? 'There is no post-quantum signature (ML-DSA-44) here. A log of Annals signs with one.'
    : `This page checks Ed25519 signatures. ${count(postQuantum, 'post-quantum signature (ML-DSA-44) is', 'post-quantum signatures (ML-DSA-44) are')} here, and not checked: “annals verify” checks both.`
}

// A time, and the signature.
const mlDsaBytes = 8 + 2420

function judged(verify: () => Verdict): Verdict {
  try {
    return verify()
  } catch (error) {
    return refusal(error)
  }
}

async function judgedLater(verify: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await verify()
  } catch (error) {
    return refusal(error)
  }
}

function refusal(error: unknown): Verdict {
  if (!(error instanceof NotProved)) throw error
  return {
    state: 'refused',
    headline: `Not proved: ${error.message}.`,
    facts: [],
    notes: notesOn(error.reason),
  }
}

function notesOn(reason: NotProvedReason): string[] {
  const note = reasons[reason]
  return note === undefined ? [] : [note]
}

const reasons: Partial<Record<NotProvedReason, string>> = {
  malformed: 'This says nothing about the log: something else than expected was given.',
  unsigned: 'Nobody whom you named has signed this.',
  contradicted:
    'What you have and what was signed do not fit together: something was changed, removed, added or left out, or the files do not belong together.',
}

function logName({ origin }: SignedCheckpoint): string {
  return logOfOrigin(origin) ?? origin
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}
