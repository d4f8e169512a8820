import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAnnalsError } from '../../errors.ts'
import { followLineBytes, followOpenFiles } from '../../limits.ts'
import { beforeOpening, brokenDisk, quick, stage, until } from './testing/followed.ts'

/** Lines that say their number, from one to the one before another. */
function lines(from: number, to: number): string {
  let text = ''
  for (let k = from; k < to; k++) text += lineOf(k)
  return text
}

function lineOf(k: number): string {
  return `2025-12-10T08:31:35.279971+01:00 portal-01 app: number ${k}\n`
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, k) => `number ${from + k}`)
}

describe('following a file', () => {
  test('records its lines from the first one on, in order, with their own time and where they are from', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 3_000))
    await at.follow()
    await until(() => at.events.length === 3_000)
    appendFileSync(at.path('audit.log'), lines(3_000, 3_100))
    await until(() => at.events.length === 3_100)
    assert.deepEqual(at.messages(), numbers(0, 3_100))
    const [first] = at.events
    assert.deepEqual(
      [first?.via, first?.by, first?.hostName, first?.appName, first?.occurred],
      ['file', at.path('audit.log'), 'portal-01', 'app', Date.UTC(2025, 11, 10, 7, 31, 35) * 1000 + 279_971],
    )
    assert.equal(new Set(at.events.map(({ id }) => id)).size, 3_100)
  })

  test('files that begin alike are no copies: a rotation that nobody saw is read', async (t) => {
    const at = stage(t)
    const banner = `# ${'='.repeat(400)}\n`
    writeFileSync(at.path('audit.log'), banner + lines(0, 3))
    const first = await at.follow()
    await until(() => at.events.length === 4)
    await first[Symbol.asyncDispose]()
    renameSync(at.path('audit.log'), at.path('audit.log.2'))
    writeFileSync(at.path('audit.log'), banner + lines(3, 6))
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), banner + lines(6, 9))
    await at.follow()
    await until(() => at.messages().includes('number 8'))
    await until(() => at.messages().includes('number 5'))
    assert.deepEqual(
      at
        .messages()
        .filter((text) => text.startsWith('number'))
        .sort(),
      numbers(0, 9),
    )
  })

  test('a rotation that nobody saw is read also where all that was read before is how both begin', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 1))
    const first = await at.follow()
    await until(() => at.events.length === 1)
    await first[Symbol.asyncDispose]()
    renameSync(at.path('audit.log'), at.path('audit.log.2'))
    writeFileSync(at.path('audit.log'), lines(0, 3))
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(0, 1) + lines(3, 6))
    await at.follow()
    await until(() => at.messages().includes('number 5') && at.messages().includes('number 2'))
  })

  test('what is written into a rotated file while nobody follows is read afterwards', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 2))
    // However long it takes until the next one follows, it is not long ago.
    const timing = { ...quick, rotatedMs: 60_000 }
    const first = await at.follow({ timing })
    await until(() => at.events.length === 2)
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(10, 12))
    await until(() => at.events.length === 4)
    await sleep(3 * quick.settleMs)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log.1'), lines(2, 3))
    await at.follow({ timing })
    await until(() => at.events.length === 5)
    assert.equal(at.messages().at(-1), 'number 2')
  })

  test('never follows a link into the data directory, nor the directory under another name', async (t) => {
    const at = stage(t)
    mkdirSync(at.path('data'))
    mkdirSync(at.path('logs'))
    writeFileSync(at.path('data/segment.log'), lines(0, 3))
    symlinkSync(at.path('data'), at.path('other'))
    symlinkSync(at.path('data/segment.log'), at.path('logs/link.log'))
    writeFileSync(at.path('logs/audit.log'), lines(10, 12))
    const patterns = [at.path('logs/*.log'), at.path('other/*.log'), at.path('data/*.log')]
    await at.follow({ patterns, except: at.path('data') })
    await until(() => at.events.length === 2)
    await sleep(5 * quick.lookMs)
    assert.deepEqual(at.messages(), numbers(10, 12))
    assert.equal(at.said.filter((text) => text.includes('leads into the data directory')).length, 2)
  })

  for (const [what, text] of [
    ['read', lines(0, 3)],
    ['empty', ''],
  ] as const)
    for (const state of ['new', 'changed'])
      test(`a file of another name that is given the inode of one that is gone (${what}, ${state}) is another file`, async (t) => {
        const at = stage(t)
        const patterns = [at.path('a.log'), at.path('b.log')]
        writeFileSync(at.path('a.log'), text)
        // Longer than a tick of the file system's clock, so that its change is not at its birth.
        await sleep(20)
        if (state === 'changed') utimesSync(at.path('a.log'), new Date(), new Date())
        const first = await at.follow({ patterns })
        await until(() => first.status().openFiles === 1 && at.events.length === (text === '' ? 0 : 3))
        await first[Symbol.asyncDispose]()
        const { ino } = statSync(at.path('a.log'))
        rmSync(at.path('a.log'))
        await sleep(20)
        writeFileSync(at.path('b.log'), lines(10, 15))
        // Whether the file system does it by itself is chance.
        const kept = readFileSync(at.path('state/places.json'), 'utf8')
        const given = kept.replace(`"inode":"${ino}"`, `"inode":"${statSync(at.path('b.log')).ino}"`)
        writeFileSync(at.path('state/places.json'), given)
        await at.follow({ patterns })
        await until(() => at.messages().includes('number 14'))
        const ofB = at.events.filter(({ by }) => by === at.path('b.log'))
        assert.deepEqual([ofB.length, at.events.length], [5, text === '' ? 5 : 8])
      })

  test('waits for the newline of a line that is being written', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), `${lines(0, 2)}${lineOf(2).slice(0, 20)}`)
    await at.follow()
    await until(() => at.events.length === 2)
    await sleep(5 * quick.lookMs)
    appendFileSync(at.path('audit.log'), lineOf(2).slice(20, 40))
    await sleep(5 * quick.lookMs)
    assert.equal(at.events.length, 2)
    appendFileSync(at.path('audit.log'), lineOf(2).slice(40))
    await until(() => at.events.length === 3)
    assert.deepEqual(at.messages(), numbers(0, 3))
  })

  test('begins where it was left off, after a stop', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    const first = await at.follow()
    await until(() => at.events.length === 10)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log'), lines(10, 20))
    await at.follow()
    await until(() => at.events.length >= 20)
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages(), numbers(0, 20))
  })

  test('I4: delivers under the same ids again what a crash has left between the log and the place', async (t) => {
    const at = stage(t)
    const disk = brokenDisk()
    writeFileSync(at.path('audit.log'), lines(0, 10))
    const first = await at.follow({ disk })
    await until(() => at.events.length === 10)
    await until(() => keptPlaces(at.path('state')).some(({ offset }) => offset === lines(0, 10).length))
    disk.isBroken = true
    appendFileSync(at.path('audit.log'), lines(10, 20))
    await until(() => at.events.length === 20)
    await first[Symbol.asyncDispose]()
    await at.follow()
    await until(() => at.events.length === 30)
    const ids = at.events.map(({ id }) => id)
    assert.deepEqual(ids.slice(20), ids.slice(10, 20))
    assert.equal(new Set(ids).size, 20)
  })

  test('reads what comes meanwhile once there is room again, and stops in time where there is none', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    at.isFull = true
    const first = await at.follow()
    await sleep(10 * quick.lookMs)
    await first[Symbol.asyncDispose]()
    assert.deepEqual(at.events, [])
    await at.follow()
    await sleep(10 * quick.lookMs)
    appendFileSync(at.path('audit.log'), lines(10, 20))
    at.isFull = false
    await until(() => at.events.length >= 20)
    assert.deepEqual(at.messages(), numbers(0, 20))
  })

  test('L3: keeps bytes that are no text, blank lines apart', async (t) => {
    const at = stage(t)
    const odd = Buffer.from([0x61, 0x00, 0xff, 0xc3, 0x28, 0x0d, 0x1b])
    writeFileSync(at.path('audit.log'), Buffer.concat([odd, Buffer.from('\n\n \n'), odd, Buffer.from('\n')]))
    await at.follow()
    await until(() => at.events.length === 2)
    for (const event of at.events) {
      assert.deepEqual(event.message, odd)
      assert.deepEqual(event.details, [['unreadable', 'it begins with neither a priority nor a time']])
    }
  })

  test('L3: takes off one carriage return before a newline, and the mark at the head of a file, and nothing else', async (t) => {
    const at = stage(t)
    const text = `\uFEFF${lines(0, 2)}\r\n\uFEFFa\r\r\n`.replaceAll(/(\d)\n/g, '$1\r\n')
    writeFileSync(at.path('audit.log'), text)
    await at.follow()
    await until(() => at.events.length === 3)
    assert.deepEqual(at.messages(), ['number 0', 'number 1', '\uFEFFa\r'])
    assert.deepEqual(at.events[0]?.details ?? [], at.events[1]?.details ?? [])
    const long = Buffer.alloc(followLineBytes, 'abcdefg')
    appendFileSync(at.path('audit.log'), Buffer.concat([long, Buffer.from(`\r\n${lineOf(9)}`)]))
    await until(() => at.events.length === 5)
    assert.ok(long.equals(Buffer.from(at.events[3]?.message ?? '')))
    assert.equal(at.messages()[4], 'number 9')
  })

  test('keeps a line longer than any in pieces that make up the whole', async (t) => {
    const at = stage(t)
    const long = Buffer.alloc(2.5 * followLineBytes, 'abcdefg')
    writeFileSync(at.path('audit.log'), Buffer.concat([long, Buffer.from(`\n${lines(0, 2)}`)]))
    await at.follow()
    await until(() => at.events.length === 5)
    const pieces = at.events.slice(0, 3).map(({ message }) => Buffer.from(message))
    assert.ok(Buffer.concat(pieces).equals(long))
    assert.deepEqual(at.messages().slice(3), numbers(0, 2))
  })

  test('says once that a file cannot be read, and goes on when it can', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 2))
    await at.follow()
    await until(() => at.events.length === 2)
    renameSync(at.path('audit.log'), at.path('kept'))
    symlinkSync(at.path('audit.log'), at.path('audit.log'))
    await until(() => at.said.length > 0)
    await sleep(5 * quick.retryMs)
    assert.ok(at.said.length <= 2, at.said.join('; '))
    unlinkSync(at.path('audit.log'))
    renameSync(at.path('kept'), at.path('audit.log'))
    appendFileSync(at.path('audit.log'), lines(2, 4))
    await until(() => at.events.length === 4)
    assert.deepEqual(at.messages(), numbers(0, 4))
  })

  test('refuses to begin where the places cannot be read', async (t) => {
    const at = stage(t)
    mkdirSync(at.path('state'))
    writeFileSync(at.path('state/places.json'), '{"version":1,"places":[{}]}')
    await assert.rejects(at.follow(), (error) => isAnnalsError(error, 'STORAGE_FAILED'))
  })
})

