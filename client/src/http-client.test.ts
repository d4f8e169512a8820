import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditTrailOptions, openAuditTrail } from './audit-trail.ts'
import { HttpClient, NeverConnected } from './http-client.ts'
import { startFakeServer } from './testing/fake-server.ts'

const session = { code: 20101, actor: 'jdoe', session: 's-1' } as const
const credentials = { user: 'app', password: 'Secret-word-1' }

function certificate(context: TestContext, name: string): { readonly cert: string; readonly key: string } {
  const directory = mkdtempSync(join(tmpdir(), 'annals-client-tls-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const [file, key] = [join(directory, 'node.crt'), join(directory, 'node.key')]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', file]
  execFileSync('openssl', [...made, ...subject], { stdio: 'pipe' })
  return { cert: readFileSync(file, 'utf8'), key: readFileSync(key, 'utf8') }
}

test('TLS: a server is trusted by its authority or by its pin, and no other one is told anything', async (context) => {
  const [tls, other] = [certificate(context, 'localhost'), certificate(context, 'localhost')]
  const elsewhere = certificate(context, 'elsewhere.example')
  const [server, misnamed] = [
    await startFakeServer(context, { tls }),
    await startFakeServer(context, { tls: elsewhere }),
  ]
  const pinOf = (cert: string) => new X509Certificate(cert).fingerprint256
  const attempt = async (url: string, options: Partial<AuditTrailOptions>): Promise<string> => {
    const audit = openAuditTrail({ url, log: 'x', credentials, giveUpAfterMs: 1, ...options })
    const outcome = await audit.recordOrThrow(session).then(
      () => 'recorded',
      (error: Error) => error.message,
    )
    await audit.close()
    return outcome
  }
  assert.equal(await attempt(server.url, { ca: tls.cert }), 'recorded')
  assert.equal(await attempt(server.url, { ca: [other.cert, tls.cert] }), 'recorded')
  assert.equal(await attempt(server.url, { pin: pinOf(tls.cert) }), 'recorded')
  assert.equal(await attempt(misnamed.url, { pin: pinOf(elsewhere.cert).toLowerCase() }), 'recorded')
  assert.match(await attempt(server.url, {}), /DEPTH_ZERO_SELF_SIGNED_CERT/)
  assert.match(await attempt(server.url, { ca: other.cert }), /SELF_SIGNED|UNABLE_TO_VERIFY|SIGNATURE/)
  assert.match(await attempt(misnamed.url, { ca: elsewhere.cert }), /ERR_TLS_CERT_ALTNAME_INVALID/)
  assert.match(await attempt(server.url, { pin: pinOf(other.cert) }), /another certificate/)
  assert.equal(server.requests.length, 3)
  assert.equal(misnamed.requests.length, 1)
})

test("TLS: authorities may be bytes, as they are in a worker's options", async (context) => {
  const tls = certificate(context, 'localhost')
  const server = await startFakeServer(context, { tls })
  const ca = structuredClone(Buffer.from(tls.cert))
  assert.ok(!Buffer.isBuffer(ca))
  const client = new HttpClient({ ca, connections: 1, timeoutMs: 5_000 })
  context.after(() => client[Symbol.dispose]())
  const asked = { url: new URL(server.url), headers: {}, body: '{}', mostBytes: 1_000 }
  assert.equal((await client.post(asked)).isWhole, true)
})

test('TLS: a request that waited for a connection goes out over it', async (context) => {
  const tls = certificate(context, 'localhost')
  const server = await startFakeServer(context, { tls })
  const client = new HttpClient({ ca: tls.cert, connections: 1, timeoutMs: 5_000 })
  context.after(() => client[Symbol.dispose]())
  const asked = { url: new URL(server.url), headers: {}, body: '{}', mostBytes: 1_000 }
  const answers = await Promise.all([1, 2, 3].map(() => client.post(asked)))
  assert.ok(answers.every(({ isWhole }) => isWhole))
})

// A server that takes connections and never says anything.
async function startSilentServer(context: TestContext) {
  const sockets = new Set<Socket>()
  const heard: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket))
      .on('data', (bytes: Buffer) => heard.push(bytes.toString()))
  })
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, sockets, heard }
}

