import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../database/database.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

test('S1: the profiles are listed, the mightiest first, with how many accounts have each', async (context) => {
  const data = await dataDirectory(context)
  await account(['add', 'anna', '--profile', 'main-administrator', '--data', data])
  const [heading = '', ...rows] = (await succeeds(['list', '--data', data])).trimEnd().split('\n')
  assert.match(heading, /^NAME +TIER +ROLES +ACCOUNTS +DESCRIPTION$/)
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/).slice(0, 4)),
    [
      ['main-administrator', 'main-administrator', '-', '1'],
      ['central-administrator', 'central-administrator', '-', '0'],
      ['user', 'user', '-', '0'],
    ],
  )
})

test('what a profile allows is shown, for people and for programs', async (context) => {
  const data = await dataDirectory(context)
  const central = await succeeds(['show', 'central-administrator', '--data', data])
  assert.match(central, /^name +central-administrator \(built in\)\n/)
  assert.match(
    central,
    /\nallows +read-audit-log, record-events, manage-accounts, manage-profiles, manage-clients, /,
  )
  assert.doesNotMatch(central, /grant-own-codes/)
  assert.match(await succeeds(['show', 'user', '--data', data]), /\nallows +nothing\n/)
  assert.deepEqual(JSON.parse(await succeeds(['show', 'user', '--json', '--data', data])), {
    name: 'user',
    description: 'may do nothing here',
    tier: 'user',
    builtIn: true,
    roles: [],
    permissions: [],
    accounts: 0,
  })
  const { exitCode, errors } = await ran(['show', 'auditor', '--data', data])
  assert.deepEqual([exitCode, errors], [5, 'annals: there is no profile "auditor"\n'])
})

test('an account becomes an auditor once that is switched on, and keeps it from being switched off', async (context) => {
  const data = await dataDirectory(context)
  const early = await ranAnnals([
    'account',
    'add',
    'audrey',
    '--profile',
    'auditor',
    ...password,
    '--data',
    data,
  ])
  assert.equal(early.exitCode, 2)
  assert.match(
    early.errors,
    /"auditor" is no profile: .* \("annals profile enable auditor" switches that one on\)/,
  )
  assert.match(await succeeds(['enable', 'auditor', '--data', data]), /account add NAME --profile auditor/)
  assert.match(await succeeds(['enable', 'auditor', '--data', data]), /is there already/)
  await account(['add', 'audrey', '--profile', 'auditor', '--data', data])
  const refusal = await ran(['disable', 'auditor', '--data', data])
  assert.deepEqual(
    [refusal.exitCode, refusal.errors],
    [5, 'annals: the account "audrey" has the profile "auditor"\n'],
  )
  await account(['remove', 'audrey', '--data', data])
  assert.match(await succeeds(['disable', 'auditor', '--data', data]), /is switched off\.\n$/)
  assert.match(await succeeds(['disable', 'auditor', '--data', data]), /is switched off already\.\n$/)
  assert.equal((await ran(['enable', 'user', '--data', data])).exitCode, 2)
})

test('a profile of roles is made, changed and removed', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['role', 'add', 'recorder', '--allow', 'record-events', '--data', data])
  await succeeds(['role', 'add', 'reader', '--allow', 'read-audit-log', '--data', data])
  await succeeds(['add', 'own', '--role', 'recorder', '--description', 'ours', '--data', data])
  const shown = async () =>
    JSON.parse(await succeeds(['show', 'own', '--json', '--data', data])) as Record<string, unknown>
  assert.deepEqual((await shown())['permissions'], ['record-events'])
  await succeeds(['set', 'own', '--role', 'recorder', 'reader', '--data', data])
  assert.deepEqual((await shown())['permissions'], ['read-audit-log', 'record-events'])
  await succeeds(['role', 'set', 'recorder', '--allow', 'read-audit-log', '--data', data])
  const { roles, permissions, description } = await shown()
  assert.deepEqual([roles, permissions, description], [['recorder', 'reader'], ['read-audit-log'], 'ours'])
  assert.match(
    await succeeds(['role', 'list', '--data', data]),
    /^NAME +ALLOWS +DESCRIPTION\nreader +read-audit-log\n/,
  )
  assert.equal((await ran(['role', 'remove', 'recorder', '--data', data])).exitCode, 5)
  await succeeds(['remove', 'own', '--data', data])
  for (const role of ['recorder', 'reader']) await succeeds(['role', 'remove', role, '--data', data])
  assert.deepEqual(JSON.parse(await succeeds(['role', 'list', '--json', '--data', data])), [])
})

test('what no role can allow is refused with exit code 2, what is built in with 5', async (context) => {
  const data = await dataDirectory(context)
  const mighty = await ran(['role', 'add', 'mighty', '--allow', 'manage-accounts', '--data', data])
  assert.equal(mighty.exitCode, 2)
  assert.match(
    mighty.errors,
    /^annals: "manage-accounts" is nothing that a role can allow: expected read-audit-log or /,
  )
  for (const args of [
    ['remove', 'user'],
    ['set', 'main-administrator', '--description', 'mine'],
    ['add', 'auditor', '--role', 'x'],
  ]) {
    assert.equal((await ran([...args, '--data', data])).exitCode, 5, args.join(' '))
  }
})

test('S7: each change is an entry in the name of who made it', async (context) => {
  const data = await dataDirectory(context)
  assert.deepEqual(JSON.parse(await succeeds(['enable', 'auditor', '--json', '--data', data])), {
    name: 'auditor',
    changed: true,
  })
  await succeeds(['disable', 'auditor', '--data', data])
  assert.deepEqual(
    entries(data)
      .filter((line) => line.includes('|USER|'))
      .map((line) => line.replace(/^.*\] \[/, '[')),
    [
      '[Portal|USER|20206|*cli:operator] Role auditor is added',
      '[Portal|USER|20209|*cli:operator] Added profile auditor roles: auditor',
      '[Portal|USER|20211|*cli:operator] Removed profile auditor',
      '[Portal|USER|20208|*cli:operator] Role auditor is removed',
    ],
  )
})

const password = ['--password-file', '-']

async function succeeds(args: readonly string[]): Promise<string> {
  const { exitCode, output, errors } = await ran(args)
  assert.deepEqual([exitCode, errors], [0, ''])
  return output
}

function ran(args: readonly string[]) {
  return ranAnnals(['profile', ...args])
}

async function account(args: readonly string[]): Promise<void> {
  const { exitCode, errors } = await ranAnnals(['account', ...args, ...(args[0] === 'add' ? password : [])])
  assert.deepEqual([exitCode, errors], [0, ''])
}

async function ranAnnals(args: readonly string[]) {
  const surroundings = testSurroundings({ input: Readable.from([Buffer.from('Long-enough-1\n')]) })
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

// A portal's data directory, without accounts. The first administrator would be made at its first start.
async function dataDirectory(context: TestContext): Promise<string> {
  const data = join(temporaryDirectory(context), 'data')
  mkdirSync(data, { mode: 0o700 })
  await using log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  await using _database = await openDatabase(join(data, 'annals.db'))
  assert.equal(log.hostName, 'portal')
  return data
}

function entries(data: string): string[] {
  const directory = join(data, 'log', 'segments')
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}
