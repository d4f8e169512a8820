// A regional gateway as a process of its own, in front of real portals: TLS on every connection, tokens from the portals
// themselves, and portals that are killed.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { nonceIn, proofCheckOf } from '../../src/verify/proof-check.ts'
import { readLines } from '../conformance/audit-line.ts'
import { type Answer, ask, basic, converse, dial, type Server } from '../conformance/wire.ts'
import { writeLargeLog } from './fixture.ts'
import { addClient, basicOf, postForm, revokePath, tokenOf } from './oauth-client.ts'
import {
  administrator,
  annals,
  hostName,
  type PortalProcess,
  runAnnals,
  startAnnals,
  startPortal,
  storedLines,
  temporaryDirectory,
  until,
  whenReady,
} from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
/** All that was imported, and nothing of what the tests do. */
const past = `${path}?before_date=2025-06-01`

/** A certificate for localhost, and where it is. */
interface Certificate {
  readonly file: string
  readonly ca: string
  readonly flags: readonly string[]
  readonly pin: string
}

/** A portal that knows its name and region. */
interface InstancePortal extends PortalProcess {
  readonly name: string
  readonly region: string
  readonly data: string
}

/** A gateway. */
interface Gateway extends PortalProcess {
  readonly data: string
  /** Writes its file of instances anew and has it read; resolves once it has said what came of it. */
  reload(instances: string): Promise<void>
}

