import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { realDisk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { makeCertificate } from './certificate.ts'
import { type NextKeyPair, renderPair } from './tls-file.ts'
import { openTlsIdentity, orderNext, readCertificates } from './tls-identity.ts'

const now = 1_800_000_000_123_456
const directory = '/data/tls'
const [currentFile, nextFile] = [join(directory, 'current.pem'), join(directory, 'next.pem')]
const actor = '*cli:anna'

test('a node makes its certificate at the first start, and has it at the next', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  const first = await openTlsIdentity(place)
  assert.deepEqual([first.isNew, first.next], [true, undefined])
  const second = await openTlsIdentity({ ...place, disk: place.disk.powerLoss() })
  assert.equal(second.isNew, false)
  assert.deepEqual(second.current, first.current)
})

test('keys are readable by their owner alone', async () => {
  const place = {
    disk: realDisk,
    directory: mkdtempSync(join(tmpdir(), 'annals-tls-')),
    hostName: 'portal',
    now,
  }
  try {
    await openTlsIdentity(place)
    await orderNext({ ...place, actor })
    assert.deepEqual(readdirSync(place.directory).sort(), ['current.pem', 'next.pem'])
    for (const name of ['current.pem', 'next.pem'])
      assert.equal(statSync(join(place.directory, name)).mode & 0o777, 0o600)
  } finally {
    rmSync(place.directory, { recursive: true })
  }
})

test('a rotation that a command orders is found by the running node, and is done when it says so', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  const identity = await openTlsIdentity(place)
  const before = identity.current
  const ordered = await orderNext({ ...place, actor })
  assert.ok(identity.next === undefined, 'nothing is seen before somebody looks')
  await identity.reload()
  const next = identity.next as NextKeyPair | undefined
  assert.deepEqual(next?.certificate, ordered)
  assert.match(next.order.id, /^[\da-f-]{36}$/)
  assert.deepEqual([next.order.actor, next.order.at], [actor, now])
  assert.deepEqual(identity.current, before)
  await identity.promote()
  assert.deepEqual([identity.current.certificate, identity.current.keyPem], [ordered, next.keyPem])
  assert.equal(identity.next, undefined)
  await identity.reload()
  assert.equal(identity.next, undefined)
  const later = await openTlsIdentity({ ...place, disk: place.disk.powerLoss() })
  assert.deepEqual([later.current.certificate, later.next], [ordered, undefined])
})

test('looking again gives the same value where nothing has changed', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  const identity = await openTlsIdentity(place)
  await orderNext({ ...place, actor })
  await identity.reload()
  const { next } = identity
  await identity.reload()
  assert.equal(identity.next, next)
})

test('a look that is on its way does not bring back what a switch has ended', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  await orderNext({ ...place, actor })
  const identity = await openTlsIdentity(place)
  await Promise.all([identity.reload(), identity.promote(), identity.reload()])
  assert.equal(identity.next, undefined)
})

test('a second rotation is refused while one is under way, and ordered after it', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  const identity = await openTlsIdentity(place)
  const first = await orderNext({ ...place, actor })
  await assert.rejects(orderNext({ ...place, actor: '*cli:bert' }), (error) => {
    assert.ok(isAnnalsError(error, 'ROTATION_UNDER_WAY'))
    assert.match(error.message, /ordered by \*cli:anna at 2027-01-15T08:00:00\.123456Z/)
    return true
  })
  await identity.reload()
  assert.equal(identity.next?.certificate.fingerprint, first.fingerprint)
  await identity.promote()
  const second = await orderNext({ ...place, actor: '*cli:bert' })
  assert.notEqual(second.fingerprint, first.fingerprint)
})

test('a rotation can be ordered before the first start, and is under way after it', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  const ordered = await orderNext({ ...place, actor })
  const identity = await openTlsIdentity(place)
  assert.equal(identity.isNew, true)
  assert.deepEqual(identity.next?.certificate, ordered)
})

test('wherever the power fails while a rotation is ordered, there is the whole order or none', async () => {
  for (const chance of chances) {
    const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
    const { current } = await openTlsIdentity(place)
    let atSync: FaultyDisk | undefined
    place.disk.onSync = () => void (atSync = place.disk.powerLoss(chance))
    await orderNext({ ...place, actor })
    assert.ok(atSync !== undefined)
    const during = await openTlsIdentity({ ...place, disk: atSync })
    assert.deepEqual([during.current, during.next], [current, undefined])
    // What a crash left beside it is in nobody's way.
    await orderNext({ ...place, disk: atSync, actor })
    const after = await openTlsIdentity({ ...place, disk: place.disk.powerLoss(chance) })
    assert.equal(after.next?.order.actor, actor)
  }
})

