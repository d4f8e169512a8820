import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { resolveConfiguration } from '../config/configuration.ts'
import { lockData, readHolder } from '../log/lock.ts'
import { systemClock } from '../ops/clock.ts'
import { createLogger } from '../ops/logger.ts'
import { type PortalOptions, startPortal } from './portal.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'

const password = 'Strong-enough-1'
const auditLog = '/audit-trail/api/v1/portal/type/auditlog'

test('a start that fails lets everything go, and the next one takes up what is there', async (context) => {
  const options = portalOptions(context)
  const { data } = options.configuration
  const refused = startPortal({ ...options, firstPassword: () => Promise.reject(new Error('no password')) })
  await assert.rejects(refused, /no password/)
  assert.equal(readHolder(data), undefined)
  const portal = await startPortal(options)
  assert.equal(portal.administrator, 'admin')
  assert.equal((await read(portal.configuration.publicUrl)).status, 200)
  await portal.stop()
})

test('the first password is asked for only where there is no account', async (context) => {
  const options = portalOptions(context)
  await (await startPortal(options)).stop()
  const portal = await startPortal({
    ...options,
    firstPassword: () => Promise.reject(new Error('asked again')),
  })
  await portal.stop()
})

test('a start waits for a command that holds the lock, and not for a server', async (context) => {
  const options = portalOptions(context)
  await (await startPortal(options)).stop()
  const command = lockData(options.configuration.data, 'annals account')
  const starting = startPortal(options)
  setTimeout(() => command[Symbol.dispose](), 100)
  await (await starting).stop()
  using _server = lockData(options.configuration.data, 'annals serve')
  await assert.rejects(startPortal(options), { code: 'LOG_LOCKED' })
})

test('I9: a portal starts, reads and stops where there is no room to record', async (context) => {
  const disk = new FaultyDisk()
  const options = portalOptions(context, disk)
  await (await startPortal(options)).stop()
  const lines: string[] = []
  disk.capacity = disk.used
  const portal = await startPortal({
    ...options,
    logger: createLogger('info', { write: (line) => void lines.push(line) }),
  })
  assert.equal(portal.log.status().recording, 'refusing')
  const ready = await fetch(`${portal.configuration.publicUrl}/readyz`)
  assert.equal(ready.status, 200)
  assert.equal(((await ready.json()) as { recording: string }).recording, 'refusing')
  const answer = await read(portal.configuration.publicUrl)
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /\|20002\|/)
  await portal.stop()
  assert.match(lines.join(''), /what the node does could not be recorded/)
})

test('a log that cannot be written any more makes the portal end, and not ready', async (context) => {
  const disk = new FaultyDisk()
  const portal = await startPortal(portalOptions(context, disk))
  const url = portal.configuration.publicUrl
  disk.onSync = () => 'fail'
  const answer = await read(url)
  assert.ok(answer.status >= 500)
  await portal.failed
  assert.equal((await fetch(`${url}/readyz`)).status, 503)
  await portal.stop()
})

test('a portal that stops is not reachable any more, and another may take its place at once', async (context) => {
  const options = portalOptions(context)
  const portal = await startPortal(options)
  await portal.stop()
  await assert.rejects(fetch(`${portal.configuration.publicUrl}/healthz`))
  const next = await startPortal(options)
  assert.equal(next.log.id, portal.log.id)
  await next.stop()
})

async function read(url: string): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  return await fetch(url + auditLog, { headers: { authorization } })
}

function portalOptions(context: TestContext, disk?: FaultyDisk): PortalOptions {
  const directory = mkdtempSync(join(tmpdir(), 'annals-server-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const configuration = resolveConfiguration({
    flags: { data: join(directory, 'data'), listen: '127.0.0.1:0', hostName: 'portal' },
    file: undefined,
    environment: {},
    directory,
    machineName: 'portal',
  })
  return {
    configuration,
    tls: undefined,
    logger: createLogger('silent'),
    clock: systemClock(),
    firstPassword: () => Promise.resolve(password),
    ...(disk === undefined ? {} : { disk }),
  }
}