describe('rotation by rename', () => {
  test('reads the old file to its end, then the new one', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    await at.follow()
    await until(() => at.events.length === 10)
    appendFileSync(at.path('audit.log'), lines(10, 20))
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(21, 30))
    // Its writer has not heard of it yet.
    appendFileSync(at.path('audit.log.1'), lineOf(20))
    await until(() => at.events.length === 30)
    assert.deepEqual(at.messages(), numbers(0, 30))
    assert.deepEqual(new Set(at.events.map(({ by }) => by)), new Set([at.path('audit.log')]))
    assert.deepEqual(at.own, [])
  })

  test('records the last line of a file that was rotated away and is complete without a newline', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 2))
    await at.follow()
    await until(() => at.events.length === 2)
    appendFileSync(at.path('audit.log'), lineOf(2).trimEnd())
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(3, 5))
    await until(() => at.events.length === 5)
    assert.deepEqual(at.messages(), numbers(0, 5))
  })

  test('lets go of the old file after a while, and takes it up again where it is followed under its new name', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 2))
    const followed = await at.follow({ patterns: [at.path('audit.log*')] })
    await until(() => at.events.length === 2)
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(2, 3))
    await until(() => at.events.length === 3)
    await until(() => followed.status().files === 1)
    appendFileSync(at.path('audit.log.1'), lines(3, 4))
    await until(() => at.events.length === 4)
    assert.deepEqual(at.messages(), numbers(0, 4))
  })

  test('is caught up with after a stop, however often it went on, in order', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log.1'), lines(900, 910))
    writeFileSync(at.path('audit.log'), lines(0, 10))
    const first = await at.follow()
    await until(() => at.events.length === 10)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log'), lines(10, 20))
    for (let round = 2; round < 5; round++) {
      // Longer than a tick of the clock that tells which file was made first.
      await sleep(20)
      for (let k = 4; k > 0; k--)
        if (round > 2 || k === 1) rename(at.path(`audit.log.${k}`), at.path(`audit.log.${k + 1}`))
      renameSync(at.path('audit.log'), at.path('audit.log.1'))
      writeFileSync(at.path('audit.log'), lines(round * 10, (round + 1) * 10))
    }
    await at.follow()
    await until(() => at.events.length >= 50)
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages(), numbers(0, 50))
    assert.deepEqual(at.own, [])
  })

  test('a copy of the log that somebody makes is not taken for one that was missed', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    await at.follow()
    await until(() => at.events.length === 10)
    copyFileSync(at.path('audit.log'), at.path('audit.log.bak'))
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(10, 20))
    await until(() => at.events.length >= 20)
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages(), numbers(0, 20))
  })

  test('a copy that somebody makes of a log which then grows is not recorded again', async (t) => {
    const at = stage(t)
    const banner = `# ${'='.repeat(400)}\n`
    writeFileSync(at.path('audit.log'), banner + lines(0, 30))
    await at.follow()
    await until(() => at.events.length === 31)
    copyFileSync(at.path('audit.log'), at.path('audit.log.bak'))
    appendFileSync(at.path('audit.log'), lines(30, 32))
    await until(() => at.events.length === 33)
    for (let round = 0; round < 2; round++) {
      renameSync(at.path('audit.log'), at.path(`audit.log.${2 - round}`))
      writeFileSync(at.path('audit.log'), banner + lines(40 + 10 * round, 43 + 10 * round))
      await until(() => at.messages().includes(`number ${42 + 10 * round}`))
      await sleep(10 * quick.scanMs)
    }
    const texts = at.messages().filter((text) => text.startsWith('number'))
    assert.deepEqual(texts, [...numbers(0, 32), ...numbers(40, 43), ...numbers(50, 53)])
    assert.deepEqual(at.own, [])
  })

  test('is not taken for a truncation where it falls between a look and the opening', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lineOf(0))
    // Longer than a tick of the file system's clock, so that both are changed after their birth.
    await sleep(20)
    appendFileSync(at.path('audit.log'), lineOf(1))
    const first = await at.follow()
    await until(() => at.events.length === 2)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log'), lineOf(2))
    beforeOpening(t, at.path('audit.log'), async () => {
      renameSync(at.path('audit.log'), at.path('audit.log.1'))
      writeFileSync(at.path('audit.log'), lineOf(3))
      await sleep(20)
      appendFileSync(at.path('audit.log'), lineOf(4))
    })
    await at.follow()
    await until(() => at.messages().includes('number 4') && at.messages().includes('number 2'))
    await sleep(10 * quick.scanMs)
    assert.deepEqual(at.messages(), numbers(0, 5))
    assert.deepEqual(at.own, [])
  })

  test('a copy is read from where its original was left off, where that is gone', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 3))
    const first = await at.follow()
    await until(() => at.events.length === 3)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log'), lines(3, 6))
    copyFileSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('new'), lines(6, 9))
    renameSync(at.path('new'), at.path('audit.log'))
    await at.follow()
    await until(() => at.messages().includes('number 8') && at.messages().includes('number 5'))
    await sleep(10 * quick.scanMs)
    assert.deepEqual(at.messages().sort(), numbers(0, 9))
  })

  test('I7: a file that was removed before it was read to its end is told of, with the bytes that are missing', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    const first = await at.follow()
    await until(() => at.events.length === 10)
    at.isFull = true
    appendFileSync(at.path('audit.log'), lines(10, 12))
    await until(() => first.status().behindBytes > 0)
    await first[Symbol.asyncDispose]()
    const { length } = readFileSync(at.path('audit.log'))
    rmSync(at.path('audit.log'))
    at.isFull = false
    const second = await at.follow()
    await until(() => at.own.length === 1)
    assert.equal(at.own[0]?.code, '29073')
    const missing = length - Buffer.byteLength(lines(0, 10))
    assert.match(String(at.own[0]?.message), new RegExp(`at least ${missing} bytes were not`))
    await second[Symbol.asyncDispose]()
    await at.follow()
    await sleep(10 * quick.lookMs)
    assert.equal(at.own.length, 1)
  })

  test('a file that is removed while it is followed is read to its end', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    const followed = await at.follow()
    await until(() => at.events.length === 10)
    appendFileSync(at.path('audit.log'), lines(10, 20))
    rmSync(at.path('audit.log'))
    await until(() => at.events.length === 20)
    await until(() => followed.status().files === 0)
    assert.deepEqual(at.messages(), numbers(0, 20))
    assert.deepEqual(at.own, [])
  })
})

