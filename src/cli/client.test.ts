import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../database/database.ts'
import { hashSecret } from '../identity/client.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

const recording = ['--scope', 'service:audit-trail:record', '--record-components', 'Shop']

test('a client is made, and its secret is printed once', async (context) => {
  const data = await dataDirectory(context)
  const output = await succeeds(['add', 'siem', '--data', data])
  const [, id, secret] =
    /^The client "siem" is made \(service:audit-trail\)\.\n\n {2}client id {6}(siem-[a-z2-7]{10})\n {2}client secret {2}([\w-]{43})\n\nThe secret is shown only now\.\n$/.exec(
      output,
    ) ?? []
  assert.ok(id !== undefined && secret !== undefined, output)
  assert.deepEqual(await storedHashes(data), [hashSecret(secret)])
  const list = await succeeds(['list', '--data', data])
  assert.ok(list.includes(id) && !list.includes(secret))
})

test('for programs a client has the names that the token endpoint has for them', async (context) => {
  const data = await dataDirectory(context)
  const made = await json(['add', 'siem', '--data', data])
  assert.deepEqual(Object.keys(made), ['client_id', 'name', 'client_secret'])
  const rotated = await json(['rotate', 'siem', '--data', data])
  assert.deepEqual({ ...rotated, client_secret: '' }, { ...made, client_secret: '' })
  assert.notEqual(rotated['client_secret'], made['client_secret'])
  assert.deepEqual(await json(['set', 'siem', '--disable', '--data', data]), {
    client_id: made['client_id'],
    name: 'siem',
    changed: true,
  })
  const [listed] = JSON.parse(await succeeds(['list', '--json', '--data', data])) as Record<string, unknown>[]
  const { createdAt, secrets, ...others } = listed ?? {}
  assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.deepEqual(others, {
    client_id: made['client_id'],
    name: 'siem',
    description: '',
    scope: 'service:audit-trail',
    records: null,
    enabled: false,
    expiresAt: null,
    createdBy: '*cli:operator',
    owner: null,
    lastUsedAt: null,
  })
  const [old, present] = secrets as Record<string, unknown>[]
  assert.match(String(old?.['expiresAt']), /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual([present?.['expiresAt'], (secrets as unknown[]).length], [null, 2])
})

test('the list says for people what each client is, may, and was last used', async (context) => {
  const data = await dataDirectory(context)
  assert.match(await succeeds(['list', '--data', data]), /^NAME +CLIENT ID +STATE +SCOPES +LAST USED /)
  const engine = 'service:audit-trail:engine:engine-01'
  await succeeds(['add', 'branch', '--scope', engine, '--expires', '2099-12-31', '--data', data])
  await succeeds(['add', 'siem', '--description', 'pulls the logs', '--data', data])
  await succeeds(['set', 'branch', '--disable', '--data', data])
  await succeeds(['rotate', 'siem', '--data', data])
  const [, branch = '', siem = ''] = (await succeeds(['list', '--data', data])).split('\n')
  assert.match(
    branch,
    /^branch +branch-\S{10} +off +\S+:engine-01 +never +2099-12-31 00:00 +1 +\*cli:operator$/,
  )
  assert.match(
    siem,
    /^siem +siem-\S{10} +on +service:audit-trail +never +never +2 +\*cli:operator +pulls the logs$/,
  )
  await using database = await openDatabase(join(data, 'annals.db'))
  const used = Date.UTC(2026, 4, 17, 9, 30) * 1000
  await database.write.updateTable('client').set({ last_used_at: used, expires_at: used }).execute()
  assert.match(
    await succeeds(['list', '--data', data]),
    /\nsiem .* expired .* 2026-05-17 09:30 +2026-05-17 09:30 /,
  )
})

test('a secret is written into a new file that only its owner can read, and not printed', async (context) => {
  const data = await dataDirectory(context)
  const file = join(data, 'secret')
  const output = await succeeds(['add', 'siem', '--secret-file', file, '--data', data])
  const secret = readFileSync(file, 'utf8')
  assert.match(secret, /^[\w-]{43}\n$/)
  assert.equal((statSync(file).mode & 0o777).toString(8), '600')
  assert.ok(!output.includes(secret.trim()) && output.includes(`in ${file}`) && !output.includes('only now'))
  assert.deepEqual(await storedHashes(data), [hashSecret(secret.trim())])
  const made = await json(['rotate', 'siem', '--secret-file', `${file}.new`, '--data', data])
  assert.deepEqual([made['client_secret'], made['client_secret_file']], [undefined, `${file}.new`])
})

test('a secret file never takes the place of another file, and none stays where no secret was made', async (context) => {
  const data = await dataDirectory(context)
  const file = join(data, 'secret')
  writeFileSync(file, 'mine')
  const there = await ran(['add', 'siem', '--secret-file', file, '--data', data])
  assert.equal(there.exitCode, 2)
  assert.match(there.errors, /^annals: the secret's file cannot be made: /)
  assert.equal(readFileSync(file, 'utf8'), 'mine')
  assert.deepEqual(await storedHashes(data), [])
  const nothing = join(data, 'nothing')
  assert.equal((await ran(['rotate', 'nobody', '--secret-file', nothing, '--data', data])).exitCode, 5)
  assert.ok(!existsSync(nothing))
})

test('the old secret goes on for the time of grace, which is a day, and ends at once where there is none', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['add', 'siem', '--data', data])
  const day = await succeeds(['rotate', 'siem', '--data', data])
  assert.match(day, /^The client "siem" has a new secret\.\nThe old one goes on for 24 hours\.\n/)
  assert.equal((await storedHashes(data)).length, 2)
  const half = await succeeds(['rotate', 'siem', '--grace-hours', '0.5', '--data', data])
  assert.match(half, /goes on for 0\.5 hours/)
  const none = await succeeds(['rotate', 'siem', '--grace-hours', '0', '--revoke-tokens', '--data', data])
  assert.match(none, /\nThe old one is not valid any more\.\n/)
  assert.equal((await storedHashes(data)).length, 1)
  for (const hours of ['-1', '721', 'x', '1e2', '']) {
    const { exitCode, errors } = await ran(['rotate', 'siem', `--grace-hours=${hours}`, '--data', data])
    assert.equal(exitCode, 2, hours)
    assert.match(errors, /^annals: --grace-hours .*: expected a number of hours from 0 to 720\n$/)
  }
})

