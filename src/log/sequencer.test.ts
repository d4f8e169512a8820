import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { parseLine } from '../entry/line.ts'
import { isAnnalsError } from '../errors.ts'
import { paceMostSeconds, queueBytes, queueEntries, queueNotForSingles } from '../limits.ts'
import { Horizon } from './horizon.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import {
  bytesOf,
  draft,
  linesOf,
  openTestLog,
  readDraft,
  recordAll,
  recordEach,
  texts,
  textsOf,
} from './testing/log-under-test.ts'

/** How long somebody is sent away for whom there is no room. */
async function toldNow(refused: Promise<unknown>): Promise<number> {
  const error: unknown = await refused.catch((reason: unknown) => reason)
  assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS'))
  return error.retryAfterSeconds ?? 0
}

const hour = 3_600_000_000
const day = 24 * hour

/** Single entries that may wait. */
const mostSingles = queueEntries - queueNotForSingles.entries

describe('recording', () => {
  test('I1, I2: entries are there in the order in which they were answered, before and after the log is opened again', async () => {
    const { log, disk, clock } = await openTestLog()
    const places = await Promise.all(texts(1000).map((text) => log.record(draft(log, text))))
    assert.deepEqual(
      places.map((place) => place.position),
      texts(1000).map((_, k) => k + 1),
    )
    const lines = await linesOf(log)
    assert.deepEqual(textsOf(lines).slice(1), texts(1000))
    await log.close()
    const again = await openTestLog({ disk, clock })
    assert.deepEqual((await linesOf(again.log)).slice(0, lines.length), lines)
    await again.log.close()
  })

  test('the first entry of a log names it', async () => {
    const { log } = await openTestLog()
    assert.match(
      (await linesOf(log))[0] ?? '',
      new RegExp(`\\[Portal\\|[A-Z]+\\|29011\\|\\*system\\] .*${log.id}`),
    )
    await log.close()
  })

  test('I3: entries of one batch share one time, and every batch is later than the one before', async () => {
    const { log, clock } = await openTestLog()
    await recordAll(log, texts(10))
    await recordAll(log, texts(10))
    clock.step(-hour)
    await recordAll(log, texts(10))
    const times = (await linesOf(log)).map((line) => parseLine(Buffer.from(line)).time)
    assert.equal(new Set(times.slice(1, 11)).size, 1)
    assert.equal(new Set(times.slice(11, 21)).size, 1)
    assert.ok((times[11] ?? 0) > (times[10] ?? 0))
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    )
    await log.close()
  })

  test('I3, W8: a clock that steps back an hour is an entry, and the lines keep what it says', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, ['before'])
    clock.step(-hour)
    await recordEach(log, clock, ['behind'])
    const lines = await linesOf(log)
    const note = lines.at(-2) ?? ''
    assert.match(note, /\|29012\|\*system\] .*-3600000 ms/)
    const [before, behind] = [lines.at(1), lines.at(-1)].map((line) => parseLine(Buffer.from(line ?? '')))
    assert.ok(before !== undefined && behind !== undefined)
    assert.ok(behind.time > before.time)
    assert.equal(behind.clock, clock.wall)
    assert.equal(before.clock, undefined)
    await log.close()
  })

  test('I3, W8: a clock that steps forward a day and back again loses no order', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, ['a'])
    clock.step(day)
    await recordEach(log, clock, ['b'])
    clock.step(-day)
    await recordEach(log, clock, ['c', 'd'])
    const entries = (await linesOf(log)).map((line) => parseLine(Buffer.from(line)))
    const times = entries.map((entry) => entry.time)
    assert.deepEqual(
      times,
      [...times].sort((x, y) => x - y),
    )
    assert.equal(entries.filter((entry) => entry.code === '29012').length, 2)
    assert.equal(entries.at(-1)?.clock, clock.wall)
    await log.close()
  })

  test('I3: a log that is opened while the clock lies behind its last entry goes on after that entry', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, ['a'])
    await log.close()
    clock.step(-hour)
    const again = await openTestLog({ disk, clock })
    await recordEach(again.log, clock, ['b'])
    const entries = (await linesOf(again.log)).map((line) => parseLine(Buffer.from(line)))
    const times = entries.map((entry) => entry.time)
    assert.deepEqual(
      times,
      [...times].sort((x, y) => x - y),
    )
    assert.deepEqual(
      entries.map((entry) => entry.code),
      ['29011', '20101', '29012', '20101'],
    )
    await again.log.close()
  })

  test('I4: the same event is recorded once, in one batch, in two, and after the log is opened again', async () => {
    const { log, disk, clock } = await openTestLog()
    const id = randomUUID()
    const [first, second] = await Promise.all([
      log.record(draft(log, 'x', id)),
      log.record(draft(log, 'x', id)),
    ])
    const third = await log.record(draft(log, 'x', id))
    assert.deepEqual([first.isNew, second.isNew, third.isNew], [true, false, false])
    assert.deepEqual(
      [second.position, third.position, third.time],
      [first.position, first.position, first.time],
    )
    await log.close()
    const again = await openTestLog({ disk, clock })
    assert.deepEqual(await again.log.record(draft(again.log, 'x', id)), { ...first, isNew: false })
    assert.equal(textsOf(await linesOf(again.log)).filter((text) => text === 'x').length, 1)
    await again.log.close()
  })

  test('I4: the same id with other content is refused, naming the first position', async () => {
    const { log } = await openTestLog()
    const id = randomUUID()
    const { position } = await log.record(draft(log, 'x', id))
    await assert.rejects(log.record(draft(log, 'y', id)), {
      code: 'ID_CONFLICT',
      message: new RegExp(`${id}.* ${position}$`),
    })
    const together = await Promise.allSettled(
      ['a', 'b'].map((text) => log.record(draft(log, text, randomUUID().replace(/^./, '0')))),
    )
    assert.ok(together.every((result) => result.status === 'fulfilled'))
    const other = randomUUID()
    const [won, lost] = await Promise.allSettled([
      log.record(draft(log, 'a', other)),
      log.record(draft(log, 'b', other)),
    ])
    assert.equal(won.status, 'fulfilled')
    assert.equal(lost.status, 'rejected')
    await log.close()
  })

  test('I4, W8: an id is too old by the wall clock, also where the times of entries lie ahead of it', async (context) => {
    const { log, clock } = await openTestLog()
    clock.step(day)
    await recordEach(log, clock, ['a day ahead'])
    clock.step(-day)
    clock.pass(hour)
    const oldest = await log.record(draft(log, 'the oldest that is compared'))
    context.mock.getter(Horizon.prototype, 'forgottenBefore', () => oldest)
    const made = (micros: number) => {
      const digits = Math.floor((clock.wall + micros) / 1000)
        .toString(16)
        .padStart(12, '0')
      return `${digits.slice(0, 8)}-${digits.slice(8)}-7${randomUUID().slice(15)}`
    }
    const [old, young] = [() => draft(log, 'old', made(-1000)), () => draft(log, 'young', made(0))]
    assert.ok((await log.record(young())).isNew)
    assert.equal((await log.recordAll([young(), young()])).length, 2)
    await assert.rejects(log.record(old()), { code: 'ID_TOO_OLD' })
    await assert.rejects(log.recordAll([young(), old()]), { code: 'ID_TOO_OLD' })
    assert.equal(log.status().size, oldest.position + 4)
    await log.close()
  })

  test('I4: another sender with the same id is another event', async () => {
    const { log } = await openTestLog()
    const id = randomUUID()
    const one = draft(log, 'x', id)
    const other = { ...one, by: 'mallory', stamp: one.stamp.replace('by="recorder"', 'by="mallory"') }
    assert.notEqual(other.stamp, one.stamp)
    assert.equal((await log.record(one)).isNew, true)
    assert.equal((await log.record(other)).isNew, true)
    await log.close()
  })

  test('I7: where too many wait, the next is refused and nothing of it is recorded', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { log, disk } = await openTestLog()
    await log.record(draft(log, 'first'))
    disk.onSync = (path) => (path.endsWith('.log') ? promise : undefined)
    const waiting = Array.from({ length: 70_000 }, (_, k) => log.record(draft(log, `w ${k}`)))
    const settled = Promise.allSettled(waiting)
    disk.onSync = () => undefined
    resolve()
    const results = await settled
    const refused = results.filter((result) => result.status === 'rejected')
    assert.ok(refused.length > 0)
    for (const { reason } of refused) assert.equal(reason.code, 'TOO_MANY_REQUESTS')
    assert.equal(log.status().size, 2 + results.length - refused.length)
    await log.close()
  })

  test('I7: what is accepted is durable after at most six commits, however many more there are', async () => {
    const { log, disk } = await openTestLog()
    await log.record(draft(log, 'first'))
    let commits = 0
    disk.onSync = (path) => {
      if (path.endsWith('.log')) commits += 1
      return setImmediate()
    }
    const waited: number[] = []
    let refused = 0
    // The queue holds four commits; one is under way when an event comes, and one more may be cut short by its segment's end.
    const recordMany = async (sender: number) => {
      for (let k = 0; k < 3; k += 1) {
        const before = commits
        const all = Array.from({ length: 512 }, (_, n) => log.record(draft(log, `${sender} ${k} ${n}`)))
        for (const result of await Promise.allSettled(all.map((each) => each.then(() => commits - before))))
          if (result.status === 'fulfilled') waited.push(result.value)
          else refused += 1
      }
    }
    await Promise.all(Array.from({ length: 40 }, (_, sender) => recordMany(sender)))
    assert.ok(refused > 0 && waited.length > queueEntries)
    assert.ok(Math.max(...new Set(waited)) <= 6, `${Math.max(...new Set(waited))} commits`)
    await log.close()
  })

  test('single entries leave room for reads and for several together', async () => {
    const { log, disk } = await openTestLog()
    await log.record(draft(log, 'first'))
    const { promise, resolve } = Promise.withResolvers<void>()
    disk.onSync = (path) => (path.endsWith('.log') ? promise : undefined)
    const singles = texts(mostSingles + 5_000).map((text) => log.record(draft(log, text)))
    const settled = Promise.allSettled(singles)
    await assert.rejects(log.record(draft(log, 'one more')), { code: 'TOO_MANY_REQUESTS' })
    const together = log.recordAll(texts(1_000, 'together').map((text) => draft(log, text)))
    const read = log.read({}, readDraft(log))
    resolve()
    assert.equal((await together).length, 1_000)
    assert.notEqual((await read).mark, undefined)
    await settled
    await log.close()
  })

  test('who asks for room is told what a record of that size would be told, and no more is taken', async () => {
    const { log, disk } = await openTestLog()
    await log.record(draft(log, 'first'))
    const { promise, resolve } = Promise.withResolvers<void>()
    disk.onSync = (path) => (path.endsWith('.log') ? promise : undefined)
    const most = queueBytes - queueNotForSingles.bytes
    log.demandRoom(most)
    assert.throws(() => log.demandRoom(most + 1), { code: 'TOO_MANY_REQUESTS' })
    const waiting = log.record(draft(log, 'second'))
    assert.throws(
      () => log.demandRoom(most),
      (error) => isAnnalsError(error, 'TOO_MANY_REQUESTS') && (error.retryAfterSeconds ?? 0) >= 1,
    )
    disk.onSync = () => undefined
    resolve()
    await waiting
    log.demandRoom(most)
    await log.close()
  })

  test('I7: whoever finds the queue full is told when there will be room: the later, the slower the disk is', async (context) => {
    let now = 0
    context.mock.method(performance, 'now', () => now)
    const toldAfter = async (syncMs: number): Promise<number> => {
      const { log, disk } = await openTestLog()
      disk.onSync = (path) => {
        if (path.endsWith('.log')) now += syncMs
        return undefined
      }
      for (const text of texts(20)) await log.record(draft(log, text))
      const waiting = texts(mostSingles, 'w').map((text) => log.record(draft(log, text)))
      const told = await toldNow(log.record(draft(log, 'one more')))
      await Promise.all(waiting)
      await log.close()
      return told
    }
    const [fast, slow, slowest] = [await toldAfter(0.1), await toldAfter(1), await toldAfter(1_000)]
    assert.ok(fast >= 1 && fast < slow && slow < slowest, `${fast}, ${slow}, ${slowest}`)
    assert.equal(slowest, paceMostSeconds)
  })

  test('I7: a disk that stands still makes that later, too', async (context) => {
    let now = 0
    context.mock.method(performance, 'now', () => now)
    const { log, disk } = await openTestLog()
    const { promise, resolve } = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    disk.onSync = () => {
      begun.resolve()
      return promise
    }
    const first = log.record(draft(log, 'first'))
    await begun.promise
    const waiting = texts(mostSingles, 'w').map((text) => log.record(draft(log, text)))
    const early = toldNow(log.record(draft(log, 'one more')))
    now += 20_000
    const late = toldNow(log.record(draft(log, 'another')))
    resolve()
    await Promise.all([first, ...waiting])
    await log.close()
    assert.deepEqual([await early, await late], [1, 20])
  })

  test('a closed log refuses, and what was accepted before is recorded', async () => {
    const { log, disk, clock } = await openTestLog()
    const waiting = texts(500).map((text) => log.record(draft(log, text)))
    const closing = log.close()
    await assert.rejects(log.record(draft(log, 'late')), { code: 'UNAVAILABLE' })
    await Promise.all([...waiting, closing])
    const again = await openTestLog({ disk, clock })
    assert.deepEqual(textsOf(await linesOf(again.log)).slice(1, 501), texts(500))
    await again.log.close()
  })
})