test('wherever the power fails while certificates are switched, the rotation is under way or done', async () => {
  const seen = new Set<string>()
  for (const chance of chances) {
    const disk = new (class extends FaultyDisk {
      renamed: FaultyDisk | undefined

      override async rename(from: string, to: string): Promise<void> {
        await super.rename(from, to)
        this.renamed = this.powerLoss(chance)
      }
    })()
    const place = { disk, directory, hostName: 'portal', now }
    const { current } = await openTlsIdentity(place)
    const ordered = await orderNext({ ...place, actor })
    const identity = await openTlsIdentity(place)
    await identity.promote()
    assert.ok(disk.renamed !== undefined)
    const after = await openTlsIdentity({ ...place, disk: disk.renamed })
    const isDone = after.next === undefined
    seen.add(isDone ? 'done' : 'under way')
    if (isDone) assert.deepEqual(after.current.certificate, ordered)
    else assert.deepEqual([after.current, after.next?.certificate], [current, ordered])
  }
  assert.deepEqual([...seen].sort(), ['done', 'under way'])
})

test('a certificate that was changed by hand during a rotation is not switched to', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  await orderNext({ ...place, actor })
  const identity = await openTlsIdentity(place)
  const { current, next } = identity
  await place.disk.remove(nextFile)
  await assert.rejects(identity.promote(), isWrong(/next\.pem was changed or removed during a rotation/))
  await orderNext({ ...place, actor })
  await assert.rejects(identity.promote(), isWrong(/next\.pem was changed or removed during a rotation/))
  assert.deepEqual([identity.current, identity.next], [current, next])
  assert.deepEqual((await openTlsIdentity(place)).current, current)
})

test('a file that is not what it should be is named, and nothing is put in its place', async () => {
  const [ours, others] = await Promise.all([makeCertificate('portal', now), makeCertificate('engine', now)])
  for (const { text, reason } of [
    { text: '', reason: /current\.pem does not hold a certificate and its key/ },
    { text: ours.certificate.pem, reason: /current\.pem does not hold a certificate and its key/ },
    { text: ours.certificate.pem.replace('MII', 'MIJ') + ours.keyPem, reason: /that can be read/ },
    { text: ours.certificate.pem + others.keyPem, reason: /holds a key that is not that of its certificate/ },
    {
      text: others.certificate.pem + others.keyPem,
      reason: /is the certificate of engine, and this node is portal/,
    },
  ]) {
    const disk = new FaultyDisk()
    await disk.makeDirectory(directory)
    await replaceFile(disk, currentFile, Buffer.from(text))
    await assert.rejects(openTlsIdentity({ disk, directory, hostName: 'portal', now }), isWrong(reason))
    assert.equal(disk.bytesOf(currentFile)?.toString(), text)
  }
})

test('a next certificate without an order is named, and the node keeps what it had', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  const identity = await openTlsIdentity(place)
  const { current } = identity
  await replaceFile(place.disk, nextFile, renderPair(await makeCertificate('portal', now)))
  await assert.rejects(identity.reload(), isWrong(/next\.pem does not say who ordered it/))
  assert.deepEqual([identity.current, identity.next], [current, undefined])
  await place.disk.remove(nextFile)
  await identity.reload()
})

test('a file that cannot be read is named', async () => {
  const disk = new (class extends FaultyDisk {
    override async open(): Promise<never> {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
    }
  })()
  await assert.rejects(
    openTlsIdentity({ disk, directory, hostName: 'portal', now }),
    isWrong(/current\.pem cannot be read/),
  )
})

test('no refusal shows anything of a key', async () => {
  const disk = new FaultyDisk()
  const [ours, others] = await Promise.all([makeCertificate('portal', now), makeCertificate('portal', now)])
  await disk.makeDirectory(directory)
  await replaceFile(disk, currentFile, Buffer.from(ours.certificate.pem + others.keyPem))
  await assert.rejects(openTlsIdentity({ disk, directory, hostName: 'portal', now }), (error) => {
    for (const line of others.keyPem.split('\n').slice(1, -2)) assert.ok(!String(error).includes(line))
    return true
  })
})

test('what is at rest is read without making anything', async () => {
  const place = { disk: new FaultyDisk(), directory, hostName: 'portal', now }
  assert.deepEqual(await readCertificates(place), { current: undefined, next: undefined })
  assert.deepEqual(place.disk.paths, [])
  const { current } = await openTlsIdentity(place)
  const ordered = await orderNext({ ...place, actor })
  const read = await readCertificates(place)
  assert.deepEqual(read.current, current.certificate)
  assert.equal(read.next?.fingerprint, ordered.fingerprint)
  assert.equal(read.next.order.actor, actor)
  assert.ok(!JSON.stringify(read).includes('PRIVATE'))
  assert.match(
    String(await readWhole(place.disk, nextFile)),
    /^Order: .*\nOrdered-By: \*cli:anna\nOrdered-At: 2027-/,
  )
})

// A power cut that takes all that was not synced, one that takes nothing, and some between.
const chances = [undefined, () => 0.999, () => 0, ...[1, 2, 3, 4].map(seeded)]

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

function isWrong(reason: RegExp): (error: unknown) => boolean {
  return (error) => isAnnalsError(error, 'INVALID_CONFIGURATION') && reason.test(error.message)
}
