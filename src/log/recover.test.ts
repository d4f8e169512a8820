import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { formatCheckpoint } from '../tree/checkpoint.ts'
import { noteSigner, signatureTypes } from '../tree/note-key.ts'
import { parseSignedCheckpoint, signedCheckpoint, verifySignatures } from '../tree/signed-checkpoint.ts'
import { noteKeysOf, readDescription } from './description.ts'
import { generateKeyPairSync } from 'node:crypto'
import { bytesOfHash, leafHash } from '../tree/hash.ts'
import { CompactRange } from '../tree/compact-range.ts'
import { checkLog } from './check.ts'
import {
  draft,
  linesOf,
  openTestLog,
  readDraft,
  recordAll,
  recordEach,
  type TestClock,
  texts,
  textsOf,
} from './testing/log-under-test.ts'

const segments = '/data/log/segments/'
const segment0 = `${segments}00000000000000000000.log`

/** A log of three segments and some, closed. */
async function closedLog(): Promise<{ disk: FaultyDisk; clock: TestClock; lines: string[] }> {
  const { log, disk, clock } = await openTestLog()
  for (let k = 0; k < 8; k++) {
    clock.pass(1000)
    await recordAll(log, texts(250, `batch ${k}, event`))
  }
  const lines = await linesOf(log)
  await log.close()
  return { disk, clock, lines }
}

/** The files of a kind, in order. */
function files(disk: FaultyDisk, ending: string): string[] {
  return disk.paths.filter((path) => path.endsWith(ending)).sort()
}

function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }
}

describe('opening', () => {
  test('I1, I2: a log that was closed opens with what it had, and goes on', async () => {
    const { disk, clock, lines } = await closedLog()
    const { log } = await openTestLog({ disk, clock })
    assert.deepEqual((await linesOf(log)).slice(0, lines.length), lines)
    await recordEach(log, clock, ['more'])
    assert.equal(textsOf(await linesOf(log)).at(-1), 'more')
    await log.close()
    assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
  })

  test('the head, signed, holds the size and the root of RFC 6962 over the stored lines', async () => {
    const { disk } = await closedLog()
    const head = parseSignedCheckpoint(String(disk.bytesOf('/data/log/head')))
    const stored = files(disk, '.log').flatMap((path) => String(disk.bytesOf(path)).split('\n').slice(0, -1))
    const range = new CompactRange()
    for (const line of stored) range.append(leafHash(line))
    assert.equal(head?.size, stored.length)
    assert.equal(head?.root, range.root())
    assert.match(head?.origin ?? '', /^portal-01\/audit-trail\/api\/v2\/logs\/portal-01-[a-z2-7]{16}$/)
  })

  test('segments are bounded, readable, sealed at a multiple of 256 entries, and never written again', async () => {
    const { disk, clock } = await closedLog()
    const sealed = files(disk, '.seal').map((path) => path.replace('.seal', '.log'))
    assert.ok(sealed.length >= 2)
    const before = sealed.map((path) => disk.bytesOf(path))
    for (const bytes of before) {
      assert.equal(String(bytes).split('\n').slice(0, -1).length % 256, 0)
      assert.ok((bytes?.length ?? 0) < 2 * 128 * 1024 + 256 * 400)
    }
    const { log } = await openTestLog({ disk, clock })
    await recordAll(log, texts(2000))
    await log.close()
    assert.deepEqual(
      sealed.map((path) => disk.bytesOf(path)),
      before,
    )
  })

  test('a log under another host name is refused', async () => {
    const { disk } = await closedLog()
    await assert.rejects(openTestLog({ disk, hostName: 'portal-02' }), {
      code: 'INVALID_CONFIGURATION',
      message: /"portal-01".*"portal-02".*--host-name portal-01/,
    })
  })

  test('a log without its key, or with another, is refused', async () => {
    const { disk } = await closedLog()
    const other = (await closedLog()).disk.bytesOf('/data/log/key.pem')
    disk.damage('/data/log/key.pem', () => Buffer.from(other ?? []))
    await assert.rejects(openTestLog({ disk }), { code: 'LOG_DAMAGED', message: /not the key of portal-01-/ })
    disk.lose('/data/log/key.pem')
    await assert.rejects(openTestLog({ disk }), { code: 'LOG_DAMAGED', message: /key\.pem is missing/ })
  })

  test('a log that lost its description is not begun anew over its segments', async () => {
    const { disk } = await closedLog()
    disk.lose('/data/log/log.json')
    await assert.rejects(openTestLog({ disk }), { code: 'LOG_DAMAGED', message: /no log\.json/ })
  })

  test('a crash between any two syncs of the making of a log leaves none, or one that opens', async () => {
    for (let cut = 1; ; cut++) {
      const disk = new FaultyDisk()
      let lost: FaultyDisk | undefined
      disk.onSync = () => {
        if (disk.syncs === cut) lost = disk.powerLoss()
        return undefined
      }
      const { log, clock } = await openTestLog({ disk })
      await log.close()
      if (lost === undefined) return assert.ok(cut > 5)
      const again = await openTestLog({ disk: lost, clock })
      await again.log.record(draft(again.log, 'x'))
      await again.log.close()
    }
  })
})

