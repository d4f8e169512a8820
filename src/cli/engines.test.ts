import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../database/database.ts'
import { drain } from '../database/outbox.ts'
import { RecorderDouble } from '../database/testing/recorder-double.ts'
import { macOf, renderRequest } from '../federation/enrolment.ts'
import { parseToken } from '../federation/join-token.ts'
import { Registry } from '../federation/registry.ts'
import { node, requestOf } from '../federation/testing/registry-fixture.ts'
import { lockData } from '../log/lock.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

const now = systemClock().wallMicros()
const portal = await node('portal', now)
const engine = await node('engine-01.example.com', now)
const other = await node('engine-01.example.org', now)

test('a token is printed once, with what to do with it, and an engine joins with it', async (context) => {
  const data = await dataDirectory(context)
  const output = await succeeds(['token', '--data', data, '--public-url', 'https://audit.example.com'])
  assert.match(output, /^A token for any engine, good for one join until \d{4}-\d\d-\d\d \d\d:\d\d UTC:\n/)
  assert.match(output, /\n {2}annals engine --join https:\/\/audit\.example\.com --token-file FILE\n$/)
  const [, token = ''] = /^ {2}([0-9a-f]{16}\.[\w-]{43})$/m.exec(output) ?? []
  assert.equal(await joins(data, token), true)
  assert.match(await succeeds(['list', '--data', data]), /\nengine-01\.example\.com +CONNECTING +\d{4}-/)
})

test('a token for programs is JSON', async (context) => {
  const data = await dataDirectory(context)
  const { token, expiresAt, ...others } = await json(['token', '--for', 'ENGINE-02', '--data', data])
  assert.match(String(token), /^[0-9a-f]{16}\./)
  assert.match(String(expiresAt), /^\d{4}-\d\d-\d\dT/)
  const id = String(token).slice(0, 16)
  assert.deepEqual(others, { id, hostName: 'engine-02', publicUrl: 'http://127.0.0.1:8080' })
})

test('a token is written into a new file that only its owner can read, and not printed', async (context) => {
  const data = await dataDirectory(context)
  const file = join(data, 'token')
  const output = await succeeds(['token', '--token-file', file, '--data', data])
  const token = readFileSync(file, 'utf8')
  assert.match(token, /^[0-9a-f]{16}\.[\w-]{43}\n$/)
  assert.equal((statSync(file).mode & 0o777).toString(8), '600')
  assert.ok(!output.includes(token.trim()) && output.includes(file))
  assert.equal(await joins(data, token.trim()), true)
})

test('a token file never takes the place of another file, and none stays where no token was made', async (context) => {
  const data = await dataDirectory(context)
  const file = join(data, 'token')
  writeFileSync(file, 'mine')
  const there = await ran(['token', '--token-file', file, '--data', data])
  assert.equal(there.exitCode, 2)
  assert.match(there.errors, /^annals: the token file cannot be made: /)
  assert.equal(readFileSync(file, 'utf8'), 'mine')
  const nothing = join(data, 'nothing')
  assert.equal(
    (await ran(['token', '--replace', 'nobody', '--token-file', nothing, '--data', data])).exitCode,
    5,
  )
  assert.ok(!existsSync(nothing))
})

test('the secret of a token is in no entry', async (context) => {
  const data = await dataDirectory(context)
  const { token } = await json(['token', '--data', data])
  const [id = '', secret = ''] = String(token).split('.')
  const log = entries(data).join('\n')
  assert.ok(log.includes(id) && !log.includes(secret))
})

test('--replace takes any name of the engine, and goes without --for', async (context) => {
  const data = await dataDirectory(context)
  await joinsNew(data)
  assert.equal((await json(['token', '--replace', 'Engine-01', '--data', data]))['hostName'], engine.hostName)
  const both = await ran(['token', '--replace', 'engine-01', '--for', 'engine-01', '--data', data])
  assert.deepEqual([both.exitCode, both.output], [2, ''])
  assert.equal((await ran(['token', '--for', 'engine_01', '--data', data])).exitCode, 2)
})

test('an engine is disconnected and connected again, and each is an entry in the name of who did it', async (context) => {
  const data = await dataDirectory(context)
  await joinsNew(data)
  assert.match(
    await succeeds(['disconnect', 'ENGINE-01', '--data', data]),
    /engine-01\.example\.com is disconnected\.\n$/,
  )
  assert.match(await succeeds(['disconnect', 'engine-01', '--data', data]), /is disconnected already/)
  assert.equal((await list(data))[0]?.['state'], 'DISCONNECTED')
  assert.match(await succeeds(['reconnect', 'engine-01', '--data', data]), /the portal calls it/)
  assert.deepEqual(await json(['reconnect', 'engine-01', '--data', data]), {
    hostName: engine.hostName,
    changed: false,
  })
  assert.equal((await list(data))[0]?.['state'], 'CONNECTING')
  const messages = entries(data).map((line) => line.replace(/^.*\] \[/, '['))
  assert.deepEqual(messages.slice(2), [
    '[Portal|20701|*cli:operator] Engine added',
    '[Portal|20704|*cli:operator] Engine disconnected',
    '[Portal|AUDIT|29042|*cli:operator] Engine engine-01.example.com is to be connected again',
  ])
})

