import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { linesOf, openTestLog } from '../log/testing/log-under-test.ts'
import { makeCertificate } from './certificate.ts'
import type { JoinedNode } from './enrolment.ts'
import { EngineSide } from './engine-side.ts'
import { PortalTrust } from './portal-trust.ts'
import { openTlsIdentity, orderNext } from './tls-identity.ts'

const now = 1_800_000_000_000_000

describe('whom an engine trusts', () => {
  test('I1: the portal that was joined is known after a power cut, or was not joined', async () => {
    const disk = new FaultyDisk()
    await disk.makeDirectory('/data')
    const trust = await PortalTrust.open(disk, '/data')
    assert.deepEqual([trust.portal, trust.certificates], [undefined, []])
    const portal = await portalNode()
    await trust.join(portal, 'https://portal.example.com', now)
    const again = await PortalTrust.open(disk.powerLoss(), '/data')
    assert.deepEqual(again.portal, trust.portal)
    assert.deepEqual(again.certificates, [portal.certificate])
    assert.equal(again.portal?.url, 'https://portal.example.com')
  })

  test('where the disk fails, nothing is believed that it does not hold', async () => {
    const disk = new FaultyDisk()
    await disk.makeDirectory('/data')
    const trust = await PortalTrust.open(disk, '/data')
    disk.onSync = () => 'fail'
    await assert.rejects(trust.join(await portalNode(), 'https://portal.example.com', now))
    assert.equal(trust.portal, undefined)
    disk.onSync = () => undefined
    await trust.join(await portalNode(), 'https://portal.example.com', now)
    assert.ok(trust.portal !== undefined)
  })

  test('the next certificate is trusted beside the present one until it is shown, and only for the portal’s name', async () => {
    const disk = new FaultyDisk()
    await disk.makeDirectory('/data')
    let changes = 0
    const trust = await PortalTrust.open(disk, '/data', () => (changes += 1))
    const next = (await makeCertificate('portal', now)).certificate
    await assert.rejects(trust.hold(next.pem), { code: 'INVALID_INPUT' })
    const portal = await portalNode()
    await trust.join(portal, 'https://portal.example.com', now)
    const foreign = (await makeCertificate('other', now)).certificate
    await assert.rejects(trust.hold(foreign.pem), { code: 'INVALID_INPUT' })
    await assert.rejects(trust.hold('no certificate'), { code: 'INVALID_INPUT' })
    assert.equal(await trust.hold(next.pem), true)
    assert.equal(await trust.hold(next.pem), false)
    assert.deepEqual(trust.certificates, [portal.certificate, next])
    assert.deepEqual((await PortalTrust.open(disk.powerLoss(), '/data')).certificates, trust.certificates)
    assert.equal(await trust.promote(portal.certificate.fingerprint), false)
    assert.equal(await trust.promote(next.fingerprint), true)
    assert.deepEqual(trust.certificates, [next])
    assert.equal(changes, 3)
  })

  test('a file that is not what was written is named, with what to do', async () => {
    const disk = new FaultyDisk()
    await disk.makeDirectory('/data')
    const file = await disk.open('/data/portal.json', 'create')
    await file.write(Buffer.from('{"format":"annals portal v1"}'), 0)
    await assert.rejects(PortalTrust.open(disk, '/data'), {
      code: 'INVALID_CONFIGURATION',
      message: /\/data\/portal\.json .*--replace/,
    })
  })
})

describe('the rotation of certificates, as the engine has it', () => {
  test('its own: it switches when the portal says that it holds the next one, and not before', async () => {
    const { side, identity, place, log, changes } = await engineUnderTest()
    const [first] = (await side.describe([])).certificates
    const next = await orderNext({ ...place, actor: '*cli:anna' })
    await identity.reload()
    assert.deepEqual((await side.describe([identity.current.certificate.fingerprint])).certificates, [
      first,
      next.pem,
    ])
    assert.equal(changes(), 0)
    const after = await side.describe([identity.current.certificate.fingerprint, next.fingerprint])
    assert.deepEqual(after.certificates, [next.pem])
    assert.equal(side.tlsOptions().cert, next.pem)
    assert.equal(changes(), 1)
    const entry = (await linesOf(log)).at(-1) ?? ''
    assert.match(entry, / 29047 .*actor="\*cli:anna".*owner="engine-01"/)
    assert.ok(entry.includes(next.fingerprint))
    await log.close()
  })

  test('the portal’s: both are let in until the next one is shown, then only that', async () => {
    const { side, portal, log } = await engineUnderTest()
    const next = (await makeCertificate('portal', now)).certificate
    assert.equal(await side.isPortal(undefined), false)
    assert.equal(await side.isPortal(next.fingerprint), false)
    assert.deepEqual(await side.hold(next.pem), [portal.certificate.fingerprint, next.fingerprint])
    assert.equal(await side.isPortal(portal.certificate.fingerprint), true)
    assert.deepEqual(side.tlsOptions().ca, [portal.certificate.pem, next.pem])
    assert.equal(await side.isPortal(next.fingerprint), true)
    assert.equal(await side.isPortal(portal.certificate.fingerprint), false)
    assert.deepEqual((await side.describe([])).holds, [next.fingerprint])
    const codes = (await linesOf(log)).flatMap((line) => / (2904\d) /.exec(line)?.[1] ?? [])
    assert.deepEqual(codes, ['29046', '29047'])
    await log.close()
  })
})

async function portalNode(): Promise<JoinedNode> {
  const { certificate } = await makeCertificate('portal', now)
  return {
    hostName: 'portal',
    log: 'portal-abcdefghijklmnop' as JoinedNode['log'],
    logKey: 'a2V5',
    certificate,
  }
}

async function engineUnderTest() {
  const { log, disk, clock } = await openTestLog({ hostName: 'engine-01', component: 'engine-01' })
  const place = { disk, directory: '/data/tls', hostName: 'engine-01', now }
  const identity = await openTlsIdentity(place)
  let changes = 0
  const trust = await PortalTrust.open(disk, '/data')
  const portal = await portalNode()
  await trust.join(portal, 'http://127.0.0.1:8080', now)
  const record = async (event: AuditEvent) => void (await log.record(draftOf(event, log.id)))
  const logger = { info: () => undefined, warn: () => undefined }
  const side = new EngineSide({
    log,
    identity,
    trust,
    keys: () => 'keys',
    tokens: { hash: '-', keep: async () => '-' },
    clock,
    record,
    component: 'engine-01',
    version: '1',
    logger,
  })
  side.start(() => (changes += 1))
  side[Symbol.dispose]()
  return { side, identity, place, portal, log, changes: () => changes }
}
