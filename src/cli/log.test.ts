import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { lockData } from '../log/lock.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

for (const [command, reason] of [
  [['log', 'renew'], 'renewed'],
  [['key', 'revoke'], 'revoked'],
] as const) {
  test(`"${command.join(' ')}" closes the log for good, and continues with a new one that names it`, async (context) => {
    const { data, id } = await dataDirectory(context)
    const { exitCode, output, errors } = await ran([...command, '--yes', '--json', '--data', data])
    assert.deepEqual([exitCode, errors], [0, ''])
    const told = JSON.parse(output) as Told
    assert.deepEqual(
      [told.reason, told.closed.log, told.closed.size, told.closed.unproved],
      [reason, id, 1, 0],
    )
    assert.equal(told.closed.directory, join(data, 'logs', id))
    assert.equal(told.keys.length, 2)
    assert.ok(!readdirSync(told.closed.directory).some((name) => name.endsWith('.pem')))
    const segment = readFileSync(join(data, 'log/segments/00000000000000000000.log'), 'utf8')
    assert.match(
      segment,
      new RegExp(`\\|29088\\|\\*system\\] This log ${told.log} continues ${id}, closed with 1 `),
    )
    assert.ok(segment.includes('orderedBy="*cli:operator"'))
    const check = await ran(['check', '--data', data])
    assert.equal(check.exitCode, 0, check.errors)
  })
}

test('whoever revokes the keys of a log that nobody witnesses is told what that means', async (context) => {
  const { data } = await dataDirectory(context)
  const { output } = await ran(['key', 'revoke', '--yes', '--data', data])
  assert.match(
    output,
    /^The log portal-\S+ is closed at its last checkpoint: 1 entry\.\nNo witness has cosigned any /,
  )
  assert.match(
    output,
    /\nIt stays in \S+\/logs\/portal-\S+ Its private keys are destroyed\.\nThe log portal-\S+ continues it/,
  )
  assert.match(output, /\nThis engine has to join its portal again: /)
  assert.doesNotMatch(output, /PRIVATE/)
})

test('nothing is closed without --yes, beside a running node, or where there is no log', async (context) => {
  const { data, id } = await dataDirectory(context)
  const unsaid = await ran(['log', 'renew', '--data', data])
  assert.deepEqual([unsaid.exitCode, /say so with --yes/.test(unsaid.errors)], [2, true])
  {
    using _node = lockData(data, 'annals serve')
    const beside = await ran(['key', 'revoke', '--yes', '--data', data])
    assert.equal(beside.exitCode, 4)
    assert.match(
      beside.errors,
      /^annals: stop the node first: this data directory is in use by process \d+ \(annals serve\)/,
    )
  }
  const description = JSON.parse(readFileSync(join(data, 'log/log.json'), 'utf8')) as { id: string }
  assert.equal(description.id, id)
  assert.ok(!existsSync(join(data, 'logs')))
  const empty = temporaryDirectory(context)
  for (const nowhere of [join(data, 'none'), empty])
    assert.equal((await ran(['log', 'renew', '--yes', '--data', nowhere])).exitCode, 5)
  assert.deepEqual(readdirSync(empty), [])
})

interface Told {
  readonly closed: {
    readonly log: string
    readonly size: number
    readonly unproved: number
    readonly directory: string
  }
  readonly reason: string
  readonly log: string
  readonly keys: readonly string[]
}

async function ran(args: readonly string[]) {
  const surroundings = testSurroundings()
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

async function dataDirectory(context: TestContext): Promise<{ data: string; id: string }> {
  const data = join(temporaryDirectory(context), 'data')
  await using log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  return { data, id: log.id }
}
