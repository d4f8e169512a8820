import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drain } from '../database/outbox.ts'
import { isAnnalsError, type ErrorCode } from '../errors.ts'
import { accountStates } from './account-state.ts'
import { Profiles } from './profiles.ts'
import { basic, by, identityFixture, type IdentityFixture, password } from './testing/identity-fixture.ts'

const recorder = { permissions: ['record-events'] } as const

function profilesOver({ database, clock }: IdentityFixture): Profiles {
  return new Profiles({ database, clock, hostName: 'portal-01' })
}

function refused(code: ErrorCode, message?: RegExp) {
  return (error: unknown) =>
    isAnnalsError(error, code) && (message === undefined || message.test(error.message))
}

test('S1: the tiers are built in, and nothing else is there until somebody makes it', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  assert.deepEqual(
    (await profiles.list()).map(({ name, tier, isBuiltIn, accounts }) => [name, tier, isBuiltIn, accounts]),
    [
      ['main-administrator', 'main-administrator', true, 1],
      ['central-administrator', 'central-administrator', true, 0],
      ['user', 'user', true, 1],
    ],
  )
  assert.deepEqual(await profiles.roles(), [])
  await assert.rejects(
    fixture.identity.accounts.setProfile('reader', 'auditor', by),
    refused(
      'INVALID_INPUT',
      /^"auditor" is no profile: expected one of main-administrator, central-administrator, user \("annals profile enable auditor" /,
    ),
  )
})

test('the auditor is off until it is switched on, reads audit logs, and does nothing else', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  assert.equal((await profiles.enableAuditor(by)).isChanged, true)
  await fixture.identity.accounts.setProfile('reader', 'auditor', by)
  assert.deepEqual(await rightsOf(fixture, 'reader'), { reads: 'all', records: undefined })
  const [auditor] = (await profiles.list()).filter(({ name }) => name === 'auditor')
  assert.deepEqual(auditor, {
    name: 'auditor',
    description: 'reads audit logs, and nothing else',
    tier: 'user',
    isBuiltIn: false,
    roles: ['auditor'],
    permissions: ['read-audit-log'],
    accounts: 1,
  })
  assert.deepEqual(await profiles.enableAuditor(by), { name: 'auditor', isChanged: false, eventIds: [] })
})

test('the auditor is not switched off while an account has it, and then nothing of it is left', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.enableAuditor(by)
  await fixture.identity.accounts.setProfile('reader', 'auditor', by)
  await assert.rejects(
    profiles.disableAuditor(by),
    refused('CHANGE_REFUSED', /^the account "reader" has the profile "auditor"$/),
  )
  await fixture.identity.accounts.setProfile('reader', 'user', by)
  assert.equal((await profiles.disableAuditor(by)).isChanged, true)
  assert.deepEqual([(await profiles.list()).length, await profiles.roles()], [3, []])
  assert.equal((await profiles.disableAuditor(by)).isChanged, false)
})

test('its role stays for another profile that has it, and is taken up again', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.enableAuditor(by)
  await profiles.add('reviewer', { roles: ['auditor'] }, by)
  await profiles.disableAuditor(by)
  assert.deepEqual(
    (await profiles.roles()).map(({ name }) => name),
    ['auditor'],
  )
  assert.equal((await profiles.enableAuditor(by)).eventIds.length, 1)
})

test('nobody makes more or less of what is called auditor, or of what is built in', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.addRole('recorder', recorder, by)
  const roles = ['recorder']
  const changes = (name: string) => [
    () => profiles.add(name, { roles }, by),
    () => profiles.set(name, { roles }, by),
    () => profiles.remove(name, by),
  ]
  const roleChanges = [
    () => profiles.addRole('auditor', recorder, by),
    () => profiles.setRole('auditor', recorder, by),
    () => profiles.removeRole('auditor', by),
  ]
  for (const enable of [false, true]) {
    if (enable) await profiles.enableAuditor(by)
    for (const change of [...changes('auditor'), ...roleChanges])
      await assert.rejects(
        change(),
        refused('CHANGE_REFUSED', /switched with "annals profile enable auditor"/),
      )
  }
  for (const name of ['main-administrator', 'user'])
    for (const change of changes(name))
      await assert.rejects(change(), refused('CHANGE_REFUSED', /is built in$/))
})