describe('failing disks', () => {
  test('I1: after a failed sync the callers are told, nothing of the batch is kept, and the log goes on', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, texts(5))
    disk.onSync = (path) => (path.endsWith('00.log') ? 'fail' : undefined)
    clock.step(-hour)
    await assert.rejects(log.record(draft(log, 'lost')), { code: 'OUTCOME_UNKNOWN' })
    disk.onSync = () => undefined
    await recordEach(log, clock, ['after'])
    const lines = await linesOf(log)
    const codes = lines.map((line) => parseLine(Buffer.from(line)).code)
    assert.deepEqual(codes.slice(-3), ['29012', '29015', '20101'], 'what the log says of itself is kept')
    const expected = textsOf(lines)
    assert.deepEqual(
      expected.filter((text) => !text.startsWith('<')),
      [...texts(5), 'after'],
    )
    assert.match(expected.at(-2) ?? '', /\|29015\|\*system\]/)
    // What was acknowledged is on the disk itself, not only in what it shows.
    const again = await openTestLog({ disk: disk.powerLoss(), clock })
    assert.deepEqual(textsOf(await linesOf(again.log)).slice(0, expected.length), expected)
    await again.log.close()
    await log.close()
  })

  test('I1: a disk that goes on failing ends the log, and everybody is told', async () => {
    const { log, disk, clock, failures } = await openTestLog()
    await recordEach(log, clock, texts(2))
    disk.onSync = () => 'fail'
    const results = await Promise.allSettled([log.record(draft(log, 'a')), log.record(draft(log, 'b'))])
    for (const result of results) assert.equal(result.status, 'rejected')
    await assert.rejects(log.record(draft(log, 'c')), { code: 'STORAGE_FAILED' })
    assert.equal(log.status().recording, 'failed')
    assert.equal(failures.length, 1)
    disk.onSync = () => undefined
    await log.close()
    const again = await openTestLog({ disk: disk.powerLoss(), clock })
    assert.deepEqual(textsOf(await linesOf(again.log)).slice(1, 3), texts(2))
    await again.log.close()
  })

  test('I1: a disk on which the next write fails too ends the log, and is not tried for ever', async () => {
    const { log, disk, clock, failures } = await openTestLog()
    await recordEach(log, clock, texts(2))
    // The copy of the segment is written; the segment itself never again.
    disk.onSync = (path) => (path.endsWith('.log') ? 'fail' : undefined)
    await assert.rejects(log.record(draft(log, 'a')), { code: 'OUTCOME_UNKNOWN' })
    while (log.status().recording !== 'failed') await new Promise((done) => setTimeout(done, 5))
    assert.equal(failures.length, 1)
    await log.close()
    const again = await openTestLog({ disk: disk.powerLoss(), clock })
    assert.deepEqual(textsOf(await linesOf(again.log)).slice(1, 3), texts(2))
    await again.log.close()
  })

  test('I5: a store that says that another writer was there ends the log', async () => {
    const cause = new Error('theirs')
    let isTaken = false
    const wrapStore = (store: SegmentStore): SegmentStore =>
      new Proxy(store, {
        get(target, name) {
          if (name === 'append' && isTaken) return async () => ({ outcome: 'taken', cause })
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    const { log, failures } = await openTestLog({ wrapStore })
    await log.record(draft(log, 'ours'))
    isTaken = true
    await assert.rejects(log.record(draft(log, 'theirs')), { code: 'OUTCOME_UNKNOWN' })
    await log.close()
    assert.equal(failures.length, 1)
    assert.equal(log.status().recording, 'failed')
  })

  test('I9: below the low mark recording is refused and says so in the log; reading goes on; it resumes', async () => {
    const { log, disk, clock } = await openTestLog({ minFreeBytes: 100_000 })
    await recordEach(log, clock, ['before'])
    disk.capacity = disk.used + 90_000
    clock.pass(1_000_000)
    await assert.rejects(log.record(draft(log, 'refused 1')), { code: 'STORAGE_FULL' })
    await assert.rejects(log.record(draft(log, 'refused 2')), { code: 'STORAGE_FULL' })
    assert.equal(log.status().recording, 'refusing')
    const snapshot = await log.read({}, readDraft(log))
    assert.equal(snapshot.mark, undefined)
    assert.match((await bytesOf(snapshot)).toString(), /\|29016\|\*system\]/)
    disk.capacity = disk.used + 190_000
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(log.status().recording, 'refusing', 'it resumes only at twice the low mark')
    disk.capacity = disk.used + 210_000
    await resumed(log)
    await recordEach(log, clock, ['after'])
    const said = textsOf(await linesOf(log))
    assert.match(said.find((text) => text.includes('|29017|')) ?? '', /; 2 events were refused/)
    assert.match(said.find((text) => text.includes('|29005|')) ?? '', /1 reads? /)
    assert.equal(said.at(-1), 'after')
    await log.close()
  })

  test('I4, I9: what had been recorded is known again where nothing can be recorded', async () => {
    const { log, disk, clock } = await openTestLog({ minFreeBytes: 100_000 })
    const [one, two] = [draft(log, 'one'), draft(log, 'two')]
    const first = await log.record(one)
    const second = await log.record(two)
    const isKnown = async () => {
      const answers = [log.record(one), log.recordAll([two, one]), log.record(draft(log, 'new'))] as const
      await assert.rejects(log.recordAll([two, draft(log, 'new')]))
      await assert.rejects(answers[2])
      assert.deepEqual(await answers[0], { ...first, isNew: false })
      assert.deepEqual(await answers[1], [
        { ...second, isNew: false },
        { ...first, isNew: false },
      ])
    }
    disk.onSync = (path) => (path.endsWith('.log') ? 'fail' : undefined)
    await isKnown()
    disk.onSync = () => undefined
    await log.record(draft(log, 'between'))
    // Full without a warning, and then known to be.
    disk.capacity = 0
    await isKnown()
    clock.pass(1_000_000)
    await isKnown()
    await log.close()
  })

  test('I7: every refused event is counted, also those that come while recording resumes', async () => {
    const { log, disk, clock } = await openTestLog({ minFreeBytes: 100_000 })
    clock.pass(1_000_000)
    disk.capacity = disk.used + 50_000
    await assert.rejects(log.record(draft(log, 'refused')), { code: 'STORAGE_FULL' })
    disk.capacity = Number.POSITIVE_INFINITY
    let refused = 1
    // They come in every turn of the event loop until one is accepted.
    const isRefused = async () => {
      await setImmediate()
      return log.record(draft(log, 'another')).then(
        () => false,
        () => true,
      )
    }
    while (await isRefused()) refused += 1
    await log.record(draft(log, 'after'))
    const lines = await linesOf(log)
    const said = lines.flatMap((line) => /; (\d+) events were refused/.exec(line)?.[1] ?? [])
    assert.equal(
      said.reduce((sum, n) => sum + Number(n), 0),
      refused,
    )
    await log.close()
  })

  test('I9: a disk that is full without a warning keeps nothing of the batch, and the entry that says so comes when there is room', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, texts(3))
    disk.capacity = disk.used + 100
    await assert.rejects(log.record(draft(log, 'refused')), { code: 'STORAGE_FULL' })
    assert.equal((await log.read({}, readDraft(log))).mark, undefined)
    disk.capacity = Number.POSITIVE_INFINITY
    await resumed(log)
    await recordEach(log, clock, ['after'])
    const said = textsOf(await linesOf(log))
    assert.deepEqual(
      said.filter((text) => !text.startsWith('<')),
      [...texts(3), 'after'],
    )
    const codes = said.map((text) => /\|(29\d\d\d)\|/.exec(text)?.[1]).filter((code) => code !== undefined)
    assert.deepEqual(codes, ['29011', '29016', '29017', '29005'])
    const again = await openTestLog({ disk: disk.powerLoss(), clock })
    assert.deepEqual(textsOf(await linesOf(again.log)).slice(0, said.length), said)
    await again.log.close()
    await log.close()
  })
})

