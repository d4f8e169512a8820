import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openTlsIdentity } from '../federation/tls-identity.ts'
import { lockData } from '../log/lock.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { realDisk } from '../store/disk.ts'
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
  assert.match(people, /\nNo rotation is under way\.\n$/)
  await succeeds(['key', 'rotate', 'tls', '--data', data])
  assert.match(
    await succeeds(['key', 'show', '--data', data]),
    /\nnext certificate +[\da-f]{64}, .*\nA rotation is under way, ordered by \*cli:operator on /,
  )
  const shown = JSON.parse(await succeeds(['key', 'show', '--json', '--data', data])) as Shown
  assert.equal(shown.publicKey, JSON.parse(readFileSync(join(data, 'log/log.json'), 'utf8')).publicKey)
  assert.equal(shown.certificate?.fingerprint, current.certificate.fingerprint)
  assert.equal(shown.nextCertificate?.orderedBy, '*cli:operator')
  assert.match(shown.certificate.validUntil, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
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
  for (const args of [['show'], ['rotate', 'tls']]) {
    const { exitCode, errors } = await ran(['key', ...args, '--data', data])
    assert.equal(exitCode, 5)
    assert.match(errors, /is no data directory of Annals: say with --data where/)
  }
  assert.deepEqual(readdirSync(data), [])
})

interface Shown {
  readonly publicKey: string
  readonly certificate: { readonly fingerprint: string; readonly validUntil: string } | null
  readonly nextCertificate: { readonly orderedBy: string } | null
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
