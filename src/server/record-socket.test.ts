import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { resolveConfiguration } from '../config/configuration.ts'
import { isAnnalsError } from '../errors.ts'
import { LogDouble } from '../http/testing/log-double.ts'
import { mayRecord } from '../identity/rights.ts'
import { Intake } from '../intake/intake.ts'
import { socketPathBytes } from '../limits.ts'
import { systemClock } from '../ops/clock.ts'
import { createHealth } from '../ops/health.ts'
import { createLogger } from '../ops/logger.ts'
import { createMetrics } from '../ops/metrics.ts'
import { localPrincipal, openRecordSocket } from './record-socket.ts'

test('L2: whoever can open the record socket may record everything but the node’s own codes, and read nothing', () => {
  const { name, rights } = localPrincipal()
  assert.equal(name, '*local')
  assert.deepEqual(rights.reads, [])
  assert.ok(mayRecord(rights, 'Portal', 20_101, false))
  assert.ok(!mayRecord(rights, 'Portal', 29_001, true))
})

test('the record socket is its owner’s and its group’s, answers, and goes in the end', async (context) => {
  const node = nodeIn(directoryOf(context))
  const mask = process.umask(0)
  try {
    await using parts = new AsyncDisposableStack()
    await node.open(parts)
    assert.equal(statSync(node.path).mode & 0o777, 0o660)
    assert.equal(await statusOf(node.path), 200)
    // Somebody who connected and says nothing does not hold up the node that stops.
    const silent = [connect(node.path), connect(node.path)]
    for (const socket of silent) socket.on('error', () => socket.destroy())
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
  } finally {
    assert.equal(process.umask(mask), 0)
  }
  assert.equal(existsSync(node.path), false)
})

test('a socket that nobody listens at any more is replaced', async (context) => {
  const node = nodeIn(directoryOf(context))
  const server = createServer().listen(`${node.path}.new`)
  await once(server, 'listening')
  // As a crash leaves it: Node removes what it has made itself.
  renameSync(`${node.path}.new`, node.path)
  server.close()
  await once(server, 'close')
  assert.ok(statSync(node.path).isSocket())
  await using parts = new AsyncDisposableStack()
  await node.open(parts)
  assert.equal(await statusOf(node.path), 200)
})

test('one at which another program listens, and what is no socket, are left as they are', async (context) => {
  const directory = directoryOf(context)
  const node = nodeIn(directory)
  const server = createServer((socket) => socket.destroy()).listen(node.path)
  await once(server, 'listening')
  await assert.rejects(node.open(), refusal(/another program listens there already/))
  assert.ok(existsSync(node.path))
  server.close()
  await once(server, 'close')
  writeFileSync(node.path, 'mine')
  await assert.rejects(node.open(), refusal(/no socket has this name/))
  assert.equal(readFileSync(node.path, 'utf8'), 'mine')
  rmSync(node.path)
  symlinkSync(join(directory, 'elsewhere'), node.path)
  await assert.rejects(node.open(), refusal(/no socket has this name/))
})

test('a path that is too long: refused where somebody named it, and said where nobody did', async (context) => {
  const directory = join(directoryOf(context), 'd'.repeat(socketPathBytes))
  mkdirSync(directory)
  const named = nodeIn(directory, { recordSocket: join(directory, 'record.sock') })
  await assert.rejects(named.open(), refusal(/longer than 107 bytes/))
  const derived = nodeIn(directory)
  await derived.open()
  assert.match(derived.output(), /there is no record socket/)
  assert.equal(existsSync(derived.path), false)
})

test('a directory that does not exist is named', async (context) => {
  const directory = directoryOf(context)
  const node = nodeIn(directory, { recordSocket: join(directory, 'missing', 'record.sock') })
  await assert.rejects(node.open(), refusal(/its directory does not exist \(--record-socket\)/))
})

function directoryOf(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function nodeIn(data: string, flags: Readonly<Record<string, string>> = {}) {
  const configuration = resolveConfiguration({
    flags: { data, ...flags },
    file: undefined,
    environment: {},
    directory: data,
    machineName: 'portal-01',
  })
  let output = ''
  const logger = createLogger('info', { write: (line) => void (output += line) })
  const [log, metrics] = [new LogDouble(), createMetrics('1')]
  const health = createHealth(() => 'accepting')
  health.enter('running')
  const place = { hostName: 'portal-01', component: 'Portal' }
  const [record, warnOf] = [async () => undefined, () => undefined]
  const losses = { add: () => undefined } as unknown as ConstructorParameters<typeof Intake>[0]['losses']
  const intake = new Intake({ log, ...place, metrics: metrics.intake, losses })
  const node = { log, metrics, health, failed: new Promise<unknown>(() => undefined), record, warnOf }
  const options = { configuration, tls: undefined, logger, clock: systemClock() }
  return {
    path: configuration.recordSocket,
    output: () => output,
    open: (parts = new AsyncDisposableStack()) => openRecordSocket(parts, node, options, intake),
  }
}

function refusal(pattern: RegExp): (error: unknown) => boolean {
  return (error) => isAnnalsError(error, 'INVALID_CONFIGURATION') && pattern.test(error.message)
}

async function statusOf(socketPath: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const outgoing = request({ socketPath, path: '/healthz', agent: false }, (incoming) => {
    incoming.resume()
    incoming.on('end', () => resolve(incoming.statusCode))
  })
  outgoing.on('error', reject)
  outgoing.end()
  return await promise
}
