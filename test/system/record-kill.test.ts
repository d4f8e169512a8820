// A short soak: recorders of every kind, and a server that is killed again and again. The long one is
// `node bench/soak.ts`.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runSoak } from '../../bench/soak/run-soak.ts'
import { temporaryDirectory } from './portal-process.ts'

const seconds = Number(process.env['ANNALS_SOAK_SECONDS'] ?? 24)

test('I1, I4, I7: what was acknowledged before a kill is in the log exactly once, at its position, whoever recorded it', async (context) => {
  const report = await runSoak({
    data: join(temporaryDirectory(context), 'data'),
    seconds,
    killSeconds: 6,
    connections: 16,
    ndjsonEvents: 2_000,
    syslogPerSecond: 500,
    say: (text) => context.diagnostic(text),
  })
  assert.deepEqual(report.faults, [])
  assert.match(report.check, /^No fault was found\.$/m)
  // A server that was not killed while somebody waited for it would prove nothing.
  assert.ok(report.kills >= 2, `${report.kills} kills`)
  const brokenOff = [...report.tally].filter(([what]) => what.startsWith('broken off'))
  assert.ok(brokenOff.length > 0, 'no request was broken off')
  for (const { name, sent, acknowledged, present, unknown } of report.accounts)
    context.diagnostic(
      `${name}: ${sent} sent, ${acknowledged} acknowledged, ${unknown} never told, ${present} present`,
    )
})
