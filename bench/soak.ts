// `node bench/soak.ts [MINUTES] [--kill-seconds N] [--data DIRECTORY]`: recorders at saturation for ten minutes, unless it is
// told otherwise, and kill -9 every 20 seconds. Prints the account, and ends with 1 where something that was
// acknowledged is not in the log exactly once.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { runSoak } from './soak/run-soak.ts'
import { renderSoak } from './soak/soak-report.ts'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'kill-seconds': { type: 'string', default: '20' },
    data: { type: 'string', default: fileURLToPath(new URL('../.bench/soak', import.meta.url)) },
  },
})
const minutes = Number(positionals[0] ?? 10)
const data = join(values.data, 'data')
await rm(values.data, { recursive: true, force: true })
await mkdir(values.data, { recursive: true })
const machine = await describeMachine(values.data)
const report = await runSoak({
  data,
  seconds: minutes * 60,
  killSeconds: Number(values['kill-seconds']),
  connections: 32,
  ndjsonEvents: 5_000,
  syslogPerSecond: 2_000,
  say: (text) => console.error(`  ${text}`),
})
console.log(renderSoak(report, { minutes, machine, command: `node bench/soak.ts ${minutes}` }))
process.exitCode = report.faults.length === 0 ? 0 : 1
