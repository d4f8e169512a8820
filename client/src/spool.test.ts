import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { AuditTrailError } from './errors.ts'
import { Spool, type SpoolParts } from './spool.ts'
import { isLeft } from './spool-owner.ts'
import { readSpoolLines, spoolLine } from './spool-line.ts'
import { type VolatileDisk, volatileDisk } from './testing/volatile-disk.ts'

function directory(context: TestContext): string {
  const path = join(mkdtempSync(join(tmpdir(), 'annals-spool-')), 'spool')
  context.after(() => rmSync(join(path, '..'), { recursive: true, force: true }))
  return path
}

function open(context: TestContext, path: string, parts: Partial<SpoolParts> = {}) {
  const errors: AuditTrailError[] = []
  const spool = new Spool({
    directory: path,
    maxBytes: 10_000_000,
    openFile,
    monotonicMs: () => 0,
    filled: () => undefined,
    failed: (error) => errors.push(error),
    ...parts,
  })
  context.after(() => spool.close())
  return { spool, errors }
}

function event(k: number, size = 0) {
  const id = `0190a000-0000-7000-8000-${String(k).padStart(12, '0')}`
  return { line: JSON.stringify({ id, code: k, text: 'x'.repeat(size) }), hasOwnId: k % 2 === 0 }
}

function files(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(spool|sent)$/.test(name),
  )
}

// What a process left behind, as another one finds it.
async function leave(path: string): Promise<string> {
  const [name = ''] = readdirSync(path)
  const mine = join(path, name)
  const owner = JSON.parse(readFileSync(join(mine, 'owner'), 'utf8')) as object
  writeFileSync(join(mine, 'owner'), JSON.stringify({ ...owner, began: '1' }))
  return mine
}

async function drained(spool: Spool): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    const file = await spool.take()
    if (file === undefined) return lines
    lines.push(...file.events.map(({ line }) => line))
    await file.done()
  }
}

test('a directory that cannot be made is told to whoever appends, and tried again for the next', async (context) => {
  const path = directory(context)
  writeFileSync(path, 'in the way')
  const { spool } = open(context, path)
  await spool.opened()
  await assert.rejects(spool.append(event(1)), { code: 'SPOOL_FAILED' })
  assert.equal(spool.bytes, 0)
  rmSync(path)
  await spool.append(event(2))
  assert.deepEqual(await drained(spool), [event(2).line])
})

test('a directory may be given as seen from where the process runs, and with a slash behind it', async (context) => {
  for (const shape of [(path: string) => relative('.', path), (path: string) => `${path}/`]) {
    const path = directory(context)
    let opened = 0
    const fewTimes: typeof openFile = (...args) => {
      assert.ok((opened += 1) < 100)
      return openFile(...args)
    }
    const { spool } = open(context, shape(path), { openFile: fewTimes })
    await spool.append(event(1))
    assert.deepEqual(await drained(spool), [event(1).line])
  }
})

test('a directory stays the same when the process goes elsewhere', async (context) => {
  const path = directory(context)
  const { spool } = open(context, relative('.', path))
  await spool.append(event(1))
  const before = process.cwd()
  process.chdir(path)
  context.after(() => process.chdir(before))
  await spool.append(event(2))
  assert.deepEqual(await drained(spool), [event(1).line, event(2).line])
})

test('what is appended comes out in order, and is deleted when it is done', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  const events = Array.from({ length: 2_000 }, (_, k) => event(k, 1_000))
  await Promise.all(events.map((event) => spool.append(event)))
  assert.ok(files(path).length > 1)
  const file = await spool.take()
  assert.ok(file !== undefined && file.events.length > 500 && !file.wasSent)
  assert.deepEqual(file.events[1], {
    ...event(1, 1_000),
    id: event(1).line.slice(7, 43),
    bytes: event(1, 1_000).line.length,
  })
  // What is not done is there again.
  assert.deepEqual(
    await drained(spool),
    events.map(({ line }) => line),
  )
  assert.deepEqual([spool.bytes, spool.isEmpty, files(path)], [0, true, []])
})

// What another process finds after a power cut, once the part has been left for long.
function cutPower(context: TestContext, disk: VolatileDisk, path: string): string {
  const after = directory(context)
  // The names above the spool's own are durable where they were synced too.
  disk.cut(join(path, '../..'), join(after, '../cut'))
  const found = join(after, '../cut/deep/spool')
  const past = new Date(Date.now() - 3_600_000)
  for (const name of readdirSync(found)) utimesSync(join(found, name), past, past)
  return found
}

