// Accounts over the wire, and changed beside the running portal: who may, who no longer may, and what is recorded.

import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type AuditLine, readLines } from '../conformance/audit-line.ts'
import { ask, type Credentials, type Server } from '../conformance/wire.ts'
import { addAccount, administrator, annals, startPortal, temporaryDirectory } from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const siem: Credentials = { name: 'siem', password: 'Pulls-every-hour-1' }
const cli = `*cli:${userInfo().username}`

test('S4: five wrong passwords lock an account, also for the right one, until it is unlocked beside the portal', async (context) => {
  const { portal, data, entries } = await portalWithReader(context)
  const wrong = { ...siem, password: 'Not-the-password-1' }
  for (let attempt = 0; attempt < 5; attempt++) assert.equal(await statusFor(portal, wrong), 401)
  assert.equal(await statusFor(portal, siem), 401)
  await annals(context, ['account', 'unlock', siem.name, '--data', data])
  assert.equal(await statusFor(portal, siem), 200)
  const all = (await entries()).filter(({ event }) => event['target'] === siem.name)
  // That it was locked goes through the outbox, and may be recorded a moment later than what came next.
  assert.equal(all.filter(({ code }) => code === '20104').length, 1)
  assert.deepEqual(
    all
      .filter(({ code }) => code !== '20104')
      .map(({ code, event }) => [code, event['reason'] ?? event['change'] ?? '']),
    [
      ['20201', ''],
      ...Array.from({ length: 5 }, () => ['20103', 'wrong-password']),
      ['20103', 'locked'],
      ['20203', 'unlock'],
      ['20101', ''],
    ],
  )
})

test('an account whose credentials are remembered is refused at once when it is changed or removed', async (context) => {
  const { portal, data } = await portalWithReader(context)
  assert.equal(await statusFor(portal, siem), 200)
  assert.equal(await statusFor(portal, siem), 200)
  const changed = { ...siem, password: 'Another-secret-2' }
  const passwd = ['account', 'passwd', siem.name, '--password-file', '-', '--data', data]
  await annals(context, passwd, `${changed.password}\n`)
  assert.equal(await statusFor(portal, siem), 401)
  assert.equal(await statusFor(portal, changed), 200)
  await annals(context, ['account', 'set-profile', siem.name, 'user', '--data', data])
  assert.equal(await statusFor(portal, changed), 403)
  await annals(context, ['account', 'remove', siem.name, '--data', data])
  assert.equal(await statusFor(portal, changed), 401)
})

test('S7: what a command changes beside the running portal is recorded in the name of who ran it', async (context) => {
  const { data, entries, portal } = await portalWithReader(context)
  await annals(context, ['account', 'set-profile', siem.name, 'user', '--data', data])
  await annals(context, ['account', 'remove', siem.name, '--data', data])
  const changes = (await entries()).filter(({ event }) => event['target'] === siem.name)
  assert.deepEqual(
    changes.map(({ code, event, audit }) => [code, event['actor'], audit['via']]),
    ['20201', '20204', '20202'].map((code) => [code, cli, 'self']),
  )
  assert.ok(changes.every(({ audit }) => audit['occurred'] !== undefined))
  await portal.stop()
})

test('S1, E6, S7: a plain user is refused, and the refusal is an entry', async (context) => {
  const { portal, data, entries } = await portalWithReader(context)
  const user = { name: 'plain', password: 'Just-a-user-1' }
  await addAccount(context, data, user, 'user')
  assert.equal(await statusFor(portal, user), 403)
  const refusals = (await entries()).filter(({ code }) => code === '29002')
  assert.deepEqual(
    refusals.map(({ event }) => [event['actor'], event['reason'], event['target']]),
    [[user.name, 'FORBIDDEN', 'portal']],
  )
})

test('S5: with Basic switched off, nobody gets in with it', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data, args: ['--basic-authentication', 'off'] })
  assert.equal(await statusFor(portal, administrator), 401)
})

async function portalWithReader(context: TestContext) {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  await addAccount(context, data, siem, 'central-administrator')
  const entries = async (): Promise<AuditLine[]> => {
    const { status, body } = await ask(portal, path, { credentials: administrator })
    assert.equal(status, 200)
    return readLines(body)
  }
  return { portal, data, entries }
}

async function statusFor(server: Server, credentials: Credentials): Promise<number> {
  return (await ask(server, path, { credentials })).status
}
