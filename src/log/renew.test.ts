import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseLine } from '../entry/line.ts'
import type { Disk } from '../store/disk.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { bytesOfHash } from '../tree/hash.ts'
import { noteKeysOf, originOf, readDescription } from './description.ts'
import { type Renewal, renewLog } from './renew.ts'
import { readStoredHead, type StoredHead } from './stored-head.ts'
import { linesOf, newYear, openTestLog, recordEach, TestClock } from './testing/log-under-test.ts'

const how = { data: '/data', actor: '*cli:anna', now: newYear }

/** A log with some entries, closed, and its id and last checkpoint. */
async function closedLog(): Promise<{ disk: FaultyDisk; clock: TestClock; id: string; head: StoredHead }> {
  const { log, disk, clock } = await openTestLog()
  await recordEach(log, clock, ['one', 'two', 'three'])
  await log.close()
  return { disk, clock, id: log.id, head: await headOf(disk, '/data/log') }
}

async function headOf(disk: FaultyDisk, directory: string): Promise<StoredHead> {
  const description = await readDescription(disk, directory)
  assert.ok(description !== undefined)
  const note = String(disk.bytesOf(`${directory}/head`))
  const head = readStoredHead(note, originOf(description), noteKeysOf(description))
  assert.ok(typeof head === 'object')
  return head
}

function namesIn(disk: FaultyDisk, directory: string): string[] {
  return disk.paths
    .filter((path) => path.startsWith(`${directory}/`))
    .map((path) => path.slice(directory.length + 1))
}

describe('a log that is renewed', () => {
  test('is another one, whose first entry names the id, the size and the root of the one before, and why', async () => {
    const { disk, clock, id, head } = await closedLog()
    const renewal = await renewLog({ ...how, disk, reason: 'renewed' })
    const { log: old, size, unproved } = renewal.continues
    assert.deepEqual([old, size, unproved], [id, head.size, 0])
    const { log } = await openTestLog({ disk, clock })
    assert.equal(log.id, renewal.next)
    assert.notEqual(log.id, id)
    const [first = ''] = await linesOf(log)
    const entry = parseLine(Buffer.from(first))
    const root = bytesOfHash(head.root).toString('base64')
    assert.equal(entry.code, '29088')
    assert.ok(
      entry.text.endsWith(
        ` This log ${log.id} continues ${id}, closed with 4 entries (not witnessed) and root ${root} - renewed`,
      ),
      entry.text,
    )
    const params = entry.elements.find(({ name }) => name === 'event@32473')?.params
    const said = Object.fromEntries(params ?? [])
    assert.deepEqual(
      [said['old'], said['size'], said['root'], said['orderedBy']],
      [id, '4', root, '*cli:anna'],
    )
    await recordEach(log, clock, ['four'])
    await log.close()
    const { log: again } = await openTestLog({ disk, clock })
    assert.equal((await linesOf(again)).filter((line) => line.includes('|29088|')).length, 1)
    await again.close()
  })

  test('stays in its place among the closed ones, whole and verifiable, without its private keys', async () => {
    const { disk, id, head } = await closedLog()
    const before = disk.bytesOf('/data/log/segments/00000000000000000000.log')
    await renewLog({ ...how, disk, reason: 'renewed' })
    const closed = `/data/logs/${id}`
    assert.deepEqual(disk.bytesOf(`${closed}/segments/00000000000000000000.log`), before)
    assert.deepEqual(await headOf(disk, closed), head)
    const names = namesIn(disk, closed)
    assert.deepEqual(
      names.filter((name) => name.endsWith('.pem')),
      [],
    )
    assert.ok(names.includes('closed.json'))
    assert.equal(namesIn(disk, '/data').filter((name) => name.startsWith('renewal')).length, 0)
  })

  test('takes along what an engine knows of its portal: it has to join again', async () => {
    const { disk, id } = await closedLog()
    await put(disk, '/data/portal.json', '{}')
    await renewLog({ ...how, disk, reason: 'renewed' })
    assert.equal(disk.bytesOf('/data/portal.json'), undefined)
    assert.equal(String(disk.bytesOf(`/data/logs/${id}/portal.json`)), '{}')
  })

  test('is not renewed where there is none, or where nothing says how far it goes', async () => {
    await assert.rejects(renewLog({ ...how, disk: new FaultyDisk(), reason: 'renewed' }), {
      code: 'LOG_MISSING',
    })
    const { disk, id } = await closedLog()
    disk.damage('/data/log/head', (bytes) => Buffer.from(bytes.toString().replace('\n4\n', '\n5\n')))
    await assert.rejects(renewLog({ ...how, disk, reason: 'renewed' }), {
      code: 'LOG_DAMAGED',
      message: /is not renewed: the head is not signed by the key of the log/,
    })
    assert.equal((await readDescription(disk, '/data/log'))?.id, id)
  })
})

