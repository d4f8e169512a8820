// `npm run bench -- [NAME…] [--quick] [--rounds N]`: runs the benchmarks, prints what they found, and writes it to
// RESULTS.md. It ends with 1 where a bar was missed or a peer is not installed; `--quick` only shows that they run.

import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type BenchContext, type Benchmark, PeerMissing } from './benchmark.ts'
import { isReached, leastRounds } from './harness.ts'
import { describeMachine } from './machine.ts'
import { renderSection, updateResults } from './report.ts'
import { agora } from './agora.ts'
import { allEngines } from './all-engines.ts'
import { allEnginesLatency } from './all-engines-latency.ts'
import { allEnginesLost } from './all-engines-lost.ts'
import { answerProof } from './answer-proof.ts'
import { append } from './append.ts'
import { appendOne } from './append-one.ts'
import { checkpointDelay } from './checkpoint-delay.ts'
import { credentials } from './credentials.ts'
import { engineLog } from './engine-log.ts'
import { firstByte } from './first-byte.ts'
import { provedAppends } from './proved-appends.ts'
import { recordClient } from './record-client.ts'
import { recordMemory } from './record-memory.ts'
import { recordNdjson } from './record-ndjson.ts'
import { recordOne } from './record-one.ts'
import { recordOverload } from './record-overload.ts'
import { recordSyslog } from './record-syslog.ts'
import { smallRequest } from './small-request.ts'
import { verify } from './verify.ts'
import { wholeLog } from './whole-log.ts'
import { window } from './window.ts'
import { wrongPasswords } from './wrong-passwords.ts'

const benchmarks: readonly Benchmark[] = [
  wholeLog,
  window,
  firstByte,
  append,
  appendOne,
  smallRequest,
  credentials,
  wrongPasswords,
  recordOne,
  recordNdjson,
  recordSyslog,
  recordMemory,
  recordClient,
  recordOverload,
  agora,
  engineLog,
  allEngines,
  allEnginesLatency,
  allEnginesLost,
  provedAppends,
  checkpointDelay,
  answerProof,
  verify,
]

const results = fileURLToPath(new URL('RESULTS.md', import.meta.url))
const dataDirectory = fileURLToPath(new URL('../.bench/', import.meta.url))

// The servers that a benchmark has started are stopped when the process exits, and by no signal alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1

async function main(args: string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  })
  const isQuick = values.quick
  const rounds = Number(values.rounds ?? (isQuick ? 1 : leastRounds))
  const directory = `${dataDirectory}${isQuick ? 'quick' : 'full'}`
  // A quick run shows that everything still works from the beginning; a full one uses again what took minutes.
  if (isQuick) await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const context = { isQuick, rounds, directory, say: (text: string) => console.error(`  ${text}`) }
  let isGood = true
  for (const benchmark of chosen(positionals)) isGood = (await runOne(benchmark, context)) && isGood
  return isGood
}

function chosen(names: readonly string[]): readonly Benchmark[] {
  for (const name of names) {
    if (benchmarks.some((benchmark) => benchmark.name === name)) continue
    throw new Error(
      `there is no benchmark ${name}, only ${benchmarks.map((benchmark) => benchmark.name).join(', ')}`,
    )
  }
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name))
}

async function runOne(benchmark: Benchmark, context: BenchContext): Promise<boolean> {
  const { isQuick, rounds, directory } = context
  console.error(benchmark.name)
  try {
    const machine = await describeMachine(directory)
    const outcome = await benchmark.run(context)
    const [date = ''] = new Date().toISOString().split('T')
    const command = `npm run bench -- ${benchmark.name}${isQuick ? ' --quick' : ''}`
    const section = renderSection(benchmark, outcome, { date, command, machine, rounds })
    console.log(`${section}\n`)
    // Fewer rounds are for trying something out, and are not published.
    if (!isQuick && rounds >= leastRounds) updateResults(results, benchmark.name, section)
    return isQuick || outcome.comparisons.every(isReached)
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error
    console.error(`  left out: ${error.message}`)
    return isQuick
  }
}