describe('power cuts', () => {
  for (const [name, keeps] of [
    ['loses everything after the last sync', false],
    ['keeps any part of it', true],
  ] as const) {
    test(`I1, I4: a disk that ${name} has every acknowledged entry, in order, unchanged, and none twice`, async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const chance = randomOf(seed)
        const { log, disk, clock } = await openTestLog({ segmentBytes: 40 * 1024 })
        const acknowledged = new Map<number, string>()
        const rounds = 1 + Math.floor(chance() * 6)
        for (let round = 0; round < rounds; round++) {
          clock.pass(1000)
          const wanted = texts(1 + Math.floor(chance() * 120), `seed ${seed}, round ${round},`)
          await Promise.all(
            wanted.map(async (text) => acknowledged.set((await log.record(draft(log, text))).position, text)),
          )
        }
        // The power goes while a batch is on its way to the disk.
        const cutAt = Promise.withResolvers<FaultyDisk>()
        disk.onSync = (path) => {
          if (path.endsWith('.log')) cutAt.resolve(disk.powerLoss(keeps ? chance : undefined))
          return undefined
        }
        clock.pass(1000)
        const last = recordAll(log, texts(1 + Math.floor(chance() * 120), `seed ${seed}, on its way,`))
        const cut = await cutAt.promise
        await last
        await log.close()

        const again = await openTestLog({ disk: cut, clock, segmentBytes: 40 * 1024 })
        const found = textsOf(await linesOf(again.log))
        for (const [position, text] of acknowledged) assert.equal(found[position], text)
        assert.equal(new Set(found).size, found.length)
        await recordEach(again.log, clock, ['goes on'])
        assert.equal(textsOf(await linesOf(again.log)).at(-1), 'goes on')
        await again.log.close()
        assert.equal((await checkLog({ data: '/data', disk: cut })).faultCount, 0)
      }
    })
  }

  test('a torn last line is cut off, set aside, and the cut is an entry', async () => {
    const { disk, clock, lines } = await closedLog()
    const last = files(disk, '.log').at(-1) ?? ''
    disk.damage(last, (bytes) => Buffer.concat([bytes, Buffer.from('<110>1 2026-01-01T00:00:')]))
    const { log } = await openTestLog({ disk, clock })
    const found = await linesOf(log)
    assert.deepEqual(found.slice(0, lines.length), lines)
    assert.match(found.at(-1) ?? '', /\|29013\|\*system\] 24 bytes/)
    const [cut] = files(disk, '.cut')
    assert.equal(String(disk.bytesOf(cut ?? '')), '<110>1 2026-01-01T00:00:')
    await log.close()
  })

  test('I6: a batch before the last one that is damaged is no tear, and refuses to open', async () => {
    const { log, disk, clock } = await openTestLog()
    await log.close()
    const again = await openTestLog({ disk, clock })
    const before = disk.bytesOf('/data/log/head')
    await recordEach(again.log, clock, texts(5))
    const crashed = disk.powerLoss()
    if (before !== undefined) crashed.damage('/data/log/head', () => Buffer.from(before))
    const text = String(crashed.bytesOf(segment0))
    crashed.damage(segment0, flip(text.indexOf('pos="3"') + 5))
    await assert.rejects(openTestLog({ disk: crashed, clock }), {
      code: 'LOG_DAMAGED',
      message: /whole batches follow/,
    })
    await again.log.close()
  })

  test('I6: damage below the head refuses to open, even in the last batch', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, texts(5))
    await log.close()
    const text = String(disk.bytesOf(segment0))
    disk.damage(segment0, flip(text.indexOf('pos="5"') + 5))
    await assert.rejects(openTestLog({ disk, clock }), {
      code: 'LOG_DAMAGED',
      message: /the head covers 6 entries/,
    })
  })
})