test('what a client may record is said in so many words', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['add', 'shop', ...recording, '--record-codes', '40000-40999,31001', '--data', data])
  const records = async () => {
    const [listed] = JSON.parse(await succeeds(['list', '--json', '--data', data])) as Record<
      string,
      unknown
    >[]
    return listed?.['records']
  }
  assert.equal(await records(), 'Shop 40000-40999,31001')
  const any = ['--record-components', 'any', '--record-codes', 'any', '--record-own-codes']
  await succeeds(['set', 'shop', ...any, '--data', data])
  assert.equal(await records(), 'any any own-codes')
  await succeeds(['set', 'shop', '--scope', 'service:audit-trail', '--data', data])
  assert.equal(await records(), null)
})

test('flags that do not say what they must are refused with exit code 2, and make nothing', async (context) => {
  const data = await dataDirectory(context)
  const wrong: readonly [readonly string[], RegExp][] = [
    [['--scope', 'read'], /"read" is no scope: expected service:audit-trail, service:audit-trail:record or /],
    [['--scope', 'service:audit-trail:record'], /needs the components and the codes/],
    [recording, /--record-components and --record-codes together/],
    [['--record-own-codes'], /--record-components and --record-codes together/],
    [[...recording, '--record-codes', '5-4'], /"5-4" is no audit code and no range of them/],
    [[...recording, '--record-codes', '1,,2'], /expected names, separated by commas/],
    [['--record-components', 'A', '--record-codes', '1'], /are for the scope service:audit-trail:record/],
    [['--expires', 'tomorrow'], /--expires tomorrow: expected a date such as 2027-01-01/],
    [['--expires', '2027-02-29'], /expected a date/],
    [['--expires', '2020-01-01'], /would have expired before it is made/],
    [['--description', 'a\nb'], /one line/],
  ]
  for (const [flags, message] of wrong) {
    const { exitCode, errors, output } = await ran(['add', 'new', '--data', data, ...flags])
    assert.deepEqual([exitCode, output], [2, ''], flags.join(' '))
    assert.match(errors, message)
  }
  assert.equal((await ran(['set', 'new', '--enable', '--disable', '--data', data])).exitCode, 2)
  assert.deepEqual(await storedHashes(data), [])
})

test('what is there already, or is not there, is refused with exit code 5', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['add', 'siem', '--data', data])
  const again = await ran(['add', 'siem', '--data', data])
  assert.deepEqual([again.exitCode, again.errors], [5, 'annals: there is a client "siem" already\n'])
  for (const args of [['set'], ['rotate'], ['remove']]) {
    const { exitCode, errors } = await ran([...args, 'nobody', '--data', data])
    assert.deepEqual([exitCode, errors], [5, 'annals: there is no client "nobody"\n'])
  }
})

