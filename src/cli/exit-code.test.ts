import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf, exitCodeOfReason, exitCodes } from './exit-code.ts'

test('every refusal, and every reason why something is not proved, has an exit code that is documented, and none is success', () => {
  for (const [error, code] of Object.entries({ ...exitCodeOf, ...exitCodeOfReason })) {
    assert.notEqual(code, 0, error)
    assert.ok(Object.hasOwn(exitCodes, code), error)
  }
})

test('a wrong configuration is 2', () => {
  assert.equal(exitCodeOf.INVALID_CONFIGURATION, 2)
})