describe('derived files', () => {
  test('a missing, torn, wrong or too long index of any segment never changes an answer, and is mended', async () => {
    const { disk: original, clock, lines } = await closedLog()
    for (const change of ['lose', 'tear', 'flip', 'extend'] as const) {
      const disk = original.powerLoss()
      const indexes = [...files(disk, '.index'), ...files(disk, '.ids')]
      assert.ok(indexes.length >= 6)
      for (const path of indexes) {
        if (change === 'lose') disk.lose(path)
        else if (change === 'tear') disk.damage(path, (bytes) => bytes.subarray(0, bytes.length / 2))
        else if (change === 'flip') disk.damage(path, flip(80))
        else disk.damage(path, (bytes) => Buffer.concat([bytes, bytes]))
      }
      const { log } = await openTestLog({ disk, clock })
      assert.deepEqual((await linesOf(log)).slice(0, lines.length), lines, change)
      await log.read({ before: clock.wall - 4500 }, readDraft(log))
      await log.close()
    }
  })

  test('missing and wrong tiles are made again', async () => {
    const { log, disk, clock } = await openTestLog({ segmentBytes: 8 * 1024 * 1024 })
    for (let k = 0; k < 17; k++) await recordAll(log, texts(4000))
    await log.close()
    const [tile] = files(disk, 'tile/1/000')
    assert.ok(tile !== undefined)
    const right = disk.bytesOf(tile)
    disk.lose(tile)
    await (await openTestLog({ disk, clock, segmentBytes: 8 * 1024 * 1024 })).log.close()
    assert.deepEqual(disk.bytesOf(tile), right)
    disk.damage(tile, flip(100))
    await (await openTestLog({ disk, clock, segmentBytes: 8 * 1024 * 1024 })).log.close()
    assert.deepEqual(disk.bytesOf(tile), right)
    assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
  })
})

