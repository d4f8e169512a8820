import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, formatFigure, isReached, measureInRounds, spreadOf } from './harness.ts'

test('contestants take turns in alternating order, after one turn each that does not count', async () => {
  const turns: string[] = []
  const contestant = (name: string) => ({
    name,
    measure: async () => turns.push(name),
  })
  const options = { rounds: 3, unit: 'turns', say: () => {} }
  const [a, b] = await measureInRounds([contestant('a'), contestant('b')], options)
  assert.equal(turns.join(''), 'ababbaab')
  assert.deepEqual(a?.figures, [3, 6, 7])
  assert.deepEqual(b?.figures, [4, 5, 8])
})

test('a ratio is taken within a round, and its median is held against the bar', () => {
  const measured = (figures: number[]) => ({ name: '', unit: '', figures })
  const [ours, peer] = [measured([10, 40, 90]), measured([10, 20, 30])]
  const comparison = compare('ours / peer', ours, peer, { kind: 'at least', value: 2 })
  assert.deepEqual(comparison.ratio, { median: 2, min: 1, max: 3 })
  assert.ok(isReached(comparison))
  assert.ok(!isReached({ ...comparison, bar: { kind: 'at least', value: 2.1 } }))
  assert.ok(!isReached({ ...comparison, bar: { kind: 'at most', value: 1.9 } }))
})

test('a ratio that is no number misses every bar', () => {
  const ratio = spreadOf([Number.NaN])
  for (const kind of ['at least', 'at most'] as const) {
    assert.ok(!isReached({ title: '', ratio, bar: { kind, value: 1 } }))
  }
})

test('figures have three digits that mean something', () => {
  const shown = [0, 0.0123, 1, 12.34, 123.4, 1234.5].map(formatFigure)
  assert.deepEqual(shown, ['0', '0.0123', '1.00', '12.3', '123', '1,235'])
})
