import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { StoredEntry } from '../entry/event.ts'
import { draftOf, parseLine } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { checkLog } from '../log/check.ts'
import { openLog } from '../log/open.ts'
import { TestClock } from '../log/testing/log-under-test.ts'
import { type ImportAccount, importFiles, type ImportOptions } from './import.ts'

const fixtures = join(import.meta.dirname, '../../test/fixtures')
/** 2026-03-01T00:00:00Z: after everything that the fixtures say. */
const now = Date.UTC(2026, 2, 1) * 1000

interface Place extends AsyncDisposable {
  readonly data: string
  write(name: string, lines: readonly string[] | Buffer, written?: string): Promise<string>
  run(files: readonly string[], options?: Partial<ImportOptions>): Promise<ImportAccount>
  entries(): Promise<StoredEntry[]>
}

async function place(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'annals-import-'))
  const data = join(directory, 'data')
  return {
    data,
    async write(name, content, written) {
      const file = join(directory, name)
      await writeFile(file, Buffer.isBuffer(content) ? content : content.map((line) => `${line}\n`).join(''))
      if (written !== undefined) await utimes(file, new Date(written), new Date(written))
      return file
    },
    run: (files, options) =>
      importFiles({
        data,
        files,
        hostName: 'portal-01',
        component: 'Portal',
        timeZone: 'UTC',
        actor: '*cli:root',
        now,
        ...options,
      }),
    async entries() {
      const clock = new TestClock()
      clock.wall = now
      await using log = await openLog({
        data,
        hostName: 'portal-01',
        component: 'Portal',
        clock,
        minFreeBytes: 0,
      })
      const snapshot = await log.read({}, () => {
        return draftOf(selfEvent({ code: 20001, actor: '*system', hostName: 'portal-01' }), log.id)
      })
      await using reader = snapshot.open()
      const bytes = Buffer.alloc(snapshot.bytes)
      for (let done = 0; done < bytes.length;) done += await reader.read(bytes.subarray(done), done)
      return bytes
        .toString()
        .split('\n')
        .slice(0, -1)
        .map((line) => parseLine(Buffer.from(line)))
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

const micros = (iso: string): number => Date.parse(iso) * 1000
const messages = (entries: readonly StoredEntry[]): string[] =>
  entries.map((entry) => String(Buffer.from(entry.message)))

describe('import', () => {
  test('W9: a time that says more than an entry can is kept as it was written, too', async () => {
    await using at = await place()
    const path = await at.write('audit.log', [
      '2025-12-10T07:34:00.123456789Z portal-01 tag: finer than a microsecond',
      '9999-12-31T23:59:59Z portal-01 tag: farther than can be told',
      '<13>1 0001-01-01T00:00:00Z portal-01 tag - - - the same',
      '2025-12-10T07:34:01.123456Z portal-01 tag: neither',
    ])
    await at.run([path])
    const written = (await at.entries())
      .slice(0, 4)
      .map(({ elements }) => elements.find(({ name }) => name === 'detail@32473')?.params)
    assert.deepEqual(written, [
      [['timestamp', '2025-12-10T07:34:00.123456789Z']],
      [['timestamp', '9999-12-31T23:59:59Z']],
      [['timestamp', '0001-01-01T00:00:00Z']],
      undefined,
    ])
  })

  for (const [file, options] of [
    ['portal.iso.log', {}],
    ['engine-02.rfc5424.log', {}],
    ['engine-01.traditional.log', { year: 2025 }],
  ] as const) {
    test(`W9: ${file} is imported line by line, each with its own time and message`, async () => {
      await using at = await place()
      const path = join(fixtures, file)
      const account = await at.run([path], options)
      const text = readFileSync(path)
      assert.deepEqual(
        account.files.map(({ lines, parsed, keptRaw, blank, sha256 }) => ({
          lines,
          parsed,
          keptRaw,
          blank,
          sha256,
        })),
        [
          {
            lines: 4000,
            parsed: 4000,
            keptRaw: 0,
            blank: 0,
            sha256: createHash('sha256').update(text).digest('hex'),
          },
        ],
      )
      const entries = await at.entries()
      assert.equal(entries.length, 4001)
      const sources = text.toString().split('\n').slice(0, -1)
      for (const [k, message] of messages(entries.slice(0, 4000)).entries()) {
        const source = sources[k] ?? ''
        assert.ok(source.endsWith(message), `${source}\n${message}`)
        assert.ok(source.slice(0, -message.length).endsWith(' '))
        assert.equal(entries[k]?.via, 'import')
        assert.equal(entries[k]?.by, '*cli:root')
      }
      const last = entries.at(-1)
      assert.match(
        messages(entries).at(-1) ?? '',
        /\|29021\|\*cli:root\] Imported 1 files: 4000 lines, of which 4000 parsed/,
      )
      assert.match(messages(entries).at(-1) ?? '', new RegExp(account.files[0]?.sha256 ?? '-'))
      assert.equal(last?.time, now)
      assert.deepEqual((await checkLog({ data: at.data })).faults, [])
    })
  }

  test('W9: times with an offset become UTC, to the microsecond', async () => {
    await using at = await place()
    await at.run([join(fixtures, 'portal.iso.log')])
    const [first] = await at.entries()
    assert.equal(first?.time, micros('2025-12-10T07:31:35.279Z') + 971)
  })

  test('L5: hostile.log is imported without a crash, and every line is accounted for', async () => {
    await using at = await place()
    const path = join(fixtures, 'hostile.log')
    const account = await at.run([path], { year: 2025 })
    const [file] = account.files
    assert.ok(file !== undefined)
    assert.equal(file.lines, 21)
    assert.equal(file.parsed + file.keptRaw + file.blank, file.lines)
    assert.deepEqual(
      file.rawLines.map(({ number }) => number),
      [3, 5, 6, 7, 8, 16, 20, 21],
    )
    assert.equal(file.blank, 2)
    const entries = await at.entries()
    const raw = entries.filter((entry) =>
      entry.elements.some((element) => element.params.some(([name]) => name === 'unreadable')),
    )
    const lines = readFileSync(path).toString('latin1').split('\n')
    assert.deepEqual(
      raw.map((entry) => Buffer.from(entry.message).toString('latin1')),
      file.rawLines.map(({ number }) => lines[number - 1]),
    )
    const parts = entries.filter((entry) => entry.part !== undefined)
    assert.ok(parts.length > 1, 'the line of 70,000 bytes comes in parts')
    const whole = Buffer.concat(parts.map((entry) => entry.message)).toString()
    assert.ok(lines.some((line) => line.endsWith(whole)))
  })

  test('W9: a line that steps back is raised to the one before it, and keeps its own time', async () => {
    await using at = await place()
    const file = await at.write('a.log', [
      '2026-01-01T00:00:02Z h t: a',
      '2026-01-01T00:00:01Z h t: b',
      '2026-01-01T00:00:03Z h t: c',
    ])
    const account = await at.run([file], { acceptDisorder: true })
    assert.equal(account.files[0]?.raised, 1)
    const entries = await at.entries()
    assert.deepEqual(
      entries.slice(0, 3).map(({ time, occurred }) => [time, occurred]),
      [
        [micros('2026-01-01T00:00:02Z'), undefined],
        [micros('2026-01-01T00:00:02Z'), micros('2026-01-01T00:00:01Z')],
        [micros('2026-01-01T00:00:03Z'), undefined],
      ],
    )
  })

  test('W9: a time to come is not believed, and is kept', async () => {
    await using at = await place()
    const file = await at.write('a.log', [
      '2099-01-01T00:00:00Z h t: a',
      '2026-01-01T00:00:00Z h t: b',
      '2099-01-01T00:00:00Z h t: c',
    ])
    await at.run([file])
    const entries = await at.entries()
    assert.deepEqual(
      entries.slice(0, 3).map(({ time, occurred }) => [time, occurred]),
      [
        [micros('2026-01-01T00:00:00Z'), micros('2099-01-01T00:00:00Z')],
        [micros('2026-01-01T00:00:00Z'), undefined],
        [micros('2026-01-01T00:00:00Z'), micros('2099-01-01T00:00:00Z')],
      ],
    )
  })

  test('W9: a line that cannot be read takes the time of the line before it, at the head that of the first that can', async () => {
    await using at = await place()
    const file = await at.write('a.log', [
      'x',
      '2026-01-01T00:00:01Z h t: a',
      'y',
      '2026-01-01T00:00:05Z h t: b',
    ])
    await at.run([file])
    const times = (await at.entries()).slice(0, 4).map(({ time }) => time)
    assert.deepEqual(
      times,
      ['01', '01', '01', '05'].map((second) => micros(`2026-01-01T00:00:${second}Z`)),
    )
  })

  test('W9: a file without one readable line takes the moment of the import', async () => {
    await using at = await place()
    await at.run([await at.write('a.log', ['x', 'y'])])
    const entries = await at.entries()
    assert.deepEqual(
      entries.map(({ time }) => time),
      [now, now, now],
    )
  })

  test("L5: the year goes up from December to January, and a late line on New Year's Day is still of the old one", async () => {
    await using at = await place()
    const file = await at.write('a.log', [
      'Dec 31 23:59:58 h t: a',
      'Jan  1 00:00:01 h t: b',
      'Dec 31 23:59:59 h t: late',
      'Jan  1 00:00:02 h t: c',
      'Dec 31 10:00:00 h t: d',
      'Jan  2 00:00:00 h t: e',
    ])
    await at.run([file], { year: 2023, acceptDisorder: true })
    const own = (await at.entries())
      .slice(0, 6)
      .map(({ time, occurred }) => new Date((occurred ?? time) / 1000).getUTCFullYear())
    assert.deepEqual(own, [2023, 2024, 2023, 2024, 2023, 2024])
  })

  test('L5: without --year the last line is of the year in which the file was last written, and the account says which', async () => {
    await using at = await place()
    const lines = ['Nov 30 10:00:00 h t: a', 'Jan 10 10:00:00 h t: b']
    for (const [written, year] of [
      ['2026-01-11T00:00:00Z', 2026],
      ['2025-12-31T00:00:00Z', 2025],
    ] as const) {
      await using there = await place()
      const account = await there.run([await there.write('a.log', lines, written)])
      assert.equal(account.files[0]?.year, year)
    }
    const turn = await at.write(
      'b.log',
      ['Dec 10 10:00:00 h t: a', 'Jan 10 10:00:00 h t: b'],
      '2026-01-11T00:00:00Z',
    )
    assert.equal((await at.run([turn])).files[0]?.year, 2025)
  })

  test('L5: a 29th of February in a year that has none is kept raw', async () => {
    await using at = await place()
    const file = await at.write('a.log', ['Feb 28 12:00:00 h t: a', 'Feb 29 12:00:00 h t: b'])
    const account = await at.run([file], { year: 2025 })
    assert.deepEqual(account.files[0]?.rawLines, [{ number: 2, reason: 'there is no Feb 29 in 2025' }])
  })

  test('L5: local times are those of the zone; of an hour that comes twice both are told apart by the order', async () => {
    await using at = await place()
    const file = await at.write('a.log', [
      'Jul  1 12:00:00 h t: summer',
      'Oct 26 02:10:00 h t: first',
      'Oct 26 02:50:00 h t: first',
      'Oct 26 02:10:00 h t: second',
      'Oct 26 03:00:00 h t: behind',
      'Dec  1 12:00:00 h t: winter',
    ])
    const account = await at.run([file], { year: 2025, timeZone: 'Europe/Zurich' })
    assert.equal(account.files[0]?.raised, 0)
    assert.deepEqual(
      (await at.entries()).slice(0, 6).map(({ time }) => new Date(time / 1000).toISOString()),
      [
        '2025-07-01T10:00:00.000Z',
        '2025-10-26T00:10:00.000Z',
        '2025-10-26T00:50:00.000Z',
        '2025-10-26T01:10:00.000Z',
        '2025-10-26T02:00:00.000Z',
        '2025-12-01T11:00:00.000Z',
      ],
    )
  })

  test('W9: files go in the order given, a year going on from one to the next', async () => {
    await using at = await place()
    const files = [
      await at.write('audit.log.1', ['Dec 30 10:00:00 h t: a']),
      await at.write('audit.log', ['Jan  2 10:00:00 h t: b']),
    ]
    const account = await at.run(files, { year: 2025 })
    assert.equal(account.entries, 3)
    const years = (await at.entries()).slice(0, 2).map(({ time }) => new Date(time / 1000).getUTCFullYear())
    assert.deepEqual(years, [2025, 2026])
  })

  test('a file that begins before the one before it ended is refused, and nothing is written', async () => {
    await using at = await place()
    const files = [
      await at.write('new.log', ['2026-01-02T00:00:00Z h t: b']),
      await at.write('old.log', ['2026-01-01T00:00:00Z h t: a']),
    ]
    await assert.rejects(at.run(files), {
      code: 'INVALID_INPUT',
      message: /old\.log begins at 2026-01-01.*Nothing was imported/,
    })
    assert.equal(existsSync(at.data), false)
  })

  test('much disorder is refused unless it is meant, and nothing is written', async () => {
    await using at = await place()
    const lines = Array.from(
      { length: 1000 },
      (_, k) => `2026-01-0${k % 90 === 89 ? 1 : 2}T00:00:00Z h t: ${k}`,
    )
    const file = await at.write('a.log', lines)
    await assert.rejects(at.run([file]), {
      code: 'INVALID_INPUT',
      message: /11 of 1000 lines .*--accept-disorder/,
    })
    assert.equal(existsSync(at.data), false)
    assert.equal((await at.run([file], { acceptDisorder: true })).entries, 1001)
  })

  test('W9: a log that has entries takes no history', async () => {
    await using at = await place()
    const file = await at.write('a.log', ['2026-01-01T00:00:00Z h t: a'])
    await at.run([file])
    await assert.rejects(at.run([file]), { code: 'LOG_EXISTS' })
    assert.equal((await at.entries()).length, 2)
  })

  test('an import that breaks off leaves no log', async () => {
    await using at = await place()
    const file = await at.write(
      'a.log',
      Array.from({ length: 20_000 }, (_, k) => `2026-01-01T00:00:00Z h t: ${k}`),
    )
    let calls = 0
    const progress = (bytes: number, ofBytes: number) => {
      calls += 1
      if (bytes > ofBytes * 0.9) throw new Error('somebody pulled the plug')
    }
    await assert.rejects(at.run([file], { progress }), /pulled the plug/)
    assert.ok(calls > 1)
    assert.deepEqual(
      (await readdir(at.data)).filter((name) => name.startsWith('log')),
      [],
    )
    assert.equal((await at.run([file])).entries, 20_001)
  })

  test('a file that is changed between the two readings is not imported', async () => {
    await using at = await place()
    const file = await at.write('a.log', ['2026-01-01T00:00:00Z h t: a'])
    let calls = 0
    const progress = () => {
      calls += 1
      if (calls === 2) void writeFile(file, '2026-01-01T00:00:00Z h t: b\n')
    }
    const { length } = readFileSync(file)
    assert.ok(length > 0)
    await assert.rejects(
      importFiles({
        data: at.data,
        files: [file, file],
        hostName: 'portal-01',
        component: 'Portal',
        timeZone: 'UTC',
        year: 2026,
        actor: '*cli:root',
        now,
        progress,
      }),
      { code: 'INVALID_INPUT', message: /was changed while it was read/ },
    )
    assert.equal(existsSync(join(at.data, 'log')), false)
  })

  test('what is no file is refused with its name', async () => {
    await using at = await place()
    await assert.rejects(at.run(['/nowhere/audit.log']), {
      code: 'INVALID_INPUT',
      message: /\/nowhere\/audit\.log cannot be read/,
    })
    await assert.rejects(at.run([tmpdir()]), { code: 'INVALID_INPUT', message: /is not a file/ })
  })
})