test('what was acknowledged survives a power cut, and so does that it may have been sent', async (context) => {
  const path = join(directory(context), '../deep/spool')
  const disk = volatileDisk()
  const { spool } = open(context, path, { openFile: disk.openFile })
  await spool.append(event(0))
  await Promise.all([2, 4].map((k) => spool.append(event(k))))
  const lines = [0, 2, 4].map((k) => event(k).line)
  const unsent = open(context, cutPower(context, disk, path)).spool
  assert.equal((await unsent.take())?.wasSent, false)
  assert.deepEqual(await drained(unsent), lines)
  const file = await spool.take()
  await file?.mark()
  const sent = open(context, cutPower(context, disk, path)).spool
  assert.equal((await sent.take())?.wasSent, true)
  await file?.unmark()
  assert.equal((await open(context, cutPower(context, disk, path)).spool.take())?.wasSent, false)
})

test('a directory whose sync failed is synced when the spool is opened again', async (context) => {
  const path = join(directory(context), '../deep/spool')
  const disk = volatileDisk()
  let isBroken = true
  const parts: Partial<SpoolParts> = {
    openFile: async (path, flags, mode) => {
      if (isBroken) throw Object.assign(new Error('of the disk'), { code: 'EIO' })
      return await disk.openFile(path, flags, mode)
    },
  }
  const { spool } = open(context, path, parts)
  await spool.opened()
  isBroken = false
  await spool.append(event(1))
  assert.deepEqual(await drained(open(context, cutPower(context, disk, path)).spool), [event(1).line])
})

test('what was taken over survives a power cut', async (context) => {
  const path = join(directory(context), '../deep/spool')
  const disk = volatileDisk()
  const first = open(context, path, { openFile: disk.openFile })
  await first.spool.append(event(1))
  await leave(path)
  for (const _ of ['takes it over', 'makes it durable that it is no more where it was']) {
    const { spool } = open(context, path, { openFile: disk.openFile })
    await spool.opened()
  }
  const after = open(context, cutPower(context, disk, path))
  assert.deepEqual(await drained(after.spool), [event(1).line])
})

test('what cannot be made durable leaves nothing behind, and nothing open', async (context) => {
  const path = directory(context)
  const handles: FileHandle[] = []
  let isBroken = true
  const parts: Partial<SpoolParts> = {
    openFile: async (path, flags, mode) => {
      if (flags === 'r' && isBroken) throw Object.assign(new Error('of the disk'), { code: 'EIO' })
      const handle = await openFile(path, flags, mode)
      handles.push(handle)
      return handle
    },
  }
  mkdirSync(path)
  const { spool } = open(context, path, parts)
  await spool.opened()
  for (const k of [1, 2, 3]) await assert.rejects(spool.append(event(k)), { code: 'SPOOL_FAILED' })
  assert.deepEqual(readdirSync(path), [])
  isBroken = false
  await spool.append(event(4))
  await drained(spool)
  isBroken = true
  for (const k of [1, 2, 3]) await assert.rejects(spool.append(event(k)), { code: 'SPOOL_FAILED' })
  assert.deepEqual([files(path), spool.bytes, spool.isEmpty], [[], 0, true])
  assert.deepEqual(spool.unwritten, { events: 0, bytes: 0 })
  assert.ok(handles.length > 0 && handles.every(({ fd }) => fd === -1))
})

test('what a write that failed has left behind is something to send, without another event', async (context) => {
  const path = directory(context)
  let filled = 0
  const parts: Partial<SpoolParts> = {
    filled: () => (filled += 1),
    openFile: async (...args) => {
      const handle = await openFile(...args)
      if (args[1] === 'ax')
        handle.appendFile = async () => {
          await handle.write(spoolLine(event(1)) + spoolLine(event(2)).slice(0, -5))
          throw Object.assign(new Error('of the disk'), { code: 'ENOSPC' })
        }
      return handle
    },
  }
  const { spool } = open(context, path, parts)
  const both = await Promise.allSettled([spool.append(event(1)), spool.append(event(2))])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual([filled, spool.isReady], [1, true])
  assert.deepEqual(await drained(spool), [event(1).line])
  assert.deepEqual([spool.bytes, spool.isEmpty, files(path)], [0, true, []])
})

test('nobody else can read it', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  await spool.append(event(1))
  const [name = ''] = files(path)
  const modes = [path, join(path, name, '..'), join(path, name)].map((path) => statSync(path).mode & 0o777)
  assert.deepEqual(modes, [0o700, 0o700, 0o600])
})