function makeCertificate(context: TestContext): Certificate {
  const directory = temporaryDirectory(context)
  const [file, key] = [join(directory, 'node.crt'), join(directory, 'node.key')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', file]
  execFileSync('openssl', [...made, ...subject], { stdio: 'pipe' })
  const ca = readFileSync(file, 'utf8')
  const pin = new X509Certificate(ca).fingerprint256
  return { file, ca, pin, flags: ['--tls-certificate-file', file, '--tls-key-file', key] }
}

/** Starts a portal that believes the tests' gateways, at a port of its own choice unless one is given. */
async function startInstance(
  context: TestContext,
  { ca, flags }: Certificate,
  place: Pick<InstancePortal, 'name' | 'region' | 'data'>,
  port = 0,
): Promise<InstancePortal> {
  const named = ['--instance-name', place.name, '--region', place.region]
  const args = [...named, '--trusted-proxies', '127.0.0.1', ...flags, '--listen', `127.0.0.1:${port}`]
  return { ...place, ...(await startPortal(context, { data: place.data, args, ca })) }
}

/** An entry of a file of instances. */
function listed({ name, region, baseUrl }: InstancePortal, trust: string): string {
  return `- {name: ${name}, region: ${region}, issuer: "${baseUrl}/oauth2/default", url: "${baseUrl}", ${trust}}\n`
}

async function startAgora(
  context: TestContext,
  { ca, flags }: Certificate,
  instances: string,
): Promise<Gateway> {
  const directory = temporaryDirectory(context)
  const [data, file] = [join(directory, 'data'), join(directory, 'instances.yaml')]
  writeFileSync(file, instances)
  const fixed = ['--data', data, '--host-name', 'agora-01', '--listen', '127.0.0.1:0', '--region', 'eu']
  const command = startAnnals(context, ['agora', ...fixed, '--instances-file', file, ...flags])
  const process = await whenReady(command, ca)
  return {
    ...process,
    data,
    async reload(text) {
      const before = command.errors().length
      writeFileSync(file, text)
      command.process.kill('SIGHUP')
      await until(() => /read again/.test(command.errors().slice(before)))
    },
  }
}

function read(
  server: Server,
  token: string,
  target = past,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Answer> {
  return ask(server, target, { method, headers: { authorization: `Bearer ${token}`, ...headers } })
}

/** The entries of a code in a log at rest. */
function entries(data: string, code: string): { readonly [name: string]: string | undefined }[] {
  const text = storedLines(data).map((line) => `${line}\n`)
  return readLines(Buffer.from(text.join('')))
    .filter((line) => line.code === code)
    .map(({ event, detail }) => ({ ...detail, ...event }))
}

function refusal({ status, body }: Answer): string {
  const elements = JSON.parse(body.toString()) as { code: string }[]
  assert.equal(elements.length, 1)
  return `${status} ${elements[0]?.code}`
}

/** The same token with another claim, which its signature does not fit. */
function tampered(token: string, claim: Readonly<Record<string, string>>): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const other = Buffer.from(JSON.stringify({ ...claims, ...claim })).toString('base64url')
  return `${header}.${other}.${signature}`
}

test('a gateway passes on what the tokens of its instances ask for, and nothing else', async (context) => {
  const certificate = makeCertificate(context)
  const { ca } = certificate
  const directory = temporaryDirectory(context)
  const at = (name: string) => join(directory, name)
  const file = writeLargeLog(at('large.log'), 20_000)
  await annals(context, ['import', '--data', at('acme'), '--host-name', hostName, file])
  const places = { acme: 'eu', zeta: 'us', newt: 'eu' }
  const instance = (name: keyof typeof places, port?: number) =>
    startInstance(context, certificate, { name, region: places[name], data: at(name) }, port)
  let acme = await instance('acme')
  const zeta = await instance('zeta')
  const byCa = `caFile: "${certificate.file}"`
  const byPin = `pin: "${certificate.pin}"`
  const list = listed(acme, byCa) + listed(zeta, byPin)
  const agora = await startAgora(context, certificate, list)
  const siem = await addClient(context, acme.data, 'siem')
  const token = await tokenOf(acme, siem)
  const straight = await read(acme, token)
  assert.ok(straight.status === 200 && straight.body.length > 15_000_000)

  await context.test('A4: a token leads to its instance, whose answer comes through as it is', async () => {
    const answer = await read(agora, token)
    assert.ok(answer.status === 200 && answer.body.equals(straight.body))
    for (const name of [
      'etag',
      'content-length',
      'content-type',
      'annals-positions',
      'vary',
      'cache-control',
    ])
      assert.equal(answer.headers[name], straight.headers[name], name)
    assert.equal(answer.headers.via, '1.1 annals-agora')
  })

  await context.test('A4: what proves an answer comes through as well', async () => {
    const answer = await ask(agora, `${path}?elapsed_hours=0.1`, {
      headers: { authorization: `Bearer ${token}`, 'annals-nonce': 'of-the-gateway' },
    })
    const url = new URL(String(answer.headers['annals-proof']))
    const proof = await ask(agora, url.pathname, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(proof.status, 200)
    const check = proofCheckOf(proof.body.toString())
    for (const line of answer.body.toString().split('\n').slice(0, -1))
      check.line(Buffer.from(line), 0, Buffer.byteLength(line))
    assert.equal(nonceIn(check.end()), 'of-the-gateway')
  })

  await context.test(
    'E6: a token of an instance of another region is refused, and that is not asked',
    async () => {
      const foreign = await tokenOf(zeta, await addClient(context, zeta.data, 'siem'))
      assert.equal((await read(zeta, foreign)).status, 200)
      const reads = entries(zeta.data, '29001').length
      assert.equal(refusal(await read(agora, foreign)), '403 FORBIDDEN')
      assert.equal(entries(zeta.data, '29001').length, reads)
      const [entry] = entries(agora.data, '29002')
      assert.match(entry?.['actor'] ?? '', /^client:siem-/)
      assert.deepEqual([entry?.['reason'], entry?.['target']], ['FORBIDDEN', 'instance/zeta/portal'])
    },
  )

  await context.test(
    'E5: who has no valid token is refused, and the log of the gateway says why',
    async () => {
      const wrong = {
        'no-credentials': '',
        'other-scheme': basic(administrator),
        'token-malformed': 'Bearer abc',
        'token-issuer': `Bearer ${tampered(token, { iss: 'https://evil.example/oauth2/default' })}`,
        'token-signature': `Bearer ${tampered(token, { client_id: 'admin', sub: 'admin' })}`,
      }
      for (const authorization of Object.values(wrong)) {
        const answer = await ask(agora, past, { headers: { authorization } })
        assert.equal(refusal(answer), '401 UNAUTHENTICATED')
        assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer realm="annals"/)
        assert.doesNotMatch(answer.headers['www-authenticate'] ?? '', /basic/i)
      }
      assert.deepEqual(
        entries(agora.data, '29061').map(({ reason }) => reason),
        Object.keys(wrong),
      )
      const log = storedLines(agora.data).join('\n')
      const secrets = [token.split('.')[2] ?? '', siem.clientSecret, administrator.password]
      assert.ok(secrets.every((secret) => secret !== '' && !log.includes(secret)))
    },
  )

  await context.test(
    'the instance alone decides what a token may: its own refusals come through',
    async () => {
      const narrow = ['--scope', 'service:audit-trail:engine:engine-01']
      const other = await tokenOf(acme, await addClient(context, acme.data, 'narrow', narrow))
      const forbidden = await read(agora, other)
      assert.equal(refusal(forbidden), '403 FORBIDDEN')
      assert.match(forbidden.headers['www-authenticate'] ?? '', /insufficient_scope/)
      const wrongDate = await read(agora, token, `${path}?before_date=2025-02-30`)
      assert.equal(refusal(wrongDate), '400 INVALID_PARAMETER')
      const engine = '/audit-trail/api/v1/engine/engine-09/type/auditlog'
      assert.equal(refusal(await read(agora, token, engine)), '500 UNKNOWN_ENGINE')
      assert.equal((await read(agora, token, '/audit-trail/api/v1/engines/type/auditlog')).status, 200)
      const ended = await tokenOf(acme, siem)
      assert.equal((await read(agora, ended, `${past}&elapsed_hours=0`)).status, 200)
      await postForm(acme, revokePath, { token: ended }, { credentials: basicOf(siem) })
      const revoked = await read(agora, ended)
      assert.equal(refusal(revoked), '401 UNAUTHENTICATED')
      assert.doesNotMatch(revoked.headers['www-authenticate'] ?? '', /basic/i)
    },
  )

  await context.test('R4, R5: parts, what has not changed, and what is compressed come through', async () => {
    const { etag = '' } = straight.headers
    const part = await read(agora, token, past, { range: 'bytes=1000-1999', 'if-range': etag })
    assert.ok(part.status === 206 && part.body.equals(straight.body.subarray(1000, 2000)))
    assert.equal(part.headers['content-range'], `bytes 1000-1999/${straight.body.length}`)
    assert.equal((await read(agora, token, past, { 'if-none-match': etag })).status, 304)
    const head = await read(agora, token, past, {}, 'HEAD')
    assert.deepEqual([head.status, head.headers['content-length']], [200, straight.headers['content-length']])
    for (const [coding, decode] of [
      ['gzip', gunzipSync],
      ['zstd', zstdDecompressSync],
    ] as const) {
      const packed = await read(agora, token, past, { 'accept-encoding': coding })
      assert.deepEqual(
        [packed.headers['content-encoding'], packed.headers['transfer-encoding']],
        [coding, 'chunked'],
      )
      assert.equal(packed.headers['annals-content-length'], String(straight.body.length))
      assert.ok(decode(packed.body).equals(straight.body))
    }
  })

  await context.test(
    'annals fetch takes the whole log through it, with a token of the portal',
    async (context) => {
      const secret = join(temporaryDirectory(context), 'secret')
      const output = join(temporaryDirectory(context), 'log')
      writeFileSync(secret, `${siem.clientSecret}\n`, { mode: 0o600 })
      const where = ['--url', agora.baseUrl, '--token-url', `${acme.baseUrl}/oauth2/default/v1/token`]
      const who = [
        '--client-id',
        siem.clientId,
        '--client-secret-file',
        secret,
        '--ca-file',
        certificate.file,
      ]
      for (const more of [[], ['--compress']]) {
        const what = ['fetch', 'portal', '--before', '2025-06-01', '--output', output, '--force', '--quiet']
        await annals(context, [...what, ...where, ...who, ...more])
        assert.ok(readFileSync(output).equals(straight.body))
      }
    },
  )

  await context.test(
    'whoever made up an address is not believed, and the instance is told the real one',
    async () => {
      const forged = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' }
      assert.equal((await read(agora, token, `${past}&elapsed_hours=1`, forged)).status, 200)
      assert.equal(entries(acme.data, '29001').at(-1)?.['source'], '127.0.0.1')
      // The same portal does believe the gateway: it trusts that address.
      assert.equal((await read(acme, token, `${past}&elapsed_hours=1`, forged)).status, 200)
      assert.equal(entries(acme.data, '29001').at(-1)?.['source'], '203.0.113.9')
    },
  )

  await context.test('nothing but the paths of the API is passed on, however it is written', async () => {
    const lines = (target: string) =>
      `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
    for (const target of [
      '/oauth2/default/v1/keys',
      '/audit-trail/api/v1/engine/../../../../oauth2/default/v1/keys',
      '/audit-trail/api/v1/engine/%2e%2e/%2e%2e/%2e%2e/%2e%2e/oauth2/default/v1/keys',
      `${acme.baseUrl}/oauth2/default/v1/keys`,
      `//127.0.0.1${path}`,
      '/audit-trail/api/v2/logs/x/tile/../../../../../../oauth2/default/v1/keys',
      '/audit-trail/api/v2/logs/x/tile/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/oauth2/default/v1/keys',
    ])
      assert.match((await converse(agora, lines(target))).toString(), /^HTTP\/1\.1 404 /, target)
    // As a name of an engine it goes through, and is none.
    const encoded = '/audit-trail/api/v1/engine/%2e%2e%2f%2e%2e%2fportal/type/auditlog'
    assert.match((await converse(agora, lines(encoded))).toString(), /^HTTP\/1\.1 500 [^]*UNKNOWN_ENGINE/)
    assert.match((await converse(agora, lines(`${acme.baseUrl}${path}`))).toString(), /^HTTP\/1\.1 200 /)
  })

  await context.test(
    'at SIGHUP its instances are read again, and a file that is wrong changes nothing',
    async () => {
      const newt = await instance('newt')
      const fresh = await tokenOf(newt, await addClient(context, newt.data, 'siem'))
      assert.equal((await read(agora, fresh)).status, 401)
      await agora.reload(list + listed(newt, byPin))
      assert.equal((await read(agora, fresh)).status, 200)
      await agora.reload('- {name: nobody}\n')
      assert.match(agora.errors(), /everything stays as it was/)
      for (const good of [fresh, token]) assert.equal((await read(agora, good)).status, 200)
      await agora.reload(list)
      assert.equal(refusal(await read(agora, fresh)), '401 UNAUTHENTICATED')
      assert.deepEqual(
        entries(agora.data, '29062').map(({ n, added, removed }) => [n, added, removed]),
        [
          ['2', 'acme zeta', undefined],
          ['3', 'newt', undefined],
          ['2', undefined, 'newt'],
        ],
      )
    },
  )

  await context.test(
    'R6, E11: an instance that is killed breaks what it had begun, and is told to be away and back',
    async () => {
      const socket = await dial({ ...agora, ca })
      let bytes = 0
      socket.on('data', ({ length }: Buffer) => {
        bytes += length
        socket.pause()
      })
      socket.on('error', () => undefined)
      socket.write(`GET ${past} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
      await until(() => bytes > 0)
      await acme.kill()
      const closed = once(socket, 'close')
      socket.on('data', () => socket.resume())
      socket.resume()
      await closed
      assert.ok(bytes < straight.body.length)
      await until(() => entries(agora.data, '29003').length > 0)
      const [broken] = entries(agora.data, '29003')
      assert.deepEqual([broken?.['reason'], broken?.['target']], ['instance', 'instance/acme/portal'])

      for (let k = 0; k < 3; k++) {
        const away = await read(agora, token)
        assert.equal(refusal(away), '500 UNREACHABLE_INSTANCE')
        assert.ok(!away.body.toString().includes('127.0.0.1'))
      }
      assert.deepEqual(
        entries(agora.data, '29063').map(({ instance, reason }) => [instance, reason]),
        [['acme', 'refused']],
      )
      acme = await instance('acme', Number(new URL(acme.baseUrl).port))
      const again = await read(agora, token)
      assert.ok(again.status === 200 && again.body.equals(straight.body))
      assert.equal(entries(agora.data, '29064').length, 1)
    },
  )

  await context.test('it says how it is, counts what it does, and ends in order', async () => {
    const metrics = (await ask(agora, '/metrics')).body.toString()
    assert.match(metrics, /^annals_.*reason="instance".* 1$/m)
    assert.equal((await agora.stop()).exitCode, 0)
    assert.deepEqual(
      ['29065', '29066'].map((code) => entries(agora.data, code).length),
      [1, 1],
    )
    assert.equal((await runAnnals(context, ['check', '--data', agora.data])).exitCode, 0)
  })
})

test('a gateway that does not know its instances, or knows them wrongly, does not start', async (context) => {
  const directory = temporaryDirectory(context)
  const file = join(directory, 'instances.yaml')
  const args = ['agora', '--data', join(directory, 'data'), '--listen', '127.0.0.1:0']
  const unknown = await runAnnals(context, args)
  assert.equal(unknown.exitCode, 2)
  assert.match(unknown.errors, /--instances-file/)
  writeFileSync(file, '- {name: acme, region: eu, url: "http://192.0.2.1"}\n')
  const wrong = await runAnnals(context, [...args, '--instances-file', file])
  assert.equal(wrong.exitCode, 2)
  assert.match(wrong.errors, /instances\.yaml:1: "issuer" is missing/)
  assert.match(wrong.errors, /instances\.yaml:1: "url" is expected to be an https URL/)
})
