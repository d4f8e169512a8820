import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { LogId } from '../entry/event.ts'
import { draftOf, renderLine } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { leafHash } from '../tree/hash.ts'
import { ExportCheck, type ExportOrder, isExact } from './export-check.ts'
import { PositionSet } from './position-set.ts'

const log = 'portal-01-abcdefghijklmnop' as LogId
const lineAt = (position: number, of: LogId = log) =>
  renderLine(draftOf(selfEvent({ code: 20004, actor: '*system', hostName: 'portal-01' }), of), {
    position,
    time: Date.UTC(2026, 0, 1) * 1000 + position,
  })
const lines = Array.from({ length: 300 }, (_, position) => lineAt(position))
const order: ExportOrder = {
  log,
  range: { from: 100, to: 200 },
  leafAt: (position) => leafHash(lines[position] ?? ''),
}

function compared(texts: readonly string[], how: ExportOrder = order) {
  const check = new ExportCheck(how)
  for (const text of texts) {
    const bytes = Buffer.from(text)
    check.line(bytes, 0, bytes.length)
  }
  return check.end()
}

describe('lines that came back', () => {
  test('are exactly the range, in any order, with carriage returns, blanks and empty lines, and wrapped in JSON', () => {
    const there = lines.slice(100, 200)
    for (const texts of [
      there,
      there.toReversed(),
      [...there.map((line) => `${line} \r`), '', '\r'],
      there.map((line) => JSON.stringify(line)),
      there.map((line, k) => JSON.stringify({ index: k, host: 'x', message: line })),
    ]) {
      const findings = compared(texts)
      assert.ok(isExact(findings))
      assert.equal(findings.right, 100)
    }
  })

  test('what is missing, doubled, changed or foreign is named', () => {
    const [there, other] = [lines.slice(100, 200), lineAt(150, 'portal-02-abcdefghijklmnop' as LogId)]
    const texts = [
      ...there.slice(0, 10),
      ...there.slice(13, 50),
      (there[50] ?? '').replace('20004', '20005'),
      ...there.slice(51),
      there[0] ?? '',
      there[0] ?? '',
      'nonsense',
      other,
      lines[20] ?? '',
    ]
    const { missing, doubled, changed, foreign, right } = compared(texts)
    assert.deepEqual(missing, {
      count: 4,
      ranges: [
        { from: 110, to: 113 },
        { from: 150, to: 151 },
      ],
    })
    assert.deepEqual([doubled.count, doubled.first], [2, [100, 100]])
    assert.deepEqual([changed.count, changed.first], [1, [150]])
    assert.deepEqual([foreign.count, foreign.first], [3, [100, 101, 102]])
    assert.equal(right, 96)
  })

  test('a line that was changed beside the right one hides nothing', () => {
    const forged = (lines[150] ?? '').replace('20004', '20005')
    const { missing, doubled, changed } = compared([forged, ...lines.slice(100, 200)])
    assert.deepEqual([missing.count, doubled.count, changed.first], [0, 0, [150]])
  })

  test('without hashes there are gaps and doubles as the lines claim them, and nothing else', () => {
    const claims = { log: undefined, range: undefined, leafAt: undefined }
    const forged = (lines[150] ?? '').replace('20004', '20005')
    const {
      log: found,
      range,
      missing,
      doubled,
      changed,
    } = compared([lines[149] ?? '', forged, lines[153] ?? '', lines[153] ?? ''], claims)
    assert.deepEqual([found, range, missing.ranges], [log, { from: 149, to: 154 }, [{ from: 151, to: 153 }]])
    assert.deepEqual([doubled.first, changed.count], [[153], 0])
    assert.equal(compared([], claims).missing.count, 0)
  })
})

test('positions are kept in a set as they are in any other, with their gaps', () => {
  const chunks = fc.constantFrom(0, 65_530, 131_072, 300_000)
  const positions = fc.tuple(chunks, fc.nat(20)).map(([first, more]) => first + more)
  fc.assert(
    fc.property(fc.array(positions, { maxLength: 50 }), positions, positions, (added, a, b) => {
      const [set, plain] = [new PositionSet(), new Set<number>()]
      for (const position of added) {
        assert.equal(set.add(position), !plain.has(position))
        plain.add(position)
      }
      assert.equal(set.count, plain.size)
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const inside = [...plain]
        .filter((position) => position >= from && position < to)
        .toSorted((x, y) => x - y)
      const bounds = [from - 1, ...inside, to]
      const gaps = bounds.slice(1).map((next, k) => ({ from: (bounds[k] ?? 0) + 1, to: next }))
      assert.deepEqual(
        [...set.missing({ from, to })],
        gaps.filter((gap) => gap.from < gap.to),
      )
    }),
  )
})

test('lines that claim positions very far apart are compared all the same', () => {
  const claims = { log: undefined, range: undefined, leafAt: undefined }
  const last = 999_999_999_999
  const { missing } = compared([lineAt(0), lineAt(last)], claims)
  assert.deepEqual(missing, { count: last - 1, ranges: [{ from: 1, to: last }] })
})