test('a profile allows what its roles allow together', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.addRole('recorder', recorder, by)
  await profiles.addRole('reviewer', { permissions: ['read-audit-log'] }, by)
  await profiles.add('both', { roles: ['recorder', 'reviewer', 'recorder'], description: 'does both' }, by)
  const [both] = (await profiles.list()).filter(({ name }) => name === 'both')
  assert.deepEqual(both?.roles, ['recorder', 'reviewer'])
  assert.deepEqual(both?.permissions, ['read-audit-log', 'record-events'])
  await fixture.identity.accounts.setProfile('reader', 'both', by)
  const records = { components: 'any', codes: 'any', ownCodes: false }
  assert.deepEqual(await rightsOf(fixture, 'reader'), { reads: 'all', records })
})

test('a change of a role or a profile counts at once, for whoever is signed in too', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.addRole('changing', { permissions: ['read-audit-log'] }, by)
  await profiles.addRole('recorder', recorder, by)
  await profiles.add('own', { roles: ['changing'] }, by)
  await fixture.identity.accounts.setProfile('reader', 'own', by)
  const read = accountStates(fixture.database)
  const versions = [(await read('reader'))?.credentialVersion ?? 0]
  assert.equal((await rightsOf(fixture, 'reader')).reads, 'all')
  await profiles.setRole('changing', recorder, by)
  versions.push((await read('reader'))?.credentialVersion ?? 0)
  assert.deepEqual((await rightsOf(fixture, 'reader')).reads, [])
  await profiles.setRole('changing', { permissions: ['read-audit-log'] }, by)
  assert.equal((await rightsOf(fixture, 'reader')).reads, 'all')
  await profiles.set('own', { roles: ['recorder'] }, by)
  versions.push((await read('reader'))?.credentialVersion ?? 0)
  assert.deepEqual((await rightsOf(fixture, 'reader')).reads, [])
  assert.deepEqual(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
  )
  assert.equal((await read('admin'))?.credentialVersion, 1)
})

test('a role manages nothing: that takes a tier', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  for (const permission of ['manage-accounts', 'grant-own-codes', 'fly', ''])
    await assert.rejects(
      profiles.addRole('mighty', { permissions: ['read-audit-log', permission] }, by),
      refused(
        'INVALID_INPUT',
        /expected read-audit-log or record-events; to manage anything takes an administrator's/,
      ),
    )
  await assert.rejects(profiles.addRole('empty', {}, by), refused('INVALID_INPUT', /at least one permission/))
  assert.deepEqual(await profiles.roles(), [])
})