test('a list says of each engine what it is about, and since when and why one is unreachable', async (context) => {
  const data = await dataDirectory(context)
  assert.match(await succeeds(['list', '--data', data]), /No engine has joined/)
  assert.deepEqual(await list(data), [])
  await joinsNew(data)
  const described = {
    logSize: 7,
    logBytes: 700,
    lastEntryAt: now,
    version: '0.1.0',
    clockOffsetMicros: 12_000,
  }
  await withRegistry(data, (registry) =>
    registry.noteContacts([
      { engine: 1, at: now, described },
      { engine: 1, at: now + 60_000_000, failure: 'connection refused' },
    ]),
  )
  const [summary] = await list(data)
  const { since, lastContact, certificateExpires, ...others } = summary ?? {}
  assert.deepEqual(others, {
    hostName: engine.hostName,
    state: 'UNREACHABLE',
    reason: 'connection refused',
    address: `${engine.hostName}:8443`,
    log: engine.log,
    logSize: 7,
    version: '0.1.0',
  })
  assert.ok(Date.parse(String(since)) - Date.parse(String(lastContact)) === 60_000)
  assert.ok(Date.parse(String(certificateExpires)) > Date.now())
  const table = await succeeds(['list', '--data', data])
  assert.match(table, /^ENGINE +STATE +SINCE +LAST CONTACT +ENTRIES +VERSION +CERTIFICATE UNTIL +REASON\n/)
  assert.match(
    table,
    /\nengine-01\.example\.com +UNREACHABLE +\S+ \S+ +\S+ \S+ +7 +0\.1\.0 +\d{4}-\d\d-\d\d +connection refused\n$/,
  )
})

test('all that is known of an engine is shown', async (context) => {
  const data = await dataDirectory(context)
  await joinsNew(data)
  await withRegistry(data, (registry) =>
    registry.noteContacts([{ engine: 1, at: now, failure: 'wrong\ncertificate' }]),
  )
  const text = await succeeds(['show', 'engine-01', '--data', data])
  for (const part of [
    engine.log,
    engine.logKey,
    engine.certificate.fingerprint,
    portal.certificate.fingerprint,
    'UNREACHABLE since ',
    'wrong certificate\n',
  ])
    assert.ok(text.includes(part), part)
  const shown = await json(['show', 'ENGINE-01.example.com', '--data', data])
  assert.deepEqual(
    [shown['logKey'], shown['portalCertificate'], shown['nextCertificate'], shown['logBytes']],
    [engine.logKey, portal.certificate.fingerprint, null, null],
  )
})

test('an engine that there is not, or a name that fits two, is refused with exit code 5', async (context) => {
  const data = await dataDirectory(context)
  for (const command of ['show', 'disconnect', 'reconnect']) {
    const { exitCode, errors } = await ran([command, 'engine-01', '--data', data])
    assert.equal(exitCode, 5)
    assert.match(errors, /^annals: there is no engine of this name: "annals engines list" shows/)
  }
  await joinsNew(data)
  await joinsNew(data, other)
  const { exitCode, errors } = await ran(['disconnect', 'engine-01', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /engine-01\.example\.com, engine-01\.example\.org\n$/)
})

test('where a portal runs, a change is left to it to record', async (context) => {
  const data = await dataDirectory(context)
  await joinsNew(data)
  const recorder = new RecorderDouble()
  using _portal = lockData(data, 'annals serve')
  await using database = await openDatabase(join(data, 'annals.db'))
  const running = succeeds(['disconnect', 'engine-01', '--data', data])
  while (!recorder.codes.includes('20704')) {
    await drain(database, recorder.record)
    await sleep(10)
  }
  assert.match(await running, /is disconnected\.\n$/)
})

test('the directory of an engine, or of nobody, is left alone', async (context) => {
  const data = temporaryDirectory(context)
  const empty = await ran(['list', '--data', data])
  assert.equal(empty.exitCode, 5)
  assert.match(empty.errors, /is no data directory of a portal: say where it is with --data/)
  assert.deepEqual(readdirSync(data), [])
  {
    await using log = await openLog({ data, hostName: 'engine', component: 'Engine', clock: systemClock() })
    assert.equal(log.hostName, 'engine')
  }
  assert.equal((await ran(['token', '--data', data])).exitCode, 5)
  assert.ok(!existsSync(join(data, 'annals.db')))
})

async function succeeds(args: readonly string[]): Promise<string> {
  const { exitCode, output, errors } = await ran(args)
  assert.deepEqual([exitCode, errors], [0, ''])
  return output
}

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await succeeds([...args, '--json'])) as Record<string, unknown>
}

async function list(data: string): Promise<Record<string, unknown>[]> {
  return JSON.parse(await succeeds(['list', '--json', '--data', data])) as Record<string, unknown>[]
}

async function ran(args: readonly string[]) {
  const surroundings = testSurroundings()
  const exitCode = await run(['engines', ...args], surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

// What the portal does when an engine asks.
async function joins(data: string, token: string, joining = engine): Promise<boolean> {
  const { id, key } = parseToken(token)
  const body = renderRequest(requestOf(joining, id))
  const { isNew } = await withRegistry(data, (registry) =>
    registry.enrol(body, macOf(key, 'engine', body), portal),
  )
  return isNew
}

async function joinsNew(data: string, joining = engine): Promise<void> {
  const { token } = await json(['token', '--data', data])
  assert.equal(await joins(data, String(token), joining), true)
}

async function withRegistry<T>(data: string, work: (registry: Registry) => Promise<T>): Promise<T> {
  await using database = await openDatabase(join(data, 'annals.db'))
  return await work(new Registry({ database, clock: systemClock(), hostName: 'portal', random: randomBytes }))
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
