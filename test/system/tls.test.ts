// A portal with a certificate of its own, as openssl makes them, and what it refuses to do without one.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, getCiphers, type TLSSocket } from 'node:tls'
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

test('TLS is spoken with forward secrecy and authenticated encryption alone, whatever the certificate', async (context) => {
  const accepted = new Set<string>()
  for (const kind of ['ec', 'rsa'] as const) {
    const portal = await startTlsPortal(context, join(temporaryDirectory(context), 'data'), kind)
    for (const suite of getCiphers().map((name) => name.toUpperCase()))
      if (await isSpoken(portal, suite)) accepted.add(suite)
    assert.equal((await portal.stop()).exitCode, 0)
  }
  assert.deepEqual([...accepted].toSorted(), [
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
  ])
})

test('over TLS a client cannot have keys exchanged anew, and the server chooses the suite', async (context) => {
  const portal = await startTlsPortal(context, join(temporaryDirectory(context), 'data'))
  const socket = await tlsTo(portal, {
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
  })
  assert.equal(socket.getCipher().name, 'ECDHE-ECDSA-AES256-GCM-SHA384')
  const outcome = await new Promise((resolve) => {
    socket.once('error', resolve)
    socket.once('close', () => resolve('closed'))
    socket.renegotiate({}, (error) => resolve(error ?? 'renegotiated'))
  })
  assert.match(String(outcome), /no renegotiation|closed/i)
  socket.destroy()
})

test('over TLS every answer keeps browsers on TLS, and over plain HTTP none says so', async (context) => {
  const wants = { [path]: 401, '/healthz': 200, '/readyz': 200, '/metrics': 200, '/nothing': 404 }
  const directory = temporaryDirectory(context)
  const tls = await startTlsPortal(context, join(directory, 'tls'))
  const plain = await startPortal(context, { data: join(directory, 'plain') })
  for (const [portal, expected] of [
    [tls, 'max-age=31536000'],
    [plain, undefined],
  ] as const) {
    for (const [at, status] of Object.entries(wants)) {
      const { status: seen, headers } = await ask(portal, at)
      assert.deepEqual([seen, headers['strict-transport-security']], [status, expected], at)
      assert.equal(headers['x-content-type-options'], 'nosniff', at)
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin', at)
      assert.match(String(headers['content-security-policy']), /default-src 'none'/, at)
    }
    const log = await ask(portal, path, { credentials: administrator })
    assert.deepEqual([log.status, log.headers['strict-transport-security']], [200, expected])
    const malformed = (await converse(portal, 'no request\r\n\r\n')).toString()
    assert.match(malformed, /^HTTP\/1\.1 400 /)
    assert.equal(/^strict-transport-security: (.*)\r$/im.exec(malformed)?.[1], expected)
  }
})

/** Whether a portal speaks TLS with this suite alone. */
async function isSpoken(portal: PortalProcess, suite: string): Promise<boolean> {
  const isNew = suite.startsWith('TLS_')
  const version = isNew ? 'TLSv1.3' : 'TLSv1.2'
  try {
    const socket = await tlsTo(portal, {
      minVersion: version,
      maxVersion: version,
      ciphers: isNew ? suite : `${suite}:@SECLEVEL=0`,
    })
    socket.destroy()
    return true
  } catch (error) {
    assert.match(String(error), /handshake failure|no ciphers available/)
    return false
  }
}

async function tlsTo(portal: PortalProcess, options: ConnectionOptions): Promise<TLSSocket> {
  const { hostname, port } = new URL(portal.baseUrl)
  const ca = portal.ca === undefined ? {} : { ca: portal.ca }
  const socket = connect({ host: hostname, port: Number(port), ...ca, ...options })
  await once(socket, 'secureConnect')
  return socket
}

const keyKinds = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
} as const

async function startTlsPortal(
  context: TestContext,
  data: string,
  kind: keyof typeof keyKinds = 'ec',
): Promise<PortalProcess> {
  const directory = mkdtempSync(join(temporaryDirectory(context), 'tls-'))
  const [certificate, key] = [join(directory, 'portal.crt'), join(directory, 'portal.key')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['req', '-x509', ...keyKinds[kind], '-nodes', '-days', '2']
  execFileSync('openssl', [...made, '-keyout', key, '-out', certificate, ...subject], { stdio: 'pipe' })
  const args = ['--tls-certificate-file', certificate, '--tls-key-file', key]
  const ca = readFileSync(certificate, 'utf8')
  return await startPortal(context, { data, args, ca })
}
