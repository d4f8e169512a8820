import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RecorderDouble } from '../database/testing/recorder-double.ts'
import { ClockDouble } from '../identity/testing/clock-double.ts'
import { createLogger } from '../ops/logger.ts'
import { openExternalIssuers } from './external-issuers.ts'

const hostName = 'portal-01'

function list(...issuers: readonly string[]): string {
  const grants = '[{claim: a, value: b, scope: "service:audit-trail"}]'
  return issuers.map((issuer) => `- {issuer: "${issuer}", audience: x, grants: ${grants}}\n`).join('')
}

function parts(issuersFile: string | undefined, recorder: RecorderDouble) {
  return {
    configuration: { issuersFile, hostName },
    clock: new ClockDouble(),
    logger: createLogger('silent'),
    record: recorder.record,
    publicUrl: () => 'https://audit.example.com',
  }
}

/** What was recorded: the last words of each message, and the issuer. */
function told(recorder: RecorderDouble): string[] {
  return recorder.events.map(({ code, message }) => `${code} ${String(message).replace(/^\[[^\]]*\] /, '')}`)
}

test('a portal records the authorization servers that it finds configured, and each change of them', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'annals-issuers-'))
  const file = join(directory.path, 'issuers.yaml')
  const [a, b] = ['https://a.example.com', 'https://b.example.com']
  await writeFile(file, list(a))
  const recorder = new RecorderDouble()
  await using served = await openExternalIssuers(parts(file, recorder))
  assert.ok(served.issuers.has(a))
  await writeFile(file, list(b))
  await served.reload?.()
  assert.deepEqual([served.issuers.has(a), served.issuers.has(b)], [false, true])
  assert.deepEqual(told(recorder), [
    `29059 Authorization server ${a} is configured`,
    `29059 Authorization server ${a} is removed`,
    `29059 Authorization server ${b} is added`,
  ])
})

test('a file that is wrong keeps the servers that there are', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'annals-issuers-'))
  const file = join(directory.path, 'issuers.yaml')
  const a = 'https://a.example.com'
  await writeFile(file, list(a))
  const recorder = new RecorderDouble()
  await using served = await openExternalIssuers(parts(file, recorder))
  for (const text of ['- {issuer: x}', list(a, 'https://audit.example.com/oauth2/default')]) {
    await writeFile(file, text)
    await assert.rejects(served.reload?.() ?? Promise.resolve(), { code: 'INVALID_CONFIGURATION' })
    assert.ok(served.issuers.has(a))
  }
  assert.equal(recorder.events.length, 1)
})

test('a portal with a file that is wrong does not start', async () => {
  await assert.rejects(openExternalIssuers(parts('/nowhere/issuers.yaml', new RecorderDouble())), {
    code: 'INVALID_CONFIGURATION',
  })
})

test('a portal without a file accepts no tokens of others, and has nothing to read again', async () => {
  await using served = await openExternalIssuers(parts(undefined, new RecorderDouble()))
  assert.equal(served.reload, undefined)
  assert.ok(!served.issuers.has('https://a.example.com'))
})

test('where there is no room to record, the servers are accepted all the same', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'annals-issuers-'))
  const file = join(directory.path, 'issuers.yaml')
  const a = 'https://a.example.com'
  await writeFile(file, list(a))
  const recorder = new RecorderDouble()
  recorder.refusesWith = 'STORAGE_FULL'
  await using served = await openExternalIssuers(parts(file, recorder))
  assert.ok(served.issuers.has(a))
  recorder.refusesWith = 'INTERNAL'
  await assert.rejects(openExternalIssuers(parts(file, recorder)), { code: 'INTERNAL' })
})