describe('a log that is revoked', () => {
  test('I10: is closed at the last checkpoint that a witness has seen; what lies behind it is said to be unproved', async () => {
    const { disk, clock, id, head: witnessed } = await closedLog()
    const seen = String(disk.bytesOf('/data/log/head'))
    const { log } = await openTestLog({ disk, clock })
    await recordEach(log, clock, ['of the thief', 'or not'])
    await log.close()
    await put(disk, '/data/log/witnessed', seen)
    const { continues } = await renewLog({ ...how, disk, reason: 'revoked' })
    assert.deepEqual(
      [continues.log, continues.size, continues.root, continues.isWitnessed, continues.unproved],
      [id, witnessed.size, witnessed.root, true, 2],
    )
    const { log: next } = await openTestLog({ disk, clock })
    assert.match(
      (await linesOf(next))[0] ?? '',
      /closed with 4 entries \(witnessed\) and root \S+ - revoked$/,
    )
    await next.close()
  })

  test('is closed at its last checkpoint where no witness has seen one', async () => {
    const { disk, head } = await closedLog()
    const { continues } = await renewLog({ ...how, disk, reason: 'revoked' })
    assert.deepEqual([continues.size, continues.isWitnessed, continues.unproved], [head.size, false, 0])
  })
})

describe('a crash', () => {
  test('between any two steps of it leaves the old log or the new one, and the next opening goes on', async () => {
    let [olds, news] = [0, 0]
    for (let steps = 1; ; steps++) {
      const { disk, clock, id } = await closedLog()
      const renewal = await renewLog({ ...how, disk: stoppingAfter(disk, steps), reason: 'renewed' }).catch(
        () => undefined,
      )
      // As after a power cut, and as after kill -9.
      for (const left of [disk.powerLoss(), disk]) {
        const state = await opened(left, clock, id)
        if (state === 'old') olds += 1
        else news += 1
      }
      if (renewal !== undefined) break
    }
    assert.ok(olds > 4 && news > 8, `${olds} times the old log, ${news} times the new one`)
  })

  test('does not make two of one: the command that comes again ends what was begun', async () => {
    let interrupted = 0
    for (let steps = 1; ; steps++) {
      const { disk, id } = await closedLog()
      const first = await renewLog({ ...how, disk: stoppingAfter(disk, steps), reason: 'renewed' }).catch(
        () => undefined,
      )
      if (first !== undefined) break
      // The intent is there, or what it became.
      const isBegun = disk.paths.some((path) => /renewal\.json$|closed\.json$/.test(path))
      const again: Renewal = await renewLog({ ...how, disk, reason: 'revoked' })
      if (isBegun) interrupted += 1
      assert.deepEqual([again.continues.log, again.continues.reason], [id, isBegun ? 'renewed' : 'revoked'])
      assert.equal((await readDescription(disk, '/data/log'))?.id, again.next)
    }
    assert.ok(interrupted > 4)
  })
})

// Opens what a crash left, and says which log it is.
async function opened(disk: FaultyDisk, clock: TestClock, old: string): Promise<'old' | 'new'> {
  const { log } = await openTestLog({ disk, clock })
  await recordEach(log, clock, ['goes on'])
  const lines = await linesOf(log)
  const isOld = log.id === old
  assert.equal(lines.filter((line) => line.includes('|29088|')).length, isOld ? 0 : 1)
  assert.equal(lines[0]?.includes(isOld ? '|29011|' : '|29088|'), true)
  await log.close()
  const pems = disk.paths.filter((path) => path.endsWith('.pem'))
  if (isOld) {
    assert.ok(pems.includes('/data/log/key.pem'))
    return 'old'
  }
  assert.deepEqual(pems.sort(), ['/data/log/key-ml-dsa-44.pem', '/data/log/key.pem'])
  assert.equal((await readDescription(disk, `/data/logs/${old}`))?.id, old)
  assert.ok(disk.bytesOf(`/data/logs/${old}/closed.json`) !== undefined)
  return 'new'
}

/** The disk as a process sees it that ends after so many operations that change something. */
function stoppingAfter(disk: FaultyDisk, steps: number): Disk {
  let left = steps
  const step = <Of extends unknown[], T>(work: (...of: Of) => Promise<T>) => {
    return async (...of: Of): Promise<T> => {
      if (left === 0) throw new Error('killed')
      left -= 1
      return await work(...of)
    }
  }
  return {
    open: async (path, mode) => {
      const file = await (mode === 'read' ? disk.open(path, mode) : step(() => disk.open(path, mode))())
      return {
        ...file,
        write: step((bytes: Uint8Array, offset: number) => file.write(bytes, offset)),
        datasync: step(() => file.datasync()),
      }
    },
    list: (directory) => disk.list(directory),
    makeDirectory: step((path: string) => disk.makeDirectory(path)),
    rename: step((from: string, to: string) => disk.rename(from, to)),
    remove: step((path: string) => disk.remove(path)),
    syncDirectory: step((path: string) => disk.syncDirectory(path)),
    freeBytes: () => disk.freeBytes(),
  }
}

async function put(disk: FaultyDisk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'create')
  await file.write(Buffer.from(text), 0)
  await file.datasync()
  await file.close()
}