test('what a process left behind is taken over, with the half line at its end left out', async (context) => {
  const path = directory(context)
  const first = open(context, path)
  await first.spool.append(event(1))
  await first.spool.append(event(2))
  const mine = await leave(path)
  const [name = ''] = files(path)
  appendFileSync(join(path, name), spoolLine(event(3)).slice(0, -2))
  const next = open(context, path)
  await next.spool.opened()
  assert.equal(readdirSync(path).includes(mine), false)
  assert.ok(next.spool.bytes > 0)
  assert.deepEqual(await drained(next.spool), [event(1).line, event(2).line])
  assert.deepEqual(next.errors, [])
})

test('a damaged line is left out and told of, and the others are sent', async (context) => {
  const path = directory(context)
  const { spool, errors } = open(context, path)
  await Promise.all([1, 2, 3].map((k) => spool.append(event(k))))
  const name = join(path, files(path)[0] ?? '')
  writeFileSync(name, readFileSync(name, 'utf8').replace('"code":2', '"code":7'))
  assert.deepEqual(await drained(spool), [event(1).line, event(3).line])
  assert.deepEqual(
    errors.map(({ code, message }) => [code, message]),
    [
      [
        'SPOOL_DAMAGED',
        `${spoolLine(event(2)).length} bytes of the spool cannot be read; its file is kept as *.damaged`,
      ],
    ],
  )
})

test('what cannot be read is kept aside, also where it is all of a file, and stays there', async (context) => {
  const path = directory(context)
  const { spool, errors } = open(context, path)
  await spool.append(event(1))
  const [name = ''] = files(path)
  const text = readFileSync(join(path, name), 'utf8').replace('"code":1', '"code":7')
  writeFileSync(join(path, name), text)
  for (const k of [1, 2, 3]) {
    const next = k === 1 ? spool : open(context, path).spool
    assert.deepEqual(await drained(next), [])
    await next.close()
    assert.equal(next.bytes, 0)
    assert.deepEqual(readdirSync(path), [`${basename(name)}.damaged`])
    assert.equal(readFileSync(join(path, `${basename(name)}.damaged`), 'utf8'), text)
  }
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['SPOOL_DAMAGED'],
  )
})

test('what is kept is taken again after a while, without what is settled, and holds up nothing', async (context) => {
  const path = directory(context)
  let nowMs = 0
  const { spool } = open(context, path, { monotonicMs: () => nowMs })
  await Promise.all([0, 2, 4].map((k) => spool.append(event(k))))
  const file = await spool.take()
  await file?.mark()
  // One of which nobody knows, and one that can have another id.
  await file?.keep([{ ...event(2), hasOwnId: false }, event(4)])
  assert.deepEqual([spool.isReady, spool.isEmpty], [false, false])
  assert.equal(spool.bytes, statSync(join(path, files(path)[0] ?? '')).size)
  await spool.append(event(6))
  assert.deepEqual(await drained(spool), [event(6).line])
  nowMs = 59_999
  assert.equal(await spool.take(), undefined)
  nowMs = 60_000
  const rest = await spool.take()
  assert.deepEqual(
    rest?.events.map(({ line, hasOwnId }) => [line, hasOwnId]),
    [
      [event(2).line, false],
      [event(4).line, true],
    ],
  )
  assert.equal(rest?.wasSent, false)
  await rest?.keep(rest.events)
  assert.deepEqual([spool.isReady, files(path).length], [false, 1])
  await spool.close()
  assert.deepEqual(await drained(open(context, path).spool), [event(2).line, event(4).line])
})

test('every single changed byte of a file is noticed', () => {
  const file = Buffer.from([1, 2, 3].map((k) => spoolLine(event(k))).join(''))
  assert.equal(readSpoolLines(file).events.length, 3)
  for (let at = 0; at < file.length; at++) {
    const changed = Buffer.from(file)
    changed[at] = (changed[at] ?? 0) ^ 1
    const { events, badBytes } = readSpoolLines(changed)
    const lines = events.map(({ line }) => line)
    // All is there where it is only the end of the last line.
    assert.ok(at === file.length - 1 ? lines.length === 3 : lines.length < 3 && badBytes > 0)
    assert.ok(lines.every((line) => [1, 2, 3].some((k) => event(k).line === line)))
  }
})

test('a file of which something may have been sent says so, also to the next process', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  await spool.append(event(2))
  const file = await spool.take()
  assert.equal(file?.wasSent, false)
  await file.mark()
  await leave(path)
  const next = open(context, path)
  const again = await next.spool.take()
  assert.equal(again?.wasSent, true)
  // That nothing came of this process's tries says nothing of the other's.
  await again.mark()
  await again.unmark()
  assert.match(files(path)[0] ?? '', /\.sent$/)
})