describe('damage at rest', () => {
  test('I6: a removed segment is found on opening and by check', async () => {
    for (const which of [0, 1, -1]) {
      const { disk } = await closedLog()
      disk.lose(files(disk, '.log').at(which) ?? '')
      await assert.rejects(openTestLog({ disk }), { code: 'LOG_DAMAGED' })
      assert.ok((await checkLog({ data: '/data', disk })).faultCount > 0)
    }
  })

  test('I6: a truncated segment is found on opening and by check', async () => {
    for (const which of [0, 1, -1]) {
      const { disk } = await closedLog()
      disk.damage(files(disk, '.log').at(which) ?? '', (bytes) => bytes.subarray(0, bytes.length - 300))
      await assert.rejects(openTestLog({ disk }), { code: 'LOG_DAMAGED' })
      assert.ok((await checkLog({ data: '/data', disk })).faultCount > 0)
    }
  })

  test('I2: every flipped byte of a sealed segment is found by check', async () => {
    const { disk } = await closedLog()
    const sealed = files(disk, '.seal')[0]?.replace('.seal', '.log') ?? ''
    const bytes = disk.bytesOf(sealed) ?? Buffer.alloc(0)
    for (let at = 7; at < bytes.length; at += 9973) {
      disk.damage(sealed, flip(at))
      assert.ok(
        (await checkLog({ data: '/data', disk })).faults.some((fault) => fault.of === 'text'),
        `byte ${at}`,
      )
      disk.damage(sealed, flip(at))
    }
    assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
  })

  test('I6: a head of another root, a longer one and an unreadable one refuse to open, and check says so', async () => {
    const { disk: original } = await closedLog()
    const head = parseSignedCheckpoint(String(original.bytesOf('/data/log/head')))
    assert.ok(head !== undefined)
    const thief = noteSigner(head.origin, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey)
    const wrong = [
      String(original.bytesOf('/data/log/head')).replace(`\n${head.size}\n`, `\n${head.size - 1}\n`),
      signedCheckpoint(head, [thief], 0),
      formatCheckpoint({ ...head, root: leafHash('other') }),
      formatCheckpoint({ ...head, size: head.size + 1 }),
      formatCheckpoint({ ...head, origin: 'portal-01/other' }),
      `${head.origin}\n${head.size}\n${bytesOfHash(head.root).toString('hex')}\n`,
      '',
    ]
    for (const text of wrong) {
      const disk = original.powerLoss()
      disk.damage('/data/log/head', () => Buffer.from(text))
      await assert.rejects(openTestLog({ disk }), { code: 'LOG_DAMAGED' }, JSON.stringify(text))
      assert.ok((await checkLog({ data: '/data', disk })).faultCount > 0)
    }
  })

  test('I10: a head that is signed with the keys of the log stands in its way as soon as there is one', async () => {
    const { disk, clock } = await closedLog()
    const note = String(disk.bytesOf('/data/log/head'))
    const { log } = await openTestLog({ disk, clock })
    assert.equal(log.proofs.checkpoint()?.note, note)
    await recordEach(log, clock, ['more'])
    await log.close()
    const later = parseSignedCheckpoint(log.proofs.checkpoint()?.note ?? '')
    assert.equal(later?.size, log.status().size)
    assert.equal(log.proofs.checkpoint()?.note, String(disk.bytesOf('/data/log/head')))
    const description = await readDescription(disk, '/data/log')
    assert.ok(later !== undefined && description !== undefined)
    const signed = verifySignatures(later, noteKeysOf(description))
    assert.deepEqual(
      signed?.map(({ key }) => key.type),
      [1, 6],
    )
  })

  test('a log from before checkpoints were signed gets its second key, and says so', async () => {
    const { disk, clock } = await closedLog()
    disk.damage('/data/log/head', (bytes) => Buffer.from(String(bytes).split('\n\n')[0] + '\n'))
    disk.damage('/data/log/log.json', (bytes) =>
      Buffer.from(String(bytes).replace(/ *"mlDsa44PublicKey".*\n/, '')),
    )
    await disk.remove('/data/log/key-ml-dsa-44.pem')
    const { log } = await openTestLog({ disk, clock })
    assert.equal(parseSignedCheckpoint(log.proofs.checkpoint()?.note ?? '')?.signatures.length, 2)
    assert.match((await linesOf(log)).at(-1) ?? '', /\|29081\|.* are signed with portal-01\/\S+ portal-01\//)
    await log.close()
    assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
    const again = await openTestLog({ disk, clock })
    assert.equal((await linesOf(again.log)).filter((line) => line.includes('|29081|')).length, 1)
    await again.log.close()
  })

  test('a key that is missing or another’s refuses to open', async () => {
    const { disk: original } = await closedLog()
    for (const name of ['key.pem', 'key-ml-dsa-44.pem']) {
      const gone = original.powerLoss()
      await gone.remove(`/data/log/${name}`)
      await assert.rejects(openTestLog({ disk: gone }), { code: 'LOG_DAMAGED' })
      const other = original.powerLoss()
      const type = name === 'key.pem' ? 'ed25519' : 'ml-dsa-44'
      const pem = generateKeyPairSync(type as 'ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
      other.damage(`/data/log/${name}`, () => Buffer.from(pem))
      await assert.rejects(openTestLog({ disk: other }), { code: 'LOG_DAMAGED' })
      assert.ok((await checkLog({ data: '/data', disk: other })).faultCount > 0)
    }
  })

  test('check finds a wrong seal, index and tile each by its name', async () => {
    const { disk } = await closedLog()
    disk.damage(files(disk, '.index')[0] ?? '', flip(60))
    const [seal] = files(disk, '.seal')
    disk.damage(seal ?? '', (bytes) => Buffer.from(String(bytes).replace(/"entries":\d+/, '"entries":256')))
    const { faults } = await checkLog({ data: '/data', disk })
    assert.ok(
      faults.some((fault) => fault.of === 'derived' && fault.message.startsWith('the index of segment 0')),
    )
    assert.ok(faults.some((fault) => fault.of === 'text' && /sealed were 256/.test(fault.message)))
  })

  test('check where there is no log says so', async () => {
    await assert.rejects(checkLog({ data: '/data', disk: new FaultyDisk() }), { code: 'LOG_MISSING' })
  })
})

// A small generator of pseudo-random numbers, so that a failing seed can be repeated.
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_769
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) | 0
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}
