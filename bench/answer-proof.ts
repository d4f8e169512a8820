// The proof that an answer is complete, in a log of 10 million entries: how long it takes to make and to check, and how large
// it is besides the signed checkpoint and the two neighbours; and how long such a log takes to open.

import { draftOf } from '../src/entry/line.ts'
import { selfEvent } from '../src/entry/self-event.ts'
import { formatMicros } from '../src/entry/time.ts'
import { published } from '../src/http/published.ts'
import type { AuditLog } from '../src/log/audit-log.ts'
import { openLog } from '../src/log/open.ts'
import { systemClock } from '../src/ops/clock.ts'
import { AnswerCheck } from '../src/verify/answer-check.ts'
import { parseAnswerProof } from '../src/verify/answer-proof.ts'
import { portalName } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { against, measureInRounds, medianOf } from './harness.ts'
import { makeLog, timeOf } from './make-log.ts'
import { monthLines, monthPlan } from './window.ts'

const entries = 1_000
// A single proof is a matter of milliseconds, so that each round takes the median of a few, in different places.
const proofsInARound = 5

/** The proof of a complete answer, and the opening of a log. */
export const answerProof: Benchmark = {
  name: 'answer-proof',
  title:
    'the proof that an answer is complete, in a log of 10 million entries: made, checked, its size; and opening the log',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const plan = monthPlan(monthLines(context))
  const data = await makeLog(context, plan)
  const open = () => openLog({ data, hostName: portalName, component: 'Portal', clock: systemClock() })
  const sizes: number[] = []
  const checkedMs: number[] = []
  const openMs = async () => {
    const begin = performance.now()
    const log = await open()
    const took = performance.now() - begin
    await log.close()
    return took
  }
  const opened = await measureInRounds([{ name: 'opening', measure: openMs }], { ...context, unit: 'ms' })
  await using log = await open()
  let place = 0
  const proof = async () => {
    // Another place each time: nothing of it is in memory but what a log of this size keeps there.
    place = (place + 0.381_966) % 1
    const asked = await ask(
      log,
      timeOf(plan, Math.floor(place * (plan.lines - entries))),
      entries * plan.spacingMicros,
    )
    const begin = performance.now()
    const text = String(await published(log, `reads/${asked.mark}/proof`))
    const took = performance.now() - begin
    sizes.push(sizeOf(text))
    checkedMs.push(check(text, asked.body))
    return took
  }
  const made = await measureInRounds([{ name: 'made', measure: severalOf(proof) }], {
    ...context,
    unit: 'ms',
  })
  const checked = {
    name: 'checked, hashing the answer included',
    unit: 'ms',
    figures: checkedMs.slice(-context.rounds),
  }
  const size = {
    name: 'size besides checkpoint and neighbours',
    unit: 'bytes',
    figures: sizes.slice(-context.rounds * proofsInARound),
  }
  const all = [...made, checked, size, ...opened]
  return {
    measured: all,
    comparisons: [
      against('made, as a share of 5 ms', made[0]?.figures ?? [], 5),
      against('checked, as a share of 50 ms', checked.figures, 50),
      against('size, as a share of 8 KB', size.figures, 8_000),
      against('opening, as a share of 5 s', opened[0]?.figures ?? [], 5_000),
    ],
    notes: [
      `${plan.lines.toLocaleString('en-GB')} entries; answers of ${entries.toLocaleString('en-GB')} entries in ${context.rounds * proofsInARound} places, ${proofsInARound} a round of which the median counts; made in process, once the checkpoint is there. The signatures are not part of it: verifying both takes about a millisecond.`,
    ],
  }
}

function severalOf(measure: () => Promise<number>): () => Promise<number> {
  return async () => {
    const figures: number[] = []
    for (let k = 0; k < proofsInARound; k += 1) figures.push(await measure())
    return medianOf(figures)
  }
}

interface Asked {
  readonly mark: number
  readonly body: Buffer
}

async function ask(log: AuditLog, start: number, elapsed: number): Promise<Asked> {
  const snapshot = await log.read({ before: start + elapsed, elapsed }, (read) => {
    const { start, end, from, to, bytes } = read
    const texts = { start: formatMicros(start), end: formatMicros(end) }
    const fields = { ...texts, from: String(from), to: String(to), bytes: String(bytes) }
    return draftOf(selfEvent({ code: 29001, actor: 'bench', hostName: portalName, fields }), log.id)
  })
  if (snapshot.mark === undefined) throw new Error('there is no room to record')
  const body = Buffer.alloc(snapshot.bytes)
  await using reader = snapshot.open()
  for (let done = 0; done < body.length;) done += await reader.read(body.subarray(done), done)
  await log.proofs.covering(snapshot.mark + 1)
  return { mark: snapshot.mark, body }
}

function sizeOf(text: string): number {
  const [proof = ''] = text.split('\n\n', 1)
  return proof
    .split('\n')
    .filter((line) => !/^(left|right) /.test(line))
    .join('\n').length
}

function check(text: string, body: Buffer): number {
  const begin = performance.now()
  const proof = parseAnswerProof(text)
  if (proof === undefined) throw new Error('the proof is none')
  const check = new AnswerCheck(proof)
  for (let start = 0; start < body.length;) {
    const end = body.indexOf(0x0a, start)
    check.line(body, start, end)
    start = end + 1
  }
  check.end()
  return performance.now() - begin
}
