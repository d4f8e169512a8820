import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { allows, mayReadAuditLog, parseProfile, profiles, storedProfile } from './profile.ts'

test('S1: main and central administrators may read audit logs, and nobody else', () => {
  const readers = profiles.filter((profile) => mayReadAuditLog({ profile }))
  assert.deepEqual(readers, ['main-administrator', 'central-administrator'])
})

test('only a main administrator manages accounts', () => {
  const managers = profiles.filter((profile) => allows(profile, 'manage-accounts'))
  assert.deepEqual(managers, ['main-administrator'])
})

test('a profile that is none is refused with those that there are', () => {
  assert.equal(parseProfile('user'), 'user')
  assert.throws(() => parseProfile('Admin'), /"Admin" .* main-administrator, central-administrator, user/)
  assert.throws(
    () => storedProfile('root'),
    (error) => isAnnalsError(error, 'INTERNAL'),
  )
})
