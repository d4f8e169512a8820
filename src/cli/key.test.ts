import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../database/database.ts'
import { openTlsIdentity } from '../federation/tls-identity.ts'
import { openWitnessKeys } from '../federation/witness/witness-keys.ts'
import { lockData } from '../log/lock.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { realDisk } from '../store/disk.ts'
import { formatVkey, parseVkey } from '../tree/note-key.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

test('a rotation is ordered beside a running node, which finds it, in the name of who ordered it', async (context) => {
  const data = await dataDirectory(context)
  using _node = lockData(data, 'annals serve')
  const identity = await openTls(data)
  const output = await succeeds(['key', 'rotate', 'tls', '--data', data])
  assert.match(output, /^The next TLS certificate of portal is made, valid until \d{4}-\d\d-\d\d:\n/)
  assert.match(output, /announces it to its peers, and switches once they hold it; without a running node/)
  await identity.reload()
  const { next } = identity
  assert.ok(next !== undefined)
  assert.ok(output.includes(`\n  ${next.certificate.fingerprint}\n`))
  assert.equal(next.order.actor, '*cli:operator')
})

test('a rotation can be ordered without a running node, and before its first certificate is made', async (context) => {
  const data = await dataDirectory(context)
  const { fingerprint, hostName } = JSON.parse(
    await succeeds(['key', 'rotate', 'tls', '--json', '--data', data]),
  ) as Record<string, unknown>
  const identity = await openTls(data)
  assert.equal(identity.next?.certificate.fingerprint, fingerprint)
  assert.equal(hostName, 'portal')
})

