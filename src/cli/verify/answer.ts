// A downloaded answer with its proof: that of one log, or of all engines.

import { formatMicros } from '../../entry/time.ts'
import { verifyProofBytes } from '../../limits.ts'
import type { CheckedAnswer } from '../../verify/answer-check.ts'
import type { CheckedEngines } from '../../verify/engines-check.ts'
import { type CheckedProof, checkpointsOf, proofCheckOf } from '../../verify/proof-check.ts'
import { signaturesOfAll } from '../../verify/signatures.ts'
import { startProgress } from '../progress.ts'
import type { Surroundings } from '../surroundings.ts'
import { type Account, checkpointRow, rootText, tellProved } from './account.ts'
import { eachLine, readText } from './files.ts'
import type { VerifyFlags } from './flags.ts'
import { readTrust } from './trust.ts'

/** Verifies the answer in a file, or in standard input (`-`). Throws `NotProved`, and INVALID_INPUT. */
export async function verifyAnswer(
  surroundings: Surroundings,
  file: string,
  proof: string,
  flags: VerifyFlags,
): Promise<void> {
  const trust = await readTrust(surroundings, flags)
  const checked = await checkAnswer(surroundings, file, proof)
  const signatures = signaturesOfAll(checkpointsOf(checked), trust)
  const account = checked.of === 'log' ? logAccount(checked.answer) : enginesAccount(checked.answer)
  tellProved(surroundings, flags.json === true, account, signatures)
}

/** Reads the file of a proof. */
export async function readProof(surroundings: Surroundings, file: string): Promise<string> {
  return await readText(surroundings, { what: '--proof', file }, verifyProofBytes)
}

async function checkAnswer(surroundings: Surroundings, file: string, proof: string): Promise<CheckedProof> {
  const check = proofCheckOf(proof)
  using progress = startProgress(surroundings, 'verifying')
  await eachLine(surroundings, file, progress, (bytes, start, end) => check.line(bytes, start, end))
  return check.end()
}

function logAccount(answer: CheckedAnswer): Account {
  const { checkpoint, log, from, to, read } = answer
  const nonce = read.nonce === undefined ? [] : [['nonce', read.nonce] satisfies [string, string]]
  return {
    rows: [
      ['log', log],
      ['entries', `${to - from}: ${positionsText(from, to)}`],
      ['complete', `every entry that was recorded ${windowText(answer)}, and no other`],
      ['read', `by ${read.actor ?? 'nobody'} at ${formatMicros(read.time)}, position ${read.position}`],
      ...nonce,
      checkpointRow(checkpoint),
    ],
    json: { form: 'answer', ...answerJson(answer) },
  }
}

function enginesAccount({ checkpoint, log, position, nonce, manifest, engines }: CheckedEngines): Account {
  const entries = engines.reduce((sum, { from, to }) => sum + to - from, 0)
  return {
    rows: [
      ['portal', log],
      [
        'engines',
        `${engines.length}, with ${entries} entries: those that the portal had asked at position ${position}`,
      ],
      ...engines.map((answer) => ['engine', engineText(answer)] satisfies [string, string]),
      ['registry', registryText(manifest.registry)],
      checkpointRow(checkpoint),
    ],
    json: {
      form: 'engines',
      log,
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: rootText(checkpoint),
      position,
      nonce: nonce ?? null,
      registry: manifest.registry ?? null,
      engines: engines.map(answerJson),
    },
  }
}

function engineText(answer: CheckedAnswer): string {
  const { log, from, to } = answer
  return `${log}, ${positionsText(from, to)}: every entry that was recorded ${windowText(answer)}, and no other`
}

function registryText(registry: number | undefined): string {
  const from = "whether an engine was left out, the portal's log says"
  return registry === undefined ? from : `${from}: its engines last changed at position ${registry}`
}

function answerJson({ checkpoint, log, from, to, start, end, read }: CheckedAnswer): object {
  return {
    log,
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: rootText(checkpoint),
    from,
    to,
    start: start === undefined ? null : formatMicros(start),
    end: formatMicros(end),
    mark: read.position,
    actor: read.actor ?? null,
    nonce: read.nonce ?? null,
  }
}

function positionsText(from: number, to: number): string {
  return from === to ? `none, between positions ${from - 1} and ${to}` : `positions ${from} to ${to - 1}`
}

function windowText({ start, end }: CheckedAnswer): string {
  const until = `before ${formatMicros(end)}`
  return start === undefined ? until : `from ${formatMicros(start)} on and ${until}`
}
