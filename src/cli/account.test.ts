import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../database/database.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { run } from './run.ts'
import type { Surroundings } from './surroundings.ts'
import { startAnnalsInTerminal, temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

const password = 'Long-enough-1'

test('an account is made, changed and removed, and each change is an entry in the name of who made it', async (context) => {
  const data = await dataDirectory(context)
  await succeeds([
    'account',
    'add',
    'anna',
    '--profile',
    'main-administrator',
    '--password-file',
    '-',
    '--data',
    data,
  ])
  await succeeds(['account', 'add', 'siem', '--password-file', '-', '--data', data])
  await succeeds(['account', 'passwd', 'siem', '--password-file', '-', '--data', data])
  await succeeds(['account', 'set-profile', 'siem', 'central-administrator', '--data', data])
  assert.match(
    await succeeds(['account', 'unlock', 'siem', '--data', data]),
    /is not locked, and has no failed logins/,
  )
  const list = await succeeds(['account', 'list', '--data', data])
  assert.match(list, /^NAME +PROFILE +STATE/)
  assert.match(list, /\nsiem +central-administrator +open +\d{4}-\d\d-\d\d \d\d:\d\d /)
  await succeeds(['account', 'remove', 'siem', '--data', data])
  const messages = entries(data).map((line) => line.replace(/^.*\] \[/, '['))
  assert.deepEqual(
    messages.filter((line) => line.includes('|USER|')),
    [
      '[Portal|USER|20201|*cli:operator] User anna is created',
      '[Portal|USER|20201|*cli:operator] User siem is created',
      '[Portal|USER|20203|*cli:operator] User siem is created',
      '[Portal|USER|20204|*cli:operator] Updated profile of 1 users',
      '[Portal|USER|20202|*cli:operator] User siem is removed',
    ],
  )
})

test('the last main administrator can neither be removed nor made anything else', async (context) => {
  const data = await dataDirectory(context)
  await succeeds([
    'account',
    'add',
    'anna',
    '--profile',
    'main-administrator',
    '--password-file',
    '-',
    '--data',
    data,
  ])
  for (const args of [
    ['remove', 'anna'],
    ['set-profile', 'anna', 'user'],
  ]) {
    const { exitCode, errors } = await ran(['account', ...args, '--data', data])
    assert.equal(exitCode, 5)
    assert.match(errors, /^annals: .*last main administrator/)
  }
})

test('what is there already or is not there is refused, each with exit code 5', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['account', 'add', 'anna', '--password-file', '-', '--data', data])
  assert.equal((await ran(['account', 'add', 'anna', '--password-file', '-', '--data', data])).exitCode, 5)
  for (const args of [
    ['passwd', 'nobody', '--generate'],
    ['unlock', 'nobody'],
    ['remove', 'nobody'],
  ]) {
    const { exitCode, errors } = await ran(['account', ...args, '--data', data])
    assert.deepEqual([exitCode, errors], [5, 'annals: there is no account "nobody"\n'])
  }
})

test('a password that breaks the rules, an unknown profile and a bad name are refused with exit code 2', async (context) => {
  const data = await dataDirectory(context)
  const weak = await ran(['account', 'add', 'anna', '--password-file', '-', '--data', data], {
    input: Readable.from(['weak\n']),
  })
  assert.deepEqual([weak.exitCode, weak.output], [2, ''])
  assert.match(weak.errors, /at least 8 characters/)
  assert.equal(
    (await ran(['account', 'add', 'anna', '--profile', 'king', '--generate', '--data', data])).exitCode,
    2,
  )
  assert.equal((await ran(['account', 'add', 'anna@example.com', '--generate', '--data', data])).exitCode, 2)
  assert.doesNotMatch(await succeeds(['account', 'list', '--data', data]), /anna/)
})

test('a generated password is printed once, also as JSON', async (context) => {
  const data = await dataDirectory(context)
  assert.match(
    await succeeds(['account', 'add', 'anna', '--generate', '--data', data]),
    /shown only now: \S{20,}\n$/,
  )
  const json = JSON.parse(
    await succeeds(['account', 'add', 'siem', '--generate', '--json', '--data', data]),
  ) as Record<string, unknown>
  assert.deepEqual({ ...json, password: '' }, { name: 'siem', profile: 'user', changed: true, password: '' })
  assert.match(String(json['password']), /^\S{20,}$/)
  const list = JSON.parse(await succeeds(['account', 'list', '--json', '--data', data])) as Record<
    string,
    unknown
  >[]
  assert.deepEqual(
    list.map(({ name }) => name),
    ['anna', 'siem'],
  )
  assert.equal(list[0]?.['lockedUntil'], null)
})

test('a password is taken from the first line of a file', async (context) => {
  const data = await dataDirectory(context)
  const file = join(data, 'password')
  writeFileSync(file, `${password}\r\nmore\n`)
  await succeeds(['account', 'add', 'anna', '--password-file', file, '--data', data])
  writeFileSync(file, '\n')
  const empty = await ran(['account', 'passwd', 'anna', '--password-file', file, '--data', data])
  assert.equal(empty.exitCode, 2)
  assert.match(empty.errors, /no password in the first line/)
})

test('without a terminal, a file or a generator there is no password to take', async (context) => {
  const data = await dataDirectory(context)
  const { exitCode, errors } = await ran(['account', 'add', 'anna', '--data', data], {
    input: new PassThrough(),
  })
  assert.equal(exitCode, 2)
  assert.match(errors, /there is no terminal .* --password-file FILE, --password-file - or --generate/)
  assert.equal(
    (await ran(['account', 'add', 'anna', '--generate', '--password-file', '-', '--data', data])).exitCode,
    2,
  )
})

test('a directory that is none of ours is left alone', async (context) => {
  const data = temporaryDirectory(context)
  const { exitCode, errors } = await ran(['account', 'list', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /is no data directory of Annals: say where it is with --data/)
  assert.deepEqual(readdirSync(data), [])
})

test('a log that keeps another name than the machine is opened under its own', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['account', 'add', 'anna', '--generate', '--data', data], { machineName: 'elsewhere' })
  assert.match(entries(data).at(-1) ?? '', /^<\d+>1 \S+ portal /)
})

test('at a terminal the password is asked for twice, and does not appear', async (context) => {
  const data = await dataDirectory(context)
  const terminal = startAnnalsInTerminal(context, ['account', 'add', 'anna', '--data', data])
  await terminal.says('Password for anna: ')
  terminal.process.stdin.write(`${password}\r`)
  await terminal.says('The same again: ')
  terminal.process.stdin.write(`${password}\r`)
  const { exitCode, output } = await terminal.ended
  assert.equal(exitCode, 0)
  assert.match(output, /"anna" is made/)
  assert.ok(!output.includes(password), output)
})

async function succeeds(args: readonly string[], different: Partial<Surroundings> = {}): Promise<string> {
  const { exitCode, output, errors } = await ran(args, different)
  assert.deepEqual([exitCode, errors], [0, ''])
  return output
}

async function ran(args: readonly string[], different: Partial<Surroundings> = {}) {
  const surroundings = testSurroundings({
    input: Readable.from([Buffer.from(`${password}\n`)]),
    ...different,
  })
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

// A data directory as an earlier `annals serve` left it, but without accounts.
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
  const texts = readdirSync(directory)
    .sort()
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
  return texts.join('').split('\n').slice(0, -1)
}