test('a file that nothing has come of is as it was, also for the next process', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  await spool.append(event(2))
  const file = await spool.take()
  await file?.mark()
  assert.equal((await spool.take())?.wasSent, true)
  await file?.unmark()
  assert.equal((await spool.take())?.wasSent, false)
  await leave(path)
  assert.equal((await open(context, path).spool.take())?.wasSent, false)
})

test('a mark that is not durable is none, and is made so by the next try', async (context) => {
  const path = directory(context)
  let [synced, isBroken] = [0, false]
  const parts: Partial<SpoolParts> = {
    openFile: async (path, flags, mode) => {
      if (flags === 'r' && isBroken) throw Object.assign(new Error('of the disk'), { code: 'EIO' })
      if (flags === 'r') synced += 1
      return await openFile(path, flags, mode)
    },
  }
  const { spool } = open(context, path, parts)
  await spool.append(event(2))
  const file = await spool.take()
  isBroken = true
  for (const _ of [1, 2]) {
    await assert.rejects(file?.mark() ?? Promise.resolve(), { code: 'SPOOL_FAILED' })
    assert.equal((await spool.take())?.wasSent, false)
  }
  isBroken = false
  const before = synced
  await file?.mark()
  assert.equal(synced, before + 1)
  assert.match(files(path)[0] ?? '', /\.sent$/)
})

test('what a process had taken over before it ended is taken over too, in order', async (context) => {
  const path = directory(context)
  const first = open(context, path)
  await first.spool.append(event(1))
  const left = await leave(path)
  const second = open(context, path)
  await second.spool.opened()
  await second.spool.append(event(2))
  const mine = await leave(path)
  // As if it had ended between the two steps.
  const inner = join(mine, '000000000000001-0123456789abcdef')
  mkdirSync(inner)
  const [name = ''] = readdirSync(mine)
    .filter((name) => name.endsWith('.spool'))
    .sort()
  writeFileSync(join(inner, name), readFileSync(join(mine, name)))
  rmSync(join(mine, name))
  const third = open(context, path)
  assert.deepEqual(await drained(third.spool), [event(1).line, event(2).line])
  assert.ok(!readdirSync(path).includes(left))
})

test('the part of a process that lives is left alone', async (context) => {
  const path = directory(context)
  const [one, other] = [open(context, path), open(context, path)]
  await one.spool.append(event(1))
  await other.spool.append(event(2))
  assert.deepEqual(await drained(other.spool), [event(2).line])
  assert.deepEqual(await drained(one.spool), [event(1).line])
})

test('what is left when a spool is closed is there at once for whoever opens it next, in the same process', async (context) => {
  const path = directory(context)
  const first = open(context, path)
  await first.spool.append(event(1))
  writeFileSync(join(path, readdirSync(path)[0] ?? '', 'notes.txt'), 'mine')
  await first.spool.close()
  await assert.rejects(first.spool.append(event(2)), { code: 'CLOSED' })
  for (const [k, lines] of [[event(1).line], []].entries()) {
    const next = open(context, path)
    await next.spool.opened()
    assert.deepEqual(await drained(next.spool), lines)
    await next.spool.close()
    assert.equal(readdirSync(path).length, 1, `after process ${k}`)
  }
})

test('a process that stood still while its part was taken over begins another', async (context) => {
  const path = directory(context)
  const one = open(context, path)
  await one.spool.append(event(1))
  await leave(path)
  const other = open(context, path)
  await other.spool.opened()
  await one.spool.append(event(2))
  assert.deepEqual(await drained(one.spool), [event(2).line])
  assert.deepEqual(await drained(other.spool), [event(1).line])
})

test('whether the owner of a part lives', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  await spool.opened()
  const mine = join(path, readdirSync(path)[0] ?? '')
  assert.equal(await isLeft(mine), false)
  const owner = JSON.parse(readFileSync(join(mine, 'owner'), 'utf8')) as Record<string, unknown>
  const say = (changed: object) =>
    writeFileSync(join(mine, 'owner'), JSON.stringify({ ...owner, ...changed }))
  const { pid } = spawnSync('true')
  say({ pid })
  assert.equal(await isLeft(mine), true, 'a process that has ended')
  say({ began: '1' })
  assert.equal(await isLeft(mine), true, 'another process of the same number')
  say({ place: 'elsewhere' })
  assert.equal(await isLeft(mine), false, 'one that the system cannot tell of, and that was heard of lately')
  const past = new Date(Date.now() - 61_000)
  utimesSync(join(mine, 'owner'), past, past)
  assert.equal(await isLeft(mine), true, 'one that was not heard of for a minute')
})