for (const pin of [undefined, '0'.repeat(64)]) {
  const how = pin === undefined ? 'without a pin' : 'with a pin'
  test(
    `a server that never finishes TLS holds up no request, ${how}`,
    { timeout: 10_000 },
    async (context) => {
      const { port, sockets } = await startSilentServer(context)
      const asked = { url: new URL(`https://127.0.0.1:${port}`), headers: {}, body: 'x', mostBytes: 1_000 }
      const late = new HttpClient({ pin, connections: 1, timeoutMs: 100 })
      for (let k = 0; k < 3; k++) await assert.rejects(late.post(asked), NeverConnected)
      while (sockets.size > 0) await sleep(5)
      late[Symbol.dispose]()
      const client = new HttpClient({ pin, connections: 1, timeoutMs: 60_000 })
      const work = assert.rejects(client.post(asked), NeverConnected)
      while (sockets.size === 0) await sleep(5)
      client[Symbol.dispose]()
      await work
      while (sockets.size > 0) await sleep(5)
    },
  )
}

test('no byte goes out before that is allowed, and none where it is not', async (context) => {
  const { port, sockets, heard } = await startSilentServer(context)
  const client = new HttpClient({ connections: 1, timeoutMs: 60_000 })
  context.after(() => client[Symbol.dispose]())
  const gate = Promise.withResolvers<void>()
  const asked = { url: new URL(`http://127.0.0.1:${port}`), headers: {}, body: 'x', mostBytes: 1_000 }
  const refused = client.post({ ...asked, beforeSent: () => gate.promise })
  while (sockets.size === 0) await sleep(5)
  await sleep(50)
  gate.reject(new Error('not allowed'))
  await assert.rejects(refused, NeverConnected)
  while (sockets.size > 0) await sleep(5)
  assert.deepEqual(heard, [])
  const allowed = client.post({ ...asked, beforeSent: async () => undefined })
  allowed.catch(() => undefined)
  while (heard.length === 0) await sleep(5)
  assert.match(heard.join(''), /^POST /)
})

test('a process that waits for flush is kept alive while the server is away', async (context) => {
  const server = await startFakeServer(context)
  const program = `
    import { openAuditTrail } from '${import.meta.dirname}/audit-trail.ts'
    const [directory] = process.argv.slice(1)
    const credentials = ${JSON.stringify(credentials)}
    const audit = openAuditTrail({ url: '${server.url}', log: 'x', credentials, spool: { directory } })
    await audit.enqueue(${JSON.stringify(session)})
    process.stdout.write(String(await audit.flush()))
  `
  server.next.push(...Array.from({ length: 4 }, () => ({ kind: 'refuse', status: 503 }) as const))
  const directory = mkdtempSync(join(tmpdir(), 'annals-client-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, directory]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const [code] = (await once(child, 'close')) as [number]
  assert.deepEqual([code, output], [0, 'true'])
})

test('a process ends by itself once nothing waits, whether the audit trail is closed or not', async (context) => {
  const server = await startFakeServer(context)
  const program = `
    import { openAuditTrail } from '${import.meta.dirname}/audit-trail.ts'
    const spool = { directory: process.argv[1] }
    const audit = openAuditTrail({ url: '${server.url}', log: 'x', credentials: ${JSON.stringify(credentials)}, spool })
    const event = ${JSON.stringify(session)}
    await audit.record(event)
    await audit.enqueue(event)
    if (process.argv[2] === 'close') await audit.close()
    process.stdout.write('done')
  `
  const directory = mkdtempSync(join(tmpdir(), 'annals-client-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const how of ['close', 'leave']) {
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program]
    const child = spawn(process.execPath, [...args, join(directory, how), how], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    context.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([code, output], [0, 'done'])
  }
  assert.equal(server.recorded.length >= 3, true)
})
