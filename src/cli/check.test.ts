import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

test('a whole log is said to be whole, for people and for programs', async (context) => {
  const data = await makeLog(context)
  const people = await ran(['check', '--data', data])
  assert.deepEqual([people.exitCode, people.errors], [0, ''])
  assert.match(
    people.output,
    /^log +portal-[a-z2-7]{16}\nentries +4 \(\d+ bytes in 1 segments\)\n[^]*No fault was found\.\n$/,
  )
  const programs = await ran(['check', '--data', data, '--json'])
  const report = JSON.parse(programs.output) as Record<string, unknown>
  assert.deepEqual([report['size'], report['headSize'], report['faultCount']], [4, 4, 0])
  assert.match(String(report['root']), /^[A-Za-z0-9+/]{43}=$/)
})

test('a flipped byte is damage, and exit code 3', async (context) => {
  const data = await makeLog(context)
  const segments = join(data, 'log', 'segments')
  const [name = ''] = readdirSync(segments).filter((name) => name.endsWith('.log'))
  const bytes = readFileSync(join(segments, name))
  bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1
  writeFileSync(join(segments, name), bytes)
  const { exitCode, output, errors } = await ran(['check', '--data', data])
  assert.equal(exitCode, 3)
  assert.match(output, /faults? (?:was|were) found:\n {2}DAMAGE: /)
  assert.match(errors, /^annals: the audit log is damaged/)
})

test('a missing log is exit code 5', async (context) => {
  const data = await makeLog(context)
  rmSync(join(data, 'log'), { recursive: true })
  const { exitCode, errors } = await ran(['check', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /there is no audit log in/)
})

async function ran(args: readonly string[]) {
  const surroundings = testSurroundings()
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

async function makeLog(context: TestContext): Promise<string> {
  const data = join(temporaryDirectory(context), 'data')
  await using log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  for (const code of ['20001', '20002', '20004']) {
    await log.record(draftOf(selfEvent({ code, actor: '*system', hostName: 'portal' }), log.id))
  }
  return data
}
