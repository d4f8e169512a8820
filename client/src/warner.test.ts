import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuditTrailError } from './errors.ts'
import { warner } from './warner.ts'

test('without onError the process warns at once, then at most once a minute, with what it did not say', () => {
  const warnings: string[] = []
  let now = 1_000_000
  const tell = warner(
    undefined,
    (text) => warnings.push(text),
    () => now,
  )
  const error = new AuditTrailError('FULL', 'too many events wait')
  tell(error, undefined)
  tell(error, undefined)
  now += 59_999
  tell(error, undefined)
  now += 1
  tell(error, undefined)
  assert.deepEqual(warnings, [
    'an audit event was not recorded: FULL: too many events wait',
    'an audit event was not recorded: FULL: too many events wait (and 2 others since the last warning)',
  ])
})

test('what onError throws is a warning, at once or later', async () => {
  const warnings: string[] = []
  const warn = (text: string) => warnings.push(text)
  const error = new AuditTrailError('FULL', 'too many events wait')
  const throwing = () => {
    throw new Error('now')
  }
  warner(throwing, warn)(error, undefined)
  warner(() => Promise.reject(new Error('later')), warn)(error, undefined)
  await new Promise(setImmediate)
  assert.deepEqual(warnings, [
    'onError of an audit trail throws Error: now',
    'onError of an audit trail throws Error: later',
  ])
})