test('what is there already, is not there, or is still needed is refused', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.addRole('recorder', recorder, by)
  await profiles.add('own', { roles: ['recorder'] }, by)
  await fixture.identity.accounts.setProfile('reader', 'own', by)
  const refusals: readonly [() => Promise<unknown>, ErrorCode, RegExp][] = [
    [() => profiles.addRole('recorder', recorder, by), 'ALREADY_EXISTS', /a role "recorder" already/],
    [() => profiles.add('own', { roles: ['recorder'] }, by), 'ALREADY_EXISTS', /a profile "own" already/],
    [() => profiles.add('a b', { roles: ['recorder'] }, by), 'INVALID_INPUT', /a name here has/],
    [() => profiles.add('new', {}, by), 'INVALID_INPUT', /at least one role/],
    [() => profiles.set('own', { roles: [] }, by), 'INVALID_INPUT', /at least one role/],
    [() => profiles.add('new', { roles: ['none'] }, by), 'DOES_NOT_EXIST', /no role "none"/],
    [() => profiles.set('none', {}, by), 'DOES_NOT_EXIST', /no profile "none"/],
    [() => profiles.remove('none', by), 'DOES_NOT_EXIST', /no profile "none"/],
    [() => profiles.setRole('none', recorder, by), 'DOES_NOT_EXIST', /no role "none"/],
    [() => profiles.removeRole('none', by), 'DOES_NOT_EXIST', /no role "none"/],
    [
      () => profiles.removeRole('recorder', by),
      'CHANGE_REFUSED',
      /the profile "own" has the role "recorder"/,
    ],
    [() => profiles.remove('own', by), 'CHANGE_REFUSED', /the account "reader" has the profile "own"/],
  ]
  for (const [change, code, message] of refusals) await assert.rejects(change(), refused(code, message))
  assert.deepEqual(await codes(fixture), ['20201', '20201', '20206', '20209', '20204'])
})

test('S7: every change of a role or a profile is recorded in the words of the product', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.enableAuditor(by)
  await profiles.addRole('recorder', recorder, by)
  await profiles.setRole('recorder', { permissions: ['record-events', 'read-audit-log'] }, by)
  await profiles.add('own', { roles: ['auditor', 'recorder'] }, by)
  await profiles.set('own', { roles: ['recorder'] }, by)
  await profiles.remove('own', by)
  await profiles.removeRole('recorder', by)
  await profiles.disableAuditor(by)
  await codes(fixture)
  const events = fixture.recorder.events.slice(2)
  assert.deepEqual(
    events.map(({ message, target }) => [String(message).replace('[Portal|USER|', '['), target]),
    [
      ['[20206|*cli:root] Role auditor is added', 'role/auditor'],
      ['[20209|*cli:root] Added profile auditor roles: auditor', 'profile/auditor'],
      ['[20206|*cli:root] Role recorder is added', 'role/recorder'],
      ['[20207|*cli:root] Role recorder is updated', 'role/recorder'],
      ['[20209|*cli:root] Added profile own roles: auditor, recorder', 'profile/own'],
      ['[20210|*cli:root] Updated profile own roles: recorder', 'profile/own'],
      ['[20211|*cli:root] Removed profile own', 'profile/own'],
      ['[20208|*cli:root] Role recorder is removed', 'role/recorder'],
      ['[20211|*cli:root] Removed profile auditor', 'profile/auditor'],
      ['[20208|*cli:root] Role auditor is removed', 'role/auditor'],
    ],
  )
  assert.deepEqual(
    events.flatMap(({ eventParams = [] }) => eventParams.filter(([name]) => name === 'permissions')),
    ['read-audit-log', 'record-events', 'read-audit-log record-events'].map((text) => ['permissions', text]),
  )
})

test('what is so already is no change, and is not recorded', async () => {
  await using fixture = await identityFixture()
  const profiles = profilesOver(fixture)
  await profiles.addRole('recorder', { ...recorder, description: 'records' }, by)
  await profiles.add('own', { roles: ['recorder'] }, by)
  const before = await codes(fixture)
  for (const settings of [{}, recorder, { description: 'records' }])
    assert.equal((await profiles.setRole('recorder', settings, by)).isChanged, false)
  for (const settings of [{}, { roles: ['recorder'] }, { description: '' }])
    assert.equal((await profiles.set('own', settings, by)).isChanged, false)
  assert.deepEqual(await codes(fixture), before)
})

async function rightsOf({ identity }: IdentityFixture, name: string) {
  const principal = await identity.authenticate({ authorization: basic(name, password), source: '192.0.2.1' })
  return principal.rights
}

async function codes(fixture: IdentityFixture): Promise<string[]> {
  await drain(fixture.database, fixture.recorder.record)
  return fixture.recorder.codes
}