test('a client is made in the name of an account that may, and the account does not go without a word of it', async (context) => {
  const data = await dataDirectory(context)
  await account(['add', 'anna', '--profile', 'main-administrator', '--data', data])
  await account(['add', 'carl', '--profile', 'central-administrator', '--data', data])
  await account(['add', 'uwe', '--data', data])
  for (const [owner, flags] of [
    ['uwe', []],
    ['carl', [...recording, '--record-codes', 'any', '--record-own-codes']],
  ] as const) {
    const { exitCode, errors } = await ran(['add', 'siem', '--owner', owner, '--data', data, ...flags])
    assert.equal(exitCode, 5)
    assert.match(errors, new RegExp(`^annals: the account "${owner}" may not `))
  }
  for (const name of ['siem', 'archive']) await succeeds(['add', name, '--owner', 'carl', '--data', data])
  assert.match(await succeeds(['list', '--data', data]), /\narchive .* carl\nsiem .* carl\n$/)
  const refusal = await ranAnnals(['account', 'remove', 'carl', '--data', data])
  assert.equal(refusal.exitCode, 5)
  assert.match(
    refusal.errors,
    /in the name of "carl": archive, siem; say --keep-clients or --remove-clients\n$/,
  )
  const both = ['account', 'remove', 'carl', '--keep-clients', '--remove-clients', '--data', data]
  assert.equal((await ranAnnals(both)).exitCode, 2)
  await account(['remove', 'carl', '--remove-clients', '--data', data])
  assert.doesNotMatch(await succeeds(['list', '--data', data]), /siem|archive/)
})

test('S7: each change is an entry in the name of who made it, and no secret is in any', async (context) => {
  const data = await dataDirectory(context)
  const { client_secret: first } = await json(['add', 'siem', '--data', data])
  const { client_secret: second } = await json(['rotate', 'siem', '--data', data])
  await succeeds(['set', 'siem', '--disable', '--data', data])
  assert.match(
    await succeeds(['set', 'siem', '--disable', '--data', data]),
    /^The client "siem" is so already\.\n$/,
  )
  assert.match(await succeeds(['remove', 'siem', '--data', data]), /^The client "siem" is removed\.\n$/)
  const lines = entries(data).filter((line) => line.includes('|2905'))
  assert.deepEqual(
    lines.map((line) => line.replace(/^.*\] \[/, '[').replace(/siem-[a-z2-7]{10}/, 'ID')),
    [
      '[Portal|AUDIT|29054|*cli:operator] Client ID named siem is added',
      '[Portal|AUDIT|29055|*cli:operator] Client ID named siem is changed - secret',
      '[Portal|AUDIT|29055|*cli:operator] Client ID named siem is changed - switched off',
      '[Portal|AUDIT|29056|*cli:operator] Client ID named siem is removed',
    ],
  )
  const all = entries(data).join('\n')
  for (const secret of [first, second]) assert.ok(!all.includes(String(secret)))
})

test('a change that cannot be recorded is made, and said to wait', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['add', 'siem', '--data', data])
  const directory = join(data, 'log', 'segments')
  for (const name of readdirSync(directory)) writeFileSync(join(directory, name), '')
  const { exitCode, output, errors } = await ran(['remove', 'siem', '--data', data])
  assert.deepEqual([exitCode, output], [0, 'The client "siem" is removed.\n'])
  assert.match(errors, /^annals: the change is made; its record still waits: /)
})

test('a directory that is none of a portal is left alone, with exit code 5', async (context) => {
  const data = temporaryDirectory(context)
  for (const args of [['list'], ['add', 'siem']]) {
    const { exitCode, errors } = await ran([...args, '--data', data])
    assert.equal(exitCode, 5)
    assert.match(errors, /is no data directory of a portal: say where it is with --data/)
  }
  assert.deepEqual(readdirSync(data), [])
})

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await succeeds([...args, '--json'])) as Record<string, unknown>
}

async function succeeds(args: readonly string[]): Promise<string> {
  const { exitCode, output, errors } = await ran(args)
  assert.deepEqual([exitCode, errors], [0, ''])
  return output
}

function ran(args: readonly string[]) {
  return ranAnnals(['client', ...args])
}

async function account(args: readonly string[]): Promise<void> {
  const password = args[0] === 'add' ? ['--password-file', '-'] : []
  const { exitCode, errors } = await ranAnnals(['account', ...args, ...password])
  assert.deepEqual([exitCode, errors], [0, ''])
}

async function ranAnnals(args: readonly string[]) {
  const surroundings = testSurroundings({ input: Readable.from([Buffer.from('Long-enough-1\n')]) })
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

async function storedHashes(data: string): Promise<string[]> {
  await using database = await openDatabase(join(data, 'annals.db'))
  const rows = await database.read.selectFrom('client_secret').select('hash').orderBy('id').execute()
  return rows.map(({ hash }) => hash)
}

// A portal's data directory, without accounts.
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
