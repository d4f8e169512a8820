import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayReadAll, mayReadEngine, mayRecord, noRights, type RecordBounds } from './rights.ts'

function recording(records: RecordBounds) {
  return { reads: [], records }
}

test('E6: only the right to read everything is the right to read all logs', () => {
  assert.equal(mayReadAll({ reads: 'all', records: undefined }), true)
  assert.equal(mayReadAll({ reads: ['engine-01'], records: undefined }), false)
  assert.equal(mayReadAll(noRights), false)
})

test('E6, A2: the right to read an engine counts for its short name and its FQDN, in any case', () => {
  const reads = (...hosts: string[]) => ({ reads: hosts, records: undefined })
  const fqdn = 'engine-01.example.com'
  assert.equal(mayReadEngine(reads('engine-01'), 'ENGINE-01'), true)
  assert.equal(mayReadEngine(reads('engine-01'), fqdn), true)
  assert.equal(mayReadEngine(reads(fqdn), 'engine-01'), true)
  assert.equal(mayReadEngine(reads('a', fqdn), fqdn.toUpperCase()), true)
  assert.equal(mayReadEngine({ reads: 'all', records: undefined }, fqdn), true)
  assert.equal(mayReadEngine(reads(fqdn), 'engine-01.example.org'), false)
  assert.equal(mayReadEngine(reads('engine-01'), 'engine-010'), false)
  assert.equal(mayReadEngine(reads('engine-01'), 'engine-02'), false)
  assert.equal(mayReadEngine(reads(), 'engine-01'), false)
})

test('an event may be recorded where both its component and its code are within bounds', () => {
  const rights = recording({
    components: ['Portal', 'Engine-01'],
    codes: [
      [100, 199],
      [300, 300],
    ],
    ownCodes: false,
  })
  assert.equal(mayRecord(rights, 'Portal', 100, false), true)
  assert.equal(mayRecord(rights, 'Engine-01', 199, false), true)
  assert.equal(mayRecord(rights, 'Portal', 300, false), true)
  assert.equal(mayRecord(rights, 'Portal', 200, false), false)
  assert.equal(mayRecord(rights, 'Portal', 99, false), false)
  assert.equal(mayRecord(rights, 'Engine-02', 100, false), false)
  assert.equal(mayRecord(noRights, 'Portal', 100, false), false)
})

test("the node's own codes may be recorded only where that is granted by itself", () => {
  const any = { components: 'any', codes: 'any' } as const
  assert.equal(mayRecord(recording({ ...any, ownCodes: false }), 'x', 29_001, true), false)
  assert.equal(mayRecord(recording({ ...any, ownCodes: true }), 'x', 29_001, true), true)
  assert.equal(mayRecord(recording({ ...any, ownCodes: false }), 'x', 20_001, false), true)
})

test('bounds that list nothing allow nothing', () => {
  const none: RecordBounds = { components: [], codes: [], ownCodes: true }
  assert.equal(mayRecord(recording(none), 'Portal', 20_001, false), false)
  assert.equal(mayRecord(recording({ ...none, components: 'any' }), 'Portal', 20_001, false), false)
})