describe('copy and truncate', () => {
  test('begins again, under other ids, and I7: tells that lines may have been lost', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    await at.follow()
    await until(() => at.events.length === 10)
    copyFileSync(at.path('audit.log'), at.path('audit.log.1'))
    truncateSync(at.path('audit.log'))
    await until(() => at.own.length === 1)
    // The very same lines at the very same places.
    appendFileSync(at.path('audit.log'), lines(0, 5))
    await until(() => at.events.length === 15)
    assert.equal(new Set(at.events.map(({ id }) => id)).size, 15)
    assert.equal(at.own[0]?.code, '29073')
    assert.match(String(at.own[0]?.message), /the file was truncated after \d+ bytes of it were recorded/)
  })

  test('is noticed also where the file has grown beyond the place meanwhile', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    const first = await at.follow()
    await until(() => at.events.length === 10)
    await first[Symbol.asyncDispose]()
    truncateSync(at.path('audit.log'))
    appendFileSync(at.path('audit.log'), lines(100, 150))
    await at.follow()
    await until(() => at.events.length >= 60)
    assert.deepEqual(at.messages(), [...numbers(0, 10), ...numbers(100, 150)])
    assert.equal(at.own.length, 1)
  })

  test('rotations that nobody saw are read also after a truncation, and its copies are not', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 3))
    const first = await at.follow()
    await until(() => at.events.length === 3)
    copyFileSync(at.path('audit.log'), at.path('audit.log.4'))
    truncateSync(at.path('audit.log'))
    await until(() => at.own.length === 1)
    appendFileSync(at.path('audit.log'), lines(3, 6))
    await until(() => at.events.length === 6)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log'), lines(6, 7))
    renameSync(at.path('audit.log'), at.path('audit.log.2'))
    await sleep(20)
    writeFileSync(at.path('audit.log'), lines(7, 9))
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    await sleep(20)
    writeFileSync(at.path('audit.log'), lines(9, 12))
    await at.follow()
    await until(() => at.events.length >= 12)
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages(), numbers(0, 12))
  })

  test('copies that were made while nobody followed are read, the first from where its original was left off', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 3))
    const first = await at.follow()
    await until(() => at.events.length === 3)
    await first[Symbol.asyncDispose]()
    appendFileSync(at.path('audit.log'), lines(3, 5))
    copyFileSync(at.path('audit.log'), at.path('audit.log.2'))
    truncateSync(at.path('audit.log'))
    appendFileSync(at.path('audit.log'), lines(103, 106))
    copyFileSync(at.path('audit.log'), at.path('audit.log.1'))
    truncateSync(at.path('audit.log'))
    appendFileSync(at.path('audit.log'), lines(6, 9))
    await at.follow()
    await until(() => at.events.length >= 11)
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages().sort(), [...numbers(0, 5), ...numbers(6, 9), ...numbers(103, 106)].sort())
    assert.equal(at.own.length, 1)
  })

  test('what came between the last look and the truncation is read from the copy, in whatever file it was made', async (t) => {
    const at = stage(t)
    for (let round = 0; round < 3; round++) {
      const first = await at.follow()
      writeFileSync(at.path('audit.log'), lines(10 * round, 10 * round + 3))
      await until(() => at.messages().includes(`number ${10 * round + 2}`))
      await first[Symbol.asyncDispose]()
      appendFileSync(at.path('audit.log'), lines(10 * round + 3, 10 * round + 10))
      // Over the copy of the round before.
      copyFileSync(at.path('audit.log'), at.path('audit.log.1'))
      truncateSync(at.path('audit.log'))
      const second = await at.follow()
      await until(() => at.messages().includes(`number ${10 * round + 9}`))
      await sleep(2 * quick.settleMs)
      await second[Symbol.asyncDispose]()
    }
    assert.deepEqual([...new Set(at.messages())], numbers(0, 30))
  })

  test('a copy is looked for again where its original is truncated while copies are being looked for', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 3))
    const first = await at.follow()
    await until(() => at.events.length === 3)
    truncateSync(at.path('audit.log'))
    await until(() => at.own.length === 1)
    appendFileSync(at.path('audit.log'), lines(3, 6))
    await until(() => at.events.length === 6)
    renameSync(at.path('audit.log'), at.path('audit.log.2'))
    writeFileSync(at.path('audit.log'), lines(6, 9))
    await until(() => at.events.length === 9)
    await until(() => readFileSync(at.path('state/places.json'), 'utf8').includes('"isSettled":true'))
    await first[Symbol.asyncDispose]()
    copyFileSync(at.path('audit.log'), at.path('audit.log.1'))
    // The copy has been looked at by then: its original is there.
    beforeOpening(t, at.path('audit.log.2'), async () => {
      appendFileSync(at.path('audit.log.1'), lines(9, 12))
      truncateSync(at.path('audit.log'))
      appendFileSync(at.path('audit.log'), lineOf(12))
      await until(() => at.messages().includes('number 12'))
    })
    await at.follow({ timing: { ...quick, rotatedMs: 0 } })
    await until(() => at.messages().includes('number 11'))
    assert.deepEqual(new Set(at.messages()), new Set(numbers(0, 13)))
  })

  test('I4: a copy that was made before its original was read to the end brings its lines under their ids', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    await at.follow()
    await until(() => at.events.length === 10)
    copyFileSync(at.path('audit.log'), at.path('audit.log.1'))
    appendFileSync(at.path('audit.log'), lines(10, 15))
    await until(() => at.events.length === 15)
    truncateSync(at.path('audit.log'))
    appendFileSync(at.path('audit.log'), lines(15, 17))
    await until(() => at.messages().includes('number 16'))
    await sleep(10 * quick.scanMs)
    assert.deepEqual([...new Set(at.messages())], numbers(0, 17))
    assert.equal(new Set(at.events.map(({ id }) => id)).size, 17)
  })

  test('a generation that nobody saw is read though it begins like a longer one that was truncated', async (t) => {
    const at = stage(t)
    const banner = `# ${'='.repeat(400)}\n`
    writeFileSync(at.path('audit.log'), banner + lines(0, 9))
    const first = await at.follow()
    await until(() => at.events.length === 10)
    truncateSync(at.path('audit.log'))
    await until(() => at.own.length === 1)
    await first[Symbol.asyncDispose]()
    writeFileSync(at.path('audit.log.1'), banner + lines(10, 13))
    writeFileSync(at.path('audit.log'), banner + lines(20, 22))
    await at.follow()
    await until(() => at.messages().includes('number 21'))
    await until(() => at.messages().includes('number 12'))
  })

  test('the hole that a writer leaves who goes on at his own place is no line', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('audit.log'), lines(0, 10))
    await at.follow()
    await until(() => at.events.length === 10)
    truncateSync(at.path('audit.log'))
    await until(() => at.own.length === 1)
    truncateSync(at.path('audit.log'), 3_000_000)
    appendFileSync(at.path('audit.log'), lines(10, 12))
    await until(() => at.events.length === 12)
    assert.deepEqual(at.messages(), numbers(0, 12))
  })
})