test('a second rotation is refused with exit code 5 while one is under way', async (context) => {
  const data = await dataDirectory(context)
  await succeeds(['key', 'rotate', 'tls', '--data', data])
  const before = readFileSync(join(data, 'tls', 'next.pem'))
  const { exitCode, errors } = await ran(['key', 'rotate', 'tls', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /^annals: a rotation .* is under way, ordered by \*cli:operator at /)
  assert.deepEqual(readFileSync(join(data, 'tls', 'next.pem')), before)
})

test('of many commands at once one orders the rotation, and its certificate is the next one', async (context) => {
  const data = await dataDirectory(context)
  const all = await Promise.all(
    Array.from({ length: 4 }, () => ran(['key', 'rotate', 'tls', '--json', '--data', data])),
  )
  assert.deepEqual(
    all.map(({ exitCode }) => exitCode).sort((a, b) => a - b),
    [0, 5, 5, 5],
  )
  const [winner] = all.filter(({ exitCode }) => exitCode === 0)
  const { fingerprint } = JSON.parse(winner?.output ?? '') as Record<string, unknown>
  assert.equal((await openTls(data)).next?.certificate.fingerprint, fingerprint)
})

test('the keys of a node are shown as they are at rest, for people and for programs', async (context) => {
  const data = await dataDirectory(context)
  assert.match(await succeeds(['key', 'show', '--data', data]), /none yet: the node makes it when it starts/)
  assert.ok(!existsSync(join(data, 'tls')), 'showing makes nothing')
  const { current } = await openTls(data)
  const people = await succeeds(['key', 'show', '--data', data])
  assert.match(people, /^log +portal-[a-z2-7]{16}\nhost name +portal\npublic key +\S{44} \(Ed25519\)\n/)
  assert.match(people, new RegExp(`\nTLS certificate +${current.certificate.fingerprint}, valid until 20`))
  assert.match(people, /\nNo rotation is under way\.\n\nwhat verifies its checkpoints \(C2SP vkeys\):\n/)
  await succeeds(['key', 'rotate', 'tls', '--data', data])
  assert.match(
    await succeeds(['key', 'show', '--data', data]),
    /\nnext certificate +[\da-f]{64}, .*\nA rotation is under way, ordered by \*cli:operator on /,
  )
  const shown = JSON.parse(await succeeds(['key', 'show', '--json', '--data', data])) as Shown
  assert.equal(shown.publicKey, JSON.parse(readFileSync(join(data, 'log/log.json'), 'utf8')).publicKey)
  const origin = `portal/audit-trail/api/v2/logs/${shown.log}`
  assert.deepEqual(
    shown.keys.map((vkey) => parseVkey(vkey)?.name),
    [origin, origin],
  )
  for (const vkey of shown.keys) assert.ok(people.includes(`\n${vkey}\n`))
  assert.deepEqual(shown.witnessKeys, [])
  assert.equal(shown.certificate?.fingerprint, current.certificate.fingerprint)
  assert.equal(shown.nextCertificate?.orderedBy, '*cli:operator')
  assert.match(shown.certificate.validUntil, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('the keys of a witness are shown once there are some', async (context) => {
  const data = await dataDirectory(context)
  const keys = await openWitnessKeys(realDisk, join(data, 'witness'), 'portal')
  const shown = JSON.parse(await succeeds(['key', 'show', '--json', '--data', data])) as Shown
  assert.deepEqual(shown.witnessKeys, keys.map(formatVkey))
  assert.match(await succeeds(['key', 'show', '--data', data]), /\nportal\/audit-trail\/api\/v2\/witness\+/)
})

test('what is printed holds no private key', async (context) => {
  const data = await dataDirectory(context)
  const { current } = await openTls(data)
  const texts = [
    await succeeds(['key', 'rotate', 'tls', '--data', data]),
    await succeeds(['key', 'show', '--data', data]),
    await succeeds(['key', 'show', '--json', '--data', data]),
  ]
  for (const line of current.keyPem.split('\n').slice(1, -2))
    for (const text of texts) assert.ok(!text.includes(line))
  assert.doesNotMatch(texts.join(''), /PRIVATE/)
})

test('a directory that holds no log is left alone, with exit code 5', async (context) => {
  const data = temporaryDirectory(context)
  for (const args of [['show'], ['rotate', 'tls'], ['rotate', 'log']]) {
    const { exitCode, errors } = await ran(['key', ...args, '--data', data])
    assert.equal(exitCode, 5)
    assert.match(errors, /is no data directory of Annals: say with --data where/)
  }
  assert.deepEqual(readdirSync(data), [])
})

test('the key that access tokens are signed with is replaced by the one that was published for it', async (context) => {
  const data = await portalDirectory(context)
  assert.match(await succeeds(['key', 'show', '--data', data]), /\ntoken keys +none yet: they are made when /)
  await succeeds(['key', 'rotate', 'tokens', '--data', data])
  const before = await tokenKeys(data)
  assert.deepEqual(
    before.map(({ state }) => state),
    ['next', 'current', 'retired'],
  )
  assert.match(
    await succeeds(['key', 'rotate', 'tokens', '--data', data]),
    new RegExp(`^Access tokens are signed with the key ${before[0]?.kid} from now on\\.\n$`),
  )
  const after = await tokenKeys(data)
  assert.equal(after[0]?.state, 'next')
  assert.deepEqual(
    after.slice(1).map(({ kid, state }) => [kid, state]),
    [
      [before[0]?.kid, 'current'],
      [before[1]?.kid, 'retired'],
      [before[2]?.kid, 'retired'],
    ],
  )
  const people = await succeeds(['key', 'show', '--data', data])
  assert.match(people, new RegExp(`\ntoken key +${before[0]?.kid}, current since \\d{4}-\\d\\d-\\d\\d\n`))
})

test('after a theft no key that could have been stolen is left', async (context) => {
  const data = await portalDirectory(context)
  await succeeds(['key', 'rotate', 'tokens', '--data', data])
  const before = await tokenKeys(data)
  const output = await succeeds(['key', 'rotate', 'tokens', '--stolen', '--data', data])
  assert.match(output, /\nEvery token of before has ended\.\n$/)
  const after = await tokenKeys(data)
  assert.deepEqual(
    after.map(({ state }) => state),
    ['next', 'current'],
  )
  assert.ok(after.every(({ kid }) => !before.some((old) => old.kid === kid)))
  const json = JSON.parse(
    await succeeds(['key', 'rotate', 'tokens', '--stolen', '--json', '--data', data]),
  ) as Record<string, unknown>
  const current = (await tokenKeys(data)).find(({ state }) => state === 'current')
  assert.deepEqual(json, { kid: current?.kid, tokensEnded: true })
})

test('S7: the replacement of a token key is an entry, and no private half is printed or recorded', async (context) => {
  const data = await portalDirectory(context)
  const texts = [
    await succeeds(['key', 'rotate', 'tokens', '--data', data]),
    await succeeds(['key', 'rotate', 'tokens', '--stolen', '--data', data]),
    await succeeds(['key', 'show', '--data', data]),
    await succeeds(['key', 'show', '--json', '--data', data]),
  ]
  const directory = join(data, 'log', 'segments')
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const log = names.map((name) => readFileSync(join(directory, name), 'utf8')).join('')
  assert.match(
    log,
    /\[Portal\|AUDIT\|29057\|\*cli:operator\] Access tokens are signed with key \S+ .* - command\n/,
  )
  assert.match(log, /\|29057\|.* - stolen\n/)
  await using database = await openDatabase(join(data, 'annals.db'))
  const rows = await database.read.selectFrom('token_key').select('private_key').execute()
  const lines = rows.flatMap(({ private_key }) => private_key?.split('\n').slice(1, -2) ?? [])
  assert.ok(lines.length > 0)
  for (const line of lines) for (const text of [...texts, log]) assert.ok(!text.includes(line))
})

test('an engine signs no tokens', async (context) => {
  const data = await dataDirectory(context)
  const shown = JSON.parse(await succeeds(['key', 'show', '--json', '--data', data])) as Shown
  assert.equal(shown.tokenKeys, null)
  const { exitCode, errors } = await ran(['key', 'rotate', 'tokens', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /is no data directory of a portal/)
  assert.ok(!existsSync(join(data, 'annals.db')), 'neither makes anything')
})

test("the log's keys are replaced without a running node: one entry, and the keys are shown", async (context) => {
  const data = await portalDirectory(context)
  const before = await shownKeys(data)
  const output = await succeeds(['key', 'rotate', 'log', '--data', data])
  assert.match(
    output,
    /^Checkpoints of portal-\S+ are signed with new keys from now on, and with the old ones too until 20/,
  )
  const after = await shownKeys(data)
  assert.equal(after.length, 4)
  assert.deepEqual(after.slice(0, 2), before)
  for (const key of after.slice(2)) assert.ok(output.includes(`\n  ${key}\n`))
  const segment = readFileSync(join(data, 'log/segments/00000000000000000000.log'), 'utf8')
  assert.match(segment, /\[Portal\|AUDIT\|29086\|\*cli:operator\] Checkpoints are signed with the new key /)
  const people = await succeeds(['key', 'show', '--data', data])
  assert.match(people, /\nA rotation of the log's keys is under way, ordered by \*cli:operator on /)
  const files = ['key.pem', 'key-2.pem', 'key-ml-dsa-44.pem', 'key-ml-dsa-44-2.pem']
  for (const file of files)
    for (const line of readFileSync(join(data, 'log', file), 'utf8')
      .split('\n')
      .slice(1, -2))
      for (const text of [output, people, segment]) assert.ok(!text.includes(line), file)
})

test("a second rotation of the log's keys is refused with exit code 5 while the old ones sign", async (context) => {
  const data = await portalDirectory(context)
  await succeeds(['key', 'rotate', 'log', '--json', '--data', data])
  const { exitCode, errors } = await ran(['key', 'rotate', 'log', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /^annals: a rotation of the log's keys is under way: the old keys sign until 20/)
})

test('the holder of the log replaces its keys beside the command, which waits for the entry', async (context) => {
  const data = await portalDirectory(context)
  using _node = lockData(data, 'annals serve')
  await using log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  const looking = setInterval(() => void log.tendKeys(), 20)
  context.after(() => clearInterval(looking))
  const json = JSON.parse(await succeeds(['key', 'rotate', 'log', '--json', '--data', data])) as {
    readonly state: string
    readonly keys: readonly string[]
  }
  clearInterval(looking)
  assert.deepEqual([json.state, json.keys], ['rotated', log.keys.slice(2).map(formatVkey)])
})

async function shownKeys(data: string): Promise<readonly string[]> {
  const { keys } = JSON.parse(await succeeds(['key', 'show', '--json', '--data', data])) as Shown
  return keys
}

interface Shown {
  readonly tokenKeys: readonly { readonly kid: string; readonly state: string }[] | null
  readonly log: string
  readonly publicKey: string
  readonly keys: readonly string[]
  readonly witnessKeys: readonly string[]
  readonly certificate: { readonly fingerprint: string; readonly validUntil: string } | null
  readonly nextCertificate: { readonly orderedBy: string } | null
}

async function tokenKeys(data: string) {
  const { tokenKeys } = JSON.parse(await succeeds(['key', 'show', '--json', '--data', data])) as Shown
  assert.ok(tokenKeys !== null)
  return tokenKeys
}

function openTls(data: string) {
  const directory = join(data, 'tls')
  const now = systemClock().wallMicros()
  return openTlsIdentity({ disk: realDisk, directory, hostName: 'portal', now })
}

async function succeeds(args: readonly string[]): Promise<string> {
  const { exitCode, output, errors } = await ran(args)
  assert.deepEqual([exitCode, errors], [0, ''])
  return output
}

async function ran(args: readonly string[]) {
  const surroundings = testSurroundings()
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

// A data directory as `annals serve` left it before it knew of certificates.
async function dataDirectory(context: TestContext): Promise<string> {
  const data = join(temporaryDirectory(context), 'data')
  await using log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  assert.equal(log.hostName, 'portal')
  return data
}

async function portalDirectory(context: TestContext): Promise<string> {
  const data = await dataDirectory(context)
  await using _database = await openDatabase(join(data, 'annals.db'))
  return data
}
