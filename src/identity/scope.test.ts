import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { noRights, type RecordBounds } from './rights.ts'
import { demandScope, isScope, parseScope, rightsOf } from './scope.ts'

const bounds: RecordBounds = { components: ['Portal'], codes: 'any', ownCodes: false }

test("S2: the scopes are the product's, that to record, and one for each host name", () => {
  for (const scope of [
    'service:audit-trail',
    'service:audit-trail:record',
    'service:audit-trail:engine:engine-01',
    'service:audit-trail:engine:engine-01.example.com',
  ])
    assert.equal(isScope(scope), true, scope)
  for (const scope of [
    '',
    'service:audit-trail ',
    'Service:audit-trail',
    'service:audit-trail:engine:',
    'service:audit-trail:engine:Engine-01',
    'service:audit-trail:engine:*',
    'service:audit-trail:engine:a b',
    'openid',
  ])
    assert.equal(isScope(scope), false, scope)
})

test('a scope parameter is tokens with one blank between them, each counted once', () => {
  assert.deepEqual(parseScope('b a b'), ['b', 'a'])
  for (const text of ['', ' a', 'a ', 'a  b', 'a\tb', 'a"', 'a\\', 'é'])
    assert.equal(parseScope(text), undefined, JSON.stringify(text))
})

test('a scope that a person types may have the host name in any case', () => {
  assert.equal(
    demandScope('service:audit-trail:engine:Engine-01.Example.COM'),
    'service:audit-trail:engine:engine-01.example.com',
  )
  assert.throws(
    () => demandScope('service:audit-trail:read'),
    (error) => isAnnalsError(error, 'INVALID_INPUT') && error.message.includes('service:audit-trail:record'),
  )
})

test('E6: what scopes allow is no more than they say', () => {
  assert.deepEqual(rightsOf([], bounds), noRights)
  assert.deepEqual(rightsOf(['service:audit-trail'], bounds), { reads: 'all', records: undefined })
  assert.deepEqual(rightsOf(['service:audit-trail:record'], bounds), { reads: [], records: bounds })
  assert.deepEqual(rightsOf(['service:audit-trail:record'], undefined), noRights)
  const engines = ['service:audit-trail:engine:a', 'service:audit-trail:engine:b']
  assert.deepEqual(rightsOf(engines, bounds), { reads: ['a', 'b'], records: undefined })
  assert.deepEqual(rightsOf([...engines, 'service:audit-trail'], bounds).reads, 'all')
})
