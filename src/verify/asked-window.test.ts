import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseWindow, resolveWindow } from '../entry/window.ts'
import { isAskedWindow } from './asked-window.ts'

const now = Date.UTC(2026, 5, 1, 12) * 1000
const hour = 3_600_000_000
const at = (text: string) => Date.parse(text) * 1000

test('W2, W3: the window that a query means is the one that was asked for, and no other', () => {
  for (const [query, start, end] of [
    ['', undefined, now],
    ['elapsed_hours=2', now - 2 * hour, now],
    ['before_date=2026-05-01T00:00:00Z', undefined, at('2026-05-01T00:00:00Z')],
    ['before_date=2026-05-01T00%3A00%3A00%2B02%3A00', undefined, at('2026-04-30T22:00:00Z')],
    [
      'before_date=2026-05-01T00:00:00Z&elapsed_hours=1',
      at('2026-04-30T23:00:00Z'),
      at('2026-05-01T00:00:00Z'),
    ],
    ['before_date=2030-01-01T00:00:00Z', undefined, now],
  ] as const) {
    assert.ok(isAskedWindow(query, { start, end, now }), query)
    assert.ok(!isAskedWindow(query, { start, end: end - 1, now }), query)
    assert.ok(!isAskedWindow(query, { start: (start ?? 0) + 1, end, now }), query)
    if (start !== undefined) assert.ok(!isAskedWindow(query, { start: undefined, end, now }), query)
  }
})

test('W5: of a date without an offset, it is the one of some time zone, and the length is exact', () => {
  const zones = ['UTC', 'Europe/Zurich', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kolkata']
  const dates = ['2026-05-01', '2026-05-31T23:59:59', '2026-06-01', '2026-06-02T06:00:00']
  for (const zone of zones) {
    for (const date of dates) {
      for (const rest of ['', '&elapsed_hours=0.5', '&elapsed_hours=100']) {
        const query = `before_date=${date}${rest}`
        const { start: first, end } = resolveWindow(parseWindow(query, zone), now)
        const start = rest === '' ? undefined : first
        assert.ok(isAskedWindow(query, { start, end, now }), `${query} in ${zone}`)
      }
    }
  }
  const query = 'before_date=2026-05-01&elapsed_hours=1'
  const end = at('2026-05-01T02:00:00Z')
  assert.ok(isAskedWindow(query, { start: end - hour, end, now }))
  assert.ok(!isAskedWindow(query, { start: end - hour + 1, end, now }), 'shorter')
  assert.ok(!isAskedWindow(query, { start: undefined, end, now }), 'from the beginning')
  assert.ok(!isAskedWindow(query, { start: end + 99 * hour, end: end + 100 * hour, now }), 'another day')
  assert.ok(!isAskedWindow(query, { start: now - hour, end: now, now }), 'now')
})

test('W3: whatever is asked with an offset, one microsecond makes it another window', () => {
  const hours = fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined })
  const days = fc.option(fc.integer({ min: -400, max: 400 }), { nil: undefined })
  fc.assert(
    fc.property(hours, days, (elapsed, day) => {
      const before = new Date(now / 1000 + (day ?? 0) * 86_400_000).toISOString().slice(0, 19)
      const parts = [
        ...(day === undefined ? [] : [`before_date=${encodeURIComponent(`${before}Z`)}`]),
        ...(elapsed === undefined ? [] : [`elapsed_hours=${elapsed}`]),
      ]
      const query = parts.join('&')
      const { start: first, end } = resolveWindow(parseWindow(query, 'UTC'), now)
      const start = elapsed === undefined ? undefined : first
      assert.ok(isAskedWindow(query, { start, end, now }))
      assert.ok(!isAskedWindow(query, { start, end: end + 1, now }))
    }),
  )
})