describe('reading', () => {
  test('I11: a window waits for a commit that is on its way, and asked again it is identical', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, texts(3))
    const { promise, resolve } = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    disk.onSync = (path) => {
      if (!path.endsWith('.log')) return undefined
      begun.resolve()
      return promise
    }
    clock.pass(1000)
    const recording = log.record(draft(log, 'on its way'))
    await begun.promise
    let isAnswered = false
    const before = clock.wall + 1
    const reading = log.read({ before }, readDraft(log)).then((snapshot) => {
      isAnswered = true
      return snapshot
    })
    clock.pass(1_000_000)
    await new Promise((done) => setTimeout(done, 20))
    assert.equal(isAnswered, false)
    disk.onSync = () => undefined
    resolve()
    const first = await bytesOf(await reading)
    await recording
    assert.match(first.toString(), /on its way/)
    clock.step(-hour)
    await recordAll(log, texts(10))
    assert.deepEqual(await bytesOf(await log.read({ before }, readDraft(log))), first)
    await log.close()
  })

  test('I11: with the clock stepping back between the two, the same window is identical', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, texts(3))
    const { now } = await log.read({}, readDraft(log))
    clock.pass(1000)
    const window = { before: now, elapsed: hour }
    const first = await bytesOf(await log.read(window, readDraft(log)))
    clock.step(-hour)
    await recordEach(log, clock, texts(5))
    assert.deepEqual(await bytesOf(await log.read(window, readDraft(log))), first)
    await log.close()
  })

  test('S7, W3: a read is an entry, lies outside its own snapshot, and its time is "now"', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, texts(3))
    clock.pass(1000)
    const snapshot = await log.read({}, readDraft(log))
    assert.deepEqual([snapshot.from, snapshot.to, snapshot.mark], [0, 4, 4])
    const lines = await linesOf(log)
    assert.equal(textsOf(lines)[4], 'read 0-4')
    assert.equal(parseLine(Buffer.from(lines[4] ?? '')).time, snapshot.now)
    await log.close()
  })

  test('S7: reads that wait together share a commit', async () => {
    const { log, disk } = await openTestLog()
    await log.record(draft(log, 'x'))
    const before = disk.syncs
    await Promise.all(Array.from({ length: 50 }, () => log.read({}, readDraft(log))))
    assert.ok(disk.syncs - before <= 3)
    await log.close()
  })

  test('W3: elapsed hours count back from the read itself, to the microsecond', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, texts(4))
    clock.pass(500)
    const snapshot = await log.read({ elapsed: 1500 }, readDraft(log))
    assert.equal(snapshot.to - snapshot.from, 2)
    await log.close()
  })

  test('R3: a window without an entry is empty, wherever it lies', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, texts(3))
    for (const window of [
      { before: 0 },
      { before: 1, elapsed: 5 },
      { elapsed: 0 },
      { before: clock.wall, elapsed: 0 },
    ]) {
      assert.equal((await log.read(window, readDraft(log))).bytes, 0)
    }
    await log.close()
  })

  test('R2: a snapshot is what it was while recording goes on, across segments', async () => {
    const { log, clock } = await openTestLog()
    await recordAll(log, texts(3000))
    const snapshot = await log.read({}, readDraft(log))
    const first = await bytesOf(snapshot)
    for (let k = 0; k < 5; k++) await recordAll(log, texts(1000))
    clock.pass(1)
    assert.ok(log.status().segments > 4)
    assert.deepEqual(await bytesOf(snapshot), first)
    assert.deepEqual(textsOf(first.toString().split('\n').slice(1, -1)), texts(3000))
    await log.close()
  })

  test('R4: the run of an earlier answer is read again by its positions', async () => {
    const { log } = await openTestLog()
    await recordAll(log, texts(2000))
    const first = await log.read({}, readDraft(log))
    const bytes = await bytesOf(first)
    await recordAll(log, texts(500))
    const again = await log.readRun(first.from, first.to, readDraft(log))
    assert.ok(again !== undefined)
    assert.deepEqual(await bytesOf(again), bytes)
    assert.equal(await log.readRun(0, log.status().size + 1, readDraft(log)), undefined)
    assert.equal(await log.readRun(5, 4, readDraft(log)), undefined)
    await log.close()
  })
})

async function resumed(log: { status(): { recording: string } }): Promise<void> {
  while (log.status().recording !== 'accepting') await new Promise((done) => setTimeout(done, 5))
}