describe('patterns', () => {
  test('find files and directories that come later, and leave out what is compressed', async (t) => {
    const at = stage(t)
    await at.follow({ patterns: [at.path('logs/**/*.log*'), at.path('one/a[0-9].txt')] })
    await sleep(3 * quick.scanMs)
    mkdirSync(at.path('logs/deep/down'), { recursive: true })
    mkdirSync(at.path('one'))
    writeFileSync(at.path('logs/deep/down/x.log'), lineOf(1))
    writeFileSync(at.path('logs/y.log'), lineOf(2))
    writeFileSync(at.path('logs/y.log.1.gz'), lineOf(3))
    writeFileSync(at.path('one/a7.txt'), lineOf(4))
    writeFileSync(at.path('one/ab.txt'), lineOf(5))
    await until(() => at.events.length >= 3)
    await sleep(5 * quick.scanMs)
    assert.deepEqual(at.messages().sort(), ['number 1', 'number 2', 'number 4'])
  })

  test("leave out what lies in the node's own directory", async (t) => {
    const at = stage(t)
    mkdirSync(at.path('state'))
    writeFileSync(at.path('state/own.log'), lineOf(1))
    writeFileSync(at.path('states.log'), lineOf(2))
    await at.follow({ patterns: [at.path('**/*.log')] })
    await until(() => at.events.length > 0)
    await sleep(5 * quick.scanMs)
    assert.deepEqual(at.messages(), ['number 2'])
  })

  test('let go of files that are at rest, and find what comes there, or has left', async (t) => {
    const at = stage(t)
    for (let k = 0; k < 6; k++) writeFileSync(at.path(`${k}.log`), lineOf(k))
    const options = {
      patterns: [at.path('*.log')],
      bounds: { files: 10, openFiles: 2 },
      timing: { ...quick, letGoMs: 100 },
    }
    const first = await at.follow(options)
    await until(() => at.events.length === 6 && first.status().quietFiles === 4)
    assert.equal(first.status().files, 2)
    for (let k = 0; k < 6; k++) appendFileSync(at.path(`${k}.log`), lineOf(10 + k))
    await until(() => at.events.length === 12 && first.status().quietFiles === 4)
    await first[Symbol.asyncDispose]()
    // While nobody looks: one grows, one is renamed and grows, one begins again.
    const quiet = quietPaths(at.path('state'))
    const [grown, moved, truncated, left] = quiet
    assert.ok(grown !== undefined && moved !== undefined && truncated !== undefined && left !== undefined)
    appendFileSync(grown, lineOf(20))
    appendFileSync(moved, lineOf(21))
    renameSync(moved, `${moved}.1`)
    truncateSync(truncated)
    appendFileSync(truncated, lineOf(22))
    const second = await at.follow(options)
    await until(() => at.events.length === 15)
    assert.deepEqual(new Set(at.messages().slice(12)), new Set(numbers(20, 23)))
    assert.equal(at.own.length, 1)
    assert.match(String(at.own[0]?.message), /was truncated/)
    rmSync(left)
    await until(() => at.own.length === 2)
    assert.match(String(at.own[1]?.message), /was removed/)
    await second[Symbol.asyncDispose]()
  })

  test('I7: prefer the newest where there are too many, and say how many are left out until there is room', async (t) => {
    const at = stage(t)
    for (let k = 0; k < 9; k++) {
      writeFileSync(at.path(`${k}.log`), lineOf(k))
      utimesSync(at.path(`${k}.log`), k, 1_000_000 + k)
    }
    const followed = await at.follow({
      patterns: [at.path('*.log')],
      bounds: { files: 3, openFiles: 0 },
      timing: { ...quick, letGoMs: 3_600_000 },
    })
    await until(() => at.events.length >= 3)
    assert.deepEqual(new Set(at.messages().slice(0, 3)), new Set(numbers(6, 9)))
    await until(() => at.own.length === 1)
    assert.equal(at.own[0]?.code, '29073')
    assert.match(String(at.own[0]?.message), /5\.log may have been lost - it is left out, with 5 other files/)
    await until(() => at.events.length === 9 && followed.status().leftOutFiles === 0)
    assert.deepEqual([at.own.length, at.said.filter((text) => text.includes('left out')).length], [1, 1])
  })

  test('a file whose directory is gone takes nobody the place away, and is read on when that is back', async (t) => {
    const at = stage(t)
    for (const k of [0, 1]) {
      mkdirSync(at.path(`logs/${k}`), { recursive: true })
      writeFileSync(at.path(`logs/${k}/a.log`), lineOf(k))
    }
    const options = {
      patterns: [at.path('logs/**/*.log')],
      bounds: { files: 2, openFiles: 0 },
      timing: { ...quick, restMs: 100, letGoMs: 3_600_000 },
    }
    const first = await at.follow(options)
    await until(() => at.events.length === 2)
    await first[Symbol.asyncDispose]()
    renameSync(at.path('logs'), at.path('away'))
    const second = await at.follow(options)
    mkdirSync(at.path('logs/2'), { recursive: true })
    writeFileSync(at.path('logs/2/a.log'), lineOf(2))
    await until(() => at.events.length === 3)
    await until(() => second.status().quietFiles >= 2)
    await sleep(10 * quick.scanMs)
    assert.ok(second.status().quietFiles >= 2)
    renameSync(at.path('away/0'), at.path('logs/0'))
    appendFileSync(at.path('logs/0/a.log'), lineOf(3))
    await until(() => at.events.length === 4)
    assert.deepEqual(new Set(at.messages()), new Set(numbers(0, 4)))
  })

  test('I4: a file that they name twice is followed once, whether it is new or was let go', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('1.log'), lines(0, 3))
    symlinkSync(at.path('1.log'), at.path('2.log'))
    const followed = await at.follow({
      patterns: [at.path('*.log')],
      bounds: { files: 10, openFiles: 0 },
      timing: { ...quick, letGoMs: 50 },
    })
    for (let k = 3; k < 6; k++) {
      await until(() => at.events.length >= k && followed.status().quietFiles > 0)
      await sleep(2 * quick.scanMs)
      appendFileSync(at.path('1.log'), lineOf(k))
    }
    await until(() => at.messages().includes('number 5'))
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages(), numbers(0, 6))
    assert.deepEqual(at.own, [])
  })

  test('I4: a rotated file that nobody saw is recorded once where they name it too', async (t) => {
    const at = stage(t)
    const patterns = [at.path('audit.log*')]
    writeFileSync(at.path('audit.log'), lines(0, 3))
    const first = await at.follow({ patterns })
    await until(() => at.events.length === 3)
    await first[Symbol.asyncDispose]()
    renameSync(at.path('audit.log'), at.path('audit.log.2'))
    writeFileSync(at.path('audit.log'), lines(3, 6))
    renameSync(at.path('audit.log'), at.path('audit.log.1'))
    writeFileSync(at.path('audit.log'), lines(6, 9))
    await at.follow({ patterns })
    await until(() => at.messages().includes('number 8') && at.messages().includes('number 5'))
    await sleep(10 * quick.lookMs)
    assert.deepEqual(at.messages().sort(), numbers(0, 9))
  })

  test('that name nothing, or cannot be looked through, are said once; one that exists as it stands is a path', async (t) => {
    const at = stage(t)
    mkdirSync(at.path('x[1]'))
    writeFileSync(at.path('x[1]/br.log'), lineOf(1))
    symlinkSync(at.path('loop'), at.path('loop'))
    mkdirSync(at.path('odd'))
    writeFileSync(
      Buffer.concat([Buffer.from(at.path('odd/')), Buffer.from([0xff]), Buffer.from('.log')]),
      lineOf(2),
    )
    const patterns = ['none.log', 'no*.log', 'x[1]/br.log', 'loop/*.log', 'odd/*.log'].map((name) =>
      at.path(name),
    )
    const followed = await at.follow({ patterns })
    await until(() => at.events.length === 1)
    await sleep(5 * quick.scanMs)
    assert.deepEqual(at.said.toSorted(), [
      'a name that is no UTF-8 cannot be followed',
      'the directory of what is to be followed cannot be read; trying on',
      'what is to be followed names no file yet',
      'what is to be followed names no file yet',
      'what is to be followed names no file yet',
    ])
    assert.equal(followed.status().unreadableFiles, 1)
  })

  test('go on being looked through after an error of the file system', async (t) => {
    const at = stage(t)
    writeFileSync(at.path('a.log'), lineOf(0))
    writeFileSync(at.path('b.log'), lineOf(1))
    let calls = 0
    await at.follow({
      patterns: [at.path('*.log')],
      newId() {
        calls += 1
        if (calls === 1) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
        return randomUUID()
      },
    })
    await until(() => at.events.length === 2)
    assert.deepEqual(at.said, ['followed files cannot be looked for; trying on'])
  })

  test('follow more files than are held open', async (t) => {
    const at = stage(t)
    const count = followOpenFiles + 20
    for (let k = 0; k < count; k++) writeFileSync(at.path(`${k}.log`), lineOf(k))
    const followed = await at.follow({ patterns: [at.path('*.log')] })
    await until(() => at.events.length === count)
    await until(() => followed.status().openFiles <= followOpenFiles)
    for (let k = 0; k < count; k++) appendFileSync(at.path(`${k}.log`), lineOf(k + count))
    await until(() => at.events.length === 2 * count)
    assert.deepEqual(new Set(at.messages()), new Set(numbers(0, 2 * count)))
    assert.deepEqual(at.own, [])
  })
})

function rename(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // There are fewer of them in the first rounds.
  }
}

function quietPaths(directory: string): string[] {
  return keptPlaces(directory)
    .filter(({ quietSince }) => quietSince !== undefined)
    .map(({ path }) => path)
}

interface KeptPlace {
  readonly path: string
  readonly offset: number
  readonly quietSince?: string
}

function keptPlaces(directory: string): readonly KeptPlace[] {
  const text = readFileSync(join(directory, 'places.json'), 'utf8')
  return (JSON.parse(text) as { readonly places: readonly KeptPlace[] }).places
}