test('a disk that fails for a moment, or is away, does not make a process forget its part', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  await spool.append(event(1))
  const owner = join(path, readdirSync(path)[0] ?? '', 'owner')
  renameSync(owner, `${owner}.aside`)
  symlinkSync(owner, owner)
  await assert.rejects(spool.append(event(2)), { code: 'SPOOL_FAILED' })
  assert.equal(spool.isEmpty, false)
  renameSync(`${owner}.aside`, owner)
  renameSync(path, `${path}.away`)
  await assert.rejects(spool.append(event(3)), { code: 'SPOOL_FAILED' })
  renameSync(`${path}.away`, path)
  await spool.append(event(4))
  assert.deepEqual(await drained(spool), [event(1).line, event(4).line])
})

test('its bytes are bounded, over all that was left behind', async (context) => {
  const path = directory(context)
  const first = open(context, path)
  await first.spool.append(event(1))
  await leave(path)
  const size = spoolLine(event(1)).length
  const { spool } = open(context, path, { maxBytes: 2 * size })
  await spool.opened()
  await spool.append(event(2))
  await assert.rejects(spool.append(event(3)), { code: 'SPOOL_FULL' })
  await (await spool.take())?.done()
  await spool.append(event(3))
  assert.equal(spool.bytes, 2 * size)
})

test("what is not the spool's own is neither moved nor deleted, however old it is", async (context) => {
  const path = directory(context)
  const past = new Date(Date.now() - 3_600_000)
  const kept = [
    'photos/holiday.jpg',
    'photos/notes.spool',
    'notes.txt',
    '000000000000001-0123456789abcdef.spool',
  ]
  mkdirSync(join(path, 'photos'), { recursive: true })
  for (const name of kept) writeFileSync(join(path, name), 'mine')
  for (const name of [...kept, 'photos']) utimesSync(join(path, name), past, past)
  const { spool, errors } = open(context, path)
  await spool.append(event(1))
  assert.deepEqual(await drained(spool), [event(1).line])
  await spool.close()
  for (const name of kept) assert.equal(readFileSync(join(path, name), 'utf8'), 'mine', name)
  assert.deepEqual(readdirSync(path).toSorted(), [
    '000000000000001-0123456789abcdef.spool',
    'notes.txt',
    'photos',
  ])
  assert.deepEqual(errors, [])
})

test('what somebody else has put into a part outlives every process that takes it over', async (context) => {
  const path = directory(context)
  const first = open(context, path)
  await first.spool.append(event(1))
  const part = await leave(path)
  writeFileSync(join(part, 'notes.txt'), 'mine')
  mkdirSync(join(part, 'photos'))
  writeFileSync(join(part, 'photos', 'a.spool'), 'mine')
  for (let k = 0; k < 3; k++) {
    const { spool } = open(context, path)
    await spool.opened()
    assert.deepEqual(await drained(spool), k === 0 ? [event(1).line] : [])
    await leave(path)
  }
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  for (const name of [/notes\.txt$/, /a\.spool$/]) {
    const found = names.filter((path) => name.test(path))
    assert.deepEqual(
      found.map((name) => readFileSync(join(path, name), 'utf8')),
      ['mine'],
    )
    assert.ok((found[0] ?? '').split('/').length <= 4, found[0])
  }
})

test('a file that cannot be read goes behind the others, and is read once it can be', async (context) => {
  const path = directory(context)
  const { spool } = open(context, path)
  const events = Array.from({ length: 2_000 }, (_, k) => event(k, 1_000))
  await Promise.all(events.map((event) => spool.append(event)))
  const first = join(path, files(path).toSorted()[0] ?? '')
  const text = readFileSync(first)
  rmSync(first)
  mkdirSync(first)
  await assert.rejects(spool.take(), { code: 'SPOOL_FAILED' })
  const next = await spool.take()
  assert.ok(next !== undefined && next.events[0]?.id !== event(0).line.slice(7, 43))
  for (const name of [first, first.replace(/spool$/, 'sent')]) rmSync(name, { recursive: true, force: true })
  writeFileSync(first, text)
  const lines = await drained(spool)
  assert.deepEqual(lines.toSorted(), events.map(({ line }) => line).toSorted())
  assert.ok(lines[0] !== events[0]?.line)
})
