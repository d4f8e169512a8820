import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { permissions, rolePermissions, tierPermissions } from './permission.ts'
import { builtInProfiles, permissionsOf, rightsOfPermissions } from './profile.ts'
import { mayReadAll, mayRecord } from './rights.ts'

const may = (permission: (typeof permissions)[number]) =>
  builtInProfiles.filter((profile) => permissionsOf(profile, undefined).includes(permission))

test('S1: main and central administrators may read audit logs, and no plain user', () => {
  assert.deepEqual(may('read-audit-log'), ['main-administrator', 'central-administrator'])
  assert.deepEqual(
    builtInProfiles.map((profile) => mayReadAll(rightsOfPermissions(permissionsOf(profile, undefined)))),
    [true, true, false],
  )
})

test('administrators of both tiers manage, as the product documents it; users manage nothing', () => {
  for (const permission of permissions.filter((name) => name.startsWith('manage-')))
    assert.deepEqual(may(permission), ['main-administrator', 'central-administrator'], permission)
  assert.deepEqual(may('grant-own-codes'), ['main-administrator'])
  assert.deepEqual(tierPermissions.user, [])
  assert.ok(rolePermissions.every((permission) => !permission.startsWith('manage-')))
})

test('L2: nobody records the codes of the node itself with a password', () => {
  const rights = rightsOfPermissions(permissionsOf('main-administrator', undefined))
  assert.ok(mayRecord(rights, 'Portal', 20101, false))
  assert.ok(!mayRecord(rights, 'Portal', 29001, true))
})

test('what is stored of a profile is what it allows, and one that is not there allows nothing', () => {
  assert.deepEqual(permissionsOf('auditor', '["read-audit-log","fly"]'), ['read-audit-log'])
  assert.deepEqual(rightsOfPermissions([]), { reads: [], records: undefined })
  assert.throws(
    () => permissionsOf('root', null),
    (error) => isAnnalsError(error, 'INTERNAL'),
  )
  // A tier cannot be given more by a row of its name.
  assert.deepEqual(permissionsOf('user', '["read-audit-log"]'), [])
})
