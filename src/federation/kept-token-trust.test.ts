import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { KeptTokenTrust } from './kept-token-trust.ts'
import { hashTokenTrust, nothingTold, renderTokenTrust, type TokenTrust } from './token-trust.ts'

const file = '/data/token-keys.json'
const told: TokenTrust = {
  issuer: 'https://portal.example.com/oauth2/default',
  keys: [{ kty: 'RSA', kid: 'a', n: 'AQAB', e: 'AQAB' }],
  clients: [{ id: 'recorder-a', validFrom: 1, records: 'x' }],
  revoked: [{ jti: 'j', expires: 2 }],
  endedUntil: 0,
}
const otherKeys: TokenTrust = {
  ...told,
  keys: [...told.keys, { kty: 'RSA', kid: 'b', n: 'AQAB', e: 'AQAB' }],
}

test('what the portal told counts at once, and still does after a restart and a power cut', async () => {
  const engine = await engineUnderTest()
  const kept = await engine.open()
  assert.deepEqual([kept.current, kept.hash], [undefined, nothingTold])
  const text = renderTokenTrust(told)
  assert.equal(await kept.keep(text), hashTokenTrust(text))
  assert.deepEqual(kept.current, told)
  engine.disk = engine.disk.powerLoss(() => 0)
  const again = await engine.open()
  assert.deepEqual([again.current, again.hash], [told, hashTokenTrust(text)])
})

test('the entry about keys comes first, once for each change of keys or issuer', async () => {
  const engine = await engineUnderTest()
  const kept = await engine.open()
  await kept.keep(renderTokenTrust(told))
  await kept.keep(renderTokenTrust(told))
  await kept.keep(renderTokenTrust({ ...told, clients: [] }))
  await kept.keep(renderTokenTrust(otherKeys))
  await kept.keep(renderTokenTrust({ ...otherKeys, issuer: 'https://new.example.com/oauth2/default' }))
  const entries = engine.events.map(({ code, component, eventParams = [] }) => [
    code,
    component,
    ...eventParams.map(([, value]) => value),
  ])
  assert.deepEqual(entries, [
    ['29075', 'engine-01', told.issuer, 'a'],
    ['29075', 'engine-01', told.issuer, 'a b'],
    ['29075', 'engine-01', 'https://new.example.com/oauth2/default', 'a b'],
  ])
})

test('I9: keys count without an entry where there is no room for one, and not where recording fails otherwise', async () => {
  const engine = await engineUnderTest()
  const kept = await engine.open()
  engine.fail(new AnnalsError('UNAVAILABLE', 'closed'))
  await assert.rejects(kept.keep(renderTokenTrust(told)), (error) => isAnnalsError(error, 'UNAVAILABLE'))
  assert.equal(kept.current, undefined)
  engine.fail(new AnnalsError('STORAGE_FULL', 'no room'))
  await kept.keep(renderTokenTrust(told))
  assert.deepEqual(kept.current, told)
})

test('what is not durable does not count', async () => {
  const engine = await engineUnderTest()
  const kept = await engine.open()
  await kept.keep(renderTokenTrust(told))
  engine.disk.onSync = () => 'fail'
  await assert.rejects(kept.keep(renderTokenTrust(otherKeys)))
  assert.deepEqual(kept.current, told)
  engine.disk.onSync = () => undefined
  await kept.keep(renderTokenTrust(otherKeys))
  assert.deepEqual(kept.current, otherKeys)
})

test('what another portal told counts for nothing', async () => {
  const engine = await engineUnderTest()
  await (await engine.open()).keep(renderTokenTrust(told))
  engine.portal = 'portal-02-bbbbbbbbbbbbbbbb'
  const kept = await engine.open()
  assert.deepEqual([kept.current, kept.hash], [undefined, nothingTold])
  await kept.keep(renderTokenTrust(told))
  assert.deepEqual(kept.current, told)
  engine.portal = undefined
  assert.equal(kept.current, undefined)
  await kept.keep(renderTokenTrust(otherKeys))
  assert.deepEqual([kept.current, kept.hash], [undefined, nothingTold])
})

test('a file that is not what was written is as good as none, and is said', async () => {
  for (const text of ['', '{}', '{"format":"annals token keys v1"}', renderTokenTrust(told)]) {
    const engine = await engineUnderTest()
    await replaceFile(engine.disk, file, Buffer.from(text))
    const kept = await engine.open()
    assert.deepEqual([kept.current, engine.warnings()], [undefined, 1], text)
    await kept.keep(renderTokenTrust(told))
    assert.deepEqual((await engine.open()).current, told)
  }
})

test('a body that is none is refused, and changes nothing', async () => {
  const engine = await engineUnderTest()
  const kept = await engine.open()
  await kept.keep(renderTokenTrust(told))
  const before = await readWhole(engine.disk, file)
  const wrong = [
    'x',
    '[]',
    JSON.stringify({ ...told, issuer: '' }),
    JSON.stringify({ ...told, keys: [{ kty: 'oct', kid: 'a', k: 'x' }] }),
    JSON.stringify({ ...told, keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }] }),
    JSON.stringify({ ...told, clients: [{ id: 'a', validFrom: '1', records: 'x' }] }),
    JSON.stringify({ ...told, clients: [{ id: 'a', validFrom: 1 }] }),
    JSON.stringify({ ...told, revoked: [{ jti: 'j' }] }),
    JSON.stringify({ ...told, revoked: undefined }),
    JSON.stringify({ ...told, endedUntil: null }),
  ]
  for (const text of wrong)
    await assert.rejects(kept.keep(text), (error) => isAnnalsError(error, 'INVALID_PARAMETER'), text)
  assert.deepEqual(await readWhole(engine.disk, file), before)
})

async function engineUnderTest() {
  const disk = new FaultyDisk()
  await disk.makeDirectory('/data')
  const events: AuditEvent[] = []
  const node = { hostName: 'engine-01', component: 'engine-01' }
  let [warnings, problem] = [0, undefined as AnnalsError | undefined]
  const engine = {
    disk,
    events,
    portal: 'portal-01-aaaaaaaaaaaaaaaa' as string | undefined,
    fail: (error: AnnalsError) => (problem = error),
    warnings: () => warnings,
    open: () =>
      KeptTokenTrust.open({
        disk: engine.disk,
        directory: '/data',
        portalLog: () => engine.portal,
        node,
        async record(event) {
          if (problem !== undefined) throw problem
          events.push(event)
        },
        logger: { info: () => undefined, warn: () => (warnings += 1) },
      }),
  }
  return engine
}
