// What the tree and its checkpoints cost those who record. The same log, on the same path, in two processes: one as it is,
// and one in which the hashes of the tree and the signatures of checkpoints are replaced by constants as the modules are
// loaded (`without-tree.ts`). Everything else is there in both: rendering, the check for duplicates, fdatasync.

import { join } from 'node:path'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { compare, measureInRounds } from './harness.ts'
import { runCommand } from './command.ts'
import { fileURLToPath } from 'node:url'

const recorders = 1_024
const program = fileURLToPath(new URL('proved-appends-process.ts', import.meta.url))
const hooks = new URL('without-tree.ts', import.meta.url).href

/** Durable appends with the tree and checkpoints, against the same without hashing and signing. */
export const provedAppends: Benchmark = {
  name: 'proved-appends',
  title: `durable appends with the tree and signed checkpoints, ${recorders} recorders, against the same without hashing and signing`,
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const count = context.isQuick ? 5_000 : 400_000
  const side = (name: string, flags: readonly string[]) => ({
    name,
    measure: async () => {
      const data = join(context.directory, 'proved-appends')
      const args = ['--disable-warning=ExperimentalWarning', '--expose-gc', ...flags, program, data]
      return Number(await runCommand(process.execPath, [...args, String(recorders), String(count)]))
    },
  })
  const measured = await measureInRounds(
    [side('with the tree and checkpoints', []), side('without hashing and signing', ['--import', hooks])],
    { ...context, unit: 'entries/s' },
  )
  const [proved, bare] = measured
  if (proved === undefined || bare === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [compare('with / without', proved, bare, { kind: 'at least', value: 0.7 })],
    notes: [
      `${count.toLocaleString('en-GB')} entries each time by ${recorders} recorders in a process of its own, into an empty log; rendered, checked for duplicates, fdatasync before every answer (fsync on); checkpoints with Ed25519 and ML-DSA-44 twice a second.`,
    ],
  }
}
