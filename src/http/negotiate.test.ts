import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { negotiate } from './negotiate.ts'

test('R5: the coding with the greatest q is preferred, and zstd at equal q', () => {
  const cases: [string | undefined, string | undefined][] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP, ZSTD', 'zstd'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip;q=1.0, zstd;q=0.9', 'gzip'],
    ['gzip ; q=0.5 , identity', 'identity'],
    ['gzip;q=0.5, identity;q=0.5', 'gzip'],
    ['identity;q=0.1, gzip;q=0.2', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['br', 'identity'],
  ]
  for (const [header, coding] of cases) assert.equal(negotiate(header).preferred, coding, header)
})

test('R5: a star alone keeps identity, and stands for the rest where identity is less wanted', () => {
  assert.equal(negotiate('*').preferred, 'identity')
  assert.equal(negotiate('*;q=0.5').preferred, 'identity')
  assert.equal(negotiate('identity;q=0.5, *').preferred, 'zstd')
  assert.equal(negotiate('identity;q=0, *').preferred, 'zstd')
  assert.equal(negotiate('zstd;q=0, identity;q=0, *').preferred, 'gzip')
})

test('E7: nothing is acceptable where identity is refused and nothing of ours is offered', () => {
  for (const header of ['identity;q=0', '*;q=0', 'br, identity;q=0', 'gzip;q=0, *;q=0', 'identity;q=0.000']) {
    assert.equal(negotiate(header).preferred, undefined, header)
  }
  assert.equal(negotiate('*;q=0, gzip').preferred, 'gzip')
  assert.equal(negotiate('*;q=0, identity').preferred, 'identity')
})

test('R5: members that are not well-formed are ignored', () => {
  assert.equal(negotiate('gzip;q=2').preferred, 'identity')
  assert.equal(negotiate('gzip;q=0.1234, zstd;q=0.1').preferred, 'zstd')
  assert.equal(negotiate('gzip;level=9, ,;;,=').preferred, 'identity')
})

test('R5: whatever is preferred is acceptable, for every header', () => {
  const weight = fc.constantFrom('', ';q=0', ';q=0.5', ';q=1', ';q=0.25', ';q=x')
  const coding = fc.constantFrom('gzip', 'zstd', 'identity', '*', 'br', 'x-gzip')
  const header = fc
    .array(fc.tuple(coding, weight))
    .map((members) => members.map((m) => m.join('')).join(', '))
  fc.assert(
    fc.property(fc.oneof(header, fc.string()), (text) => {
      const { preferred, ...accepts } = negotiate(text)
      if (preferred !== undefined) assert.ok(accepts[preferred])
      else assert.deepEqual(accepts, { zstd: false, gzip: false, identity: false })
    }),
  )
})
