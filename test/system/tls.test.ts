// A portal with a certificate of its own, as openssl makes them, and what it refuses to do without one.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ask, converse, requestText } from '../conformance/wire.ts'
import { proveConformance } from '../conformance/suite.ts'
import { fixtureEntries, portalFixture } from './fixture.ts'
import { addAccount, administrator, annals, hostName, type PortalProcess } from './portal-process.ts'
import { startPortal, startServe, temporaryDirectory } from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'

test('with a certificate the whole contract holds over TLS, and nothing without it', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  await annals(context, ['import', '--data', data, '--host-name', hostName, portalFixture])
  const portal = await startTlsPortal(context, data)
  const user = { name: 'anna', password: 'Just-a-user-1' }
  await addAccount(context, data, user, 'user')
  const facts = { timeZone: 'UTC', known: fixtureEntries(), reader: administrator, user }
  await proveConformance(context, { ...portal, ...facts })
  await context.test('a client that does not trust the certificate gets nothing', async () => {
    const untrusting = { baseUrl: portal.baseUrl }
    await assert.rejects(ask(untrusting, path, { credentials: administrator }), /self-signed/)
  })
  await context.test('plain HTTP is refused in a way that can be read', async () => {
    const plain = { baseUrl: portal.baseUrl.replace('https:', 'http:') }
    const answer = await converse(plain, requestText(path, administrator))
    assert.match(answer.toString(), /^HTTP\/1\.1 400 [^]*\r\n\r\n\[\{"code":"[A-Z_]+","message":"[^"]*HTTPS/)
  })
  await context.test('old versions of TLS are refused', () => {
    const { host } = new URL(portal.baseUrl)
    const old = ['s_client', '-connect', host, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']
    assert.throws(() => execFileSync('openssl', old, { input: '', stdio: 'pipe' }))
    execFileSync('openssl', ['s_client', '-connect', host, '-tls1_3'], { input: '', stdio: 'pipe' })
  })
  assert.equal((await portal.stop()).exitCode, 0)
})

test('plain HTTP beyond loopback is refused at the start, unless it is allowed in so many words', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const args = ['--listen', '0.0.0.0:0']
  const refused = await startServe(context, { data, args }).ended
  assert.equal(refused.exitCode, 2)
  assert.match(refused.errors, /--listen: .*--tls-certificate-file.*--allow-plain-http-beyond-loopback/)
  const portal = await startPortal(context, { data, args: [...args, '--allow-plain-http-beyond-loopback'] })
  assert.equal((await ask(portal, path, { credentials: administrator })).status, 200)
})

async function startTlsPortal(context: TestContext, data: string): Promise<PortalProcess> {
  const directory = mkdtempSync(join(temporaryDirectory(context), 'tls-'))
  const [certificate, key] = [join(directory, 'portal.crt'), join(directory, 'portal.key')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  execFileSync('openssl', [...made, '-keyout', key, '-out', certificate, ...subject], { stdio: 'pipe' })
  const args = ['--tls-certificate-file', certificate, '--tls-key-file', key]
  const ca = readFileSync(certificate, 'utf8')
  return await startPortal(context, { data, args, ca })
}
