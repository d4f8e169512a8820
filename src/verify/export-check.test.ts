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
  const positions = fc.array(fc.oneof(fc.nat(200), fc.nat(300_000)), { maxLength: 50 })
  fc.assert(
    fc.property(positions, (added) => {
      const [set, plain] = [new PositionSet(), new Set<number>()]
      for (const position of added) {
        assert.equal(set.add(position), !plain.has(position))
        plain.add(position)
      }
      assert.equal(set.count, plain.size)
      const to = Math.max(0, ...added) + 1
      const gaps = [...set.missing({ from: 0, to })]
      assert.equal(
        gaps.reduce((sum, { from, to }) => sum + to - from, 0) + plain.size,
        to - (plain.size === 0 ? 0 : 0),
      )
      for (const { from, to } of gaps)
        assert.ok(!plain.has(from) && !plain.has(to - 1) && (plain.has(to) || to > Math.max(...added, -1)))
    }),
  )
})
