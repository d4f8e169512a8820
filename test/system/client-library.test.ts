// The client library against real nodes: at a portal with a bad network between, and with either side killed: what was acknowledged
// is in the log where the receipt says, and every event is there once.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { createLogger } from 'winston'
import { type AuditTrailOptions, openAuditTrail, type Receipt } from '../../client/src/audit-trail.ts'
import { AuditTransport } from '../../client/src/winston.ts'
import { type AuditLine, readLines } from '../conformance/audit-line.ts'
import { entriesOf, joinEngine } from './engine-process.ts'
import { type Fault, type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { addClient, type OAuthClient, tokenPath, untilTold } from './oauth-client.ts'
import {
  hostName,
  type PortalProcess,
  startPortal,
  storedLines,
  temporaryDirectory,
  until,
} from './portal-process.ts'
import { socketOf } from './socket-client.ts'

const bounds = ['--record-components', 'Shop,Portal', '--record-codes', 'any']
const recorder = ['--scope', 'service:audit-trail:record', ...bounds]
const order = { code: 4711, component: 'Shop', actor: 'jdoe' } as const

/** A portal that is killed and starts again, and a bad network before it, whose address stays. */
interface Stage {
  readonly data: string
  readonly client: OAuthClient
  readonly proxy: FaultProxy
  readonly url: string
  /** The portal itself, without the network before it. */
  readonly portalUrl: string
  restart(): Promise<void>
}

async function setStage(context: TestContext): Promise<Stage> {
  const data = join(temporaryDirectory(context), 'data')
  const target = { host: '127.0.0.1', port: 0 }
  const proxy = await startFaultProxy(context, target)
  const url = `http://127.0.0.1:${proxy.port}`
  // At another port each time: one that is let go may be somebody else's by then.
  const start = async (): Promise<PortalProcess> => {
    const started = await startPortal(context, { data, args: ['--public-url', url] })
    target.port = Number(new URL(started.baseUrl).port)
    return started
  }
  let portal = await start()
  const client = await addClient(context, data, 'shop', recorder)
  const restart = async (): Promise<void> => {
    await portal.kill()
    portal = await start()
  }
  return { data, client, proxy, url, portalUrl: portal.baseUrl, restart }
}

function options({ url, client }: Stage): AuditTrailOptions {
  return {
    url,
    log: hostName,
    credentials: client,
    requestTimeoutMs: 1_000,
    giveUpAfterMs: 60_000,
    retry: { firstMs: 5, mostMs: 100 },
    throwErrors: true,
  }
}

/** What stands in the log of what was recorded about a target. */
function posted(data: string, target: string): AuditLine[] {
  const text = storedLines(data).map((line) => `${line}\n`)
  return readLines(Buffer.from(text.join(''))).filter(
    ({ audit, event }) => audit['via'] === 'http' && event['target'] === target,
  )
}

function idsOf(lines: readonly AuditLine[]): string[] {
  return lines.map(({ audit }) => audit['id'] ?? '')
}

const faults: readonly Fault[] = [
  { kind: 'reset' },
  { kind: 'cut', afterBytes: 0 },
  { kind: 'cut', afterBytes: 300 },
  { kind: 'stall', afterBytes: 700 },
]

test('the client library against a portal that is killed, behind a bad network', async (context) => {
  const stage = await setStage(context)
  await context.test('an event of the catalogue is recorded as its template says', (context) =>
    recordOne(context, stage),
  )
  await context.test('what pino and winston write about audit events is recorded', () => recordLogs(stage))
  await context.test(
    'I4: through a bad network and with the portal killed, what is acknowledged is there, and all is there once',
    (context) => recordThroughFaults(context, stage),
  )
  await context.test(
    'I4: what a killed application had put on disk is recorded, once, by those that come after it',
    (context) => recordFromSpool(context, stage),
  )
})

const publicUrl = 'https://audit.example.com'

test('the client library at an engine: with a token of its portal, and at its record socket', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const portal = { ...(await startPortal(context, { data, args: ['--public-url', publicUrl] })), data }
  const client = await addClient(context, data, 'shop', recorder)
  const engine = await joinEngine(context, portal, { data: join(directory, 'alpha'), hostName: 'alpha' })
  await untilTold(engine, client)
  const log = entriesOf(engine)[0]?.audit['log'] ?? ''
  const tokenUrl = `${portal.baseUrl}${tokenPath}`
  const resource = `${publicUrl}/audit-trail/api/v2/logs/${log}`
  const ways: readonly (readonly [string, AuditTrailOptions])[] = [
    [
      `client:${client.clientId}`,
      { url: engine.baseUrl, log, credentials: { ...client, tokenUrl, resource } },
    ],
    ['*local', { socketPath: socketOf(engine), log: 'alpha' }],
  ]
  for (const [by, how] of ways) {
    const audit = openAuditTrail({
      ...how,
      spool: { directory: join(directory, 'spool') },
      throwErrors: true,
    })
    context.after(() => audit.close(0))
    const receipt = await audit.record({ ...order, message: 'recorded', target: 'engine' })
    const id = await audit.enqueue({ ...order, message: 'spooled', target: 'engine' })
    assert.ok(await audit.flush(60_000))
    await audit.close()
    assert.equal(receipt?.log, log)
    const lines = posted(engine.data, 'engine').filter(({ audit }) => audit['by'] === by)
    assert.deepEqual(idsOf(lines), [receipt.id, id])
  }
  // The portal's own tokens are none for an engine.
  const credentials = { ...client, tokenUrl }
  const audit = openAuditTrail({ url: engine.baseUrl, log, credentials, throwErrors: true })
  context.after(() => audit.close(0))
  await assert.rejects(audit.record({ ...order, message: 'refused' }), { status: 401 })
})

async function recordOne(context: TestContext, stage: Stage): Promise<void> {
  const audit = openAuditTrail(options(stage))
  context.after(() => audit.close())
  const receipt = await audit.record({
    code: 20101,
    actor: 'jdoe',
    session: 's-1',
    target: 'one',
    details: { browser: { name: 'ü' } },
  })
  const again = { ...order, id: receipt?.id ?? '', message: 'another event under the id of the first' }
  await assert.rejects(audit.record(again), { code: 'ID_CONFLICT' })
  await assert.rejects(audit.record({ ...order, message: 'x', sourceAddress: 'nowhere' }), {
    code: 'INVALID_EVENT',
    field: 'sourceAddress',
  })
  await assert.rejects(audit.record({ ...order, component: 'Other', message: 'x' }), { code: 'FORBIDDEN' })
  const [line, ...others] = posted(stage.data, 'one')
  assert.deepEqual(others, [])
  assert.equal(line?.message.toString(), '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1')
  assert.deepEqual([line.position, line.audit['id']], [receipt?.position, receipt?.id])
  assert.equal(line.audit['by'], `client:${stage.client.clientId}`)
  assert.ok(line.detail['browser.name'] !== undefined)
}

async function recordLogs(stage: Stage): Promise<void> {
  // Pino's end stands still until its worker is done, and the proxy is in this thread.
  const to = { url: stage.portalUrl, log: hostName, credentials: stage.client, component: 'Shop' }
  const target = pathToFileURL(join(import.meta.dirname, '../../client/src/pino.ts')).href
  const worker = pino.transport({ target, options: to })
  pino(worker).warn({ audit: { code: 4711, actor: 'jdoe', target: 'pino' } }, 'written by pino')
  worker.end()
  await once(worker, 'close')
  const transport = new AuditTransport(to)
  const logger = createLogger({ transports: [transport] })
  logger.error('written by winston', { audit: { code: 4711, actor: 'jdoe', target: 'winston' } })
  const closed = once(transport, 'close')
  logger.end()
  await closed
  for (const [library, priority] of [
    ['pino', '<108>'],
    ['winston', '<107>'],
  ] as const) {
    const lines = posted(stage.data, library)
    assert.deepEqual(
      lines.map(({ message, bytes }) => [message.toString(), bytes.toString('latin1', 0, 5)]),
      [[`[Shop|4711|jdoe] written by ${library}`, priority]],
    )
  }
}

async function recordThroughFaults(context: TestContext, stage: Stage): Promise<void> {
  const audit = openAuditTrail({ ...options(stage), batch: { events: 50, inFlight: 2 } })
  context.after(() => audit.close(0))
  const receipts: Receipt[] = []
  const over = new AbortController()
  context.after(() => over.abort())
  let sent = 0
  const run = async (): Promise<void> => {
    while (!over.signal.aborted)
      receipts.push(await audit.recordOrThrow({ ...order, target: 'faults', message: `order ${++sent}` }))
  }
  const running = Promise.all(Array.from({ length: 64 }, run))
  for (const fault of [...faults, ...faults]) {
    await sleep(150)
    stage.proxy.fault = fault
    stage.proxy.cutAll()
    await sleep(150)
    stage.proxy.fault = { kind: 'pass' }
    stage.proxy.cutAll()
    if (fault.kind === 'stall') await stage.restart()
  }
  await sleep(300)
  over.abort()
  await running
  const lines = posted(stage.data, 'faults')
  const ids = idsOf(lines)
  assert.equal(new Set(ids).size, ids.length, 'no event is there twice')
  assert.deepEqual(ids.toSorted(), receipts.map(({ id }) => id).toSorted())
  const positions = new Map(lines.map(({ audit, position }) => [audit['id'], position]))
  for (const { id, position } of receipts) assert.equal(positions.get(id), position)
  const { recorded, refused, dropped, retries } = audit.stats()
  assert.deepEqual([recorded, refused, dropped], [sent, 0, 0])
  assert.ok(retries > 0)
  const known = receipts.filter((receipt) => !receipt.new).length
  context.diagnostic(`${sent} events, ${retries} tries more, ${known} found to be there`)
}

async function recordFromSpool(context: TestContext, stage: Stage): Promise<void> {
  const directory = join(temporaryDirectory(context), 'spool')
  const durable: string[] = []
  for (const fault of [{ kind: 'reset' }, { kind: 'cut', afterBytes: 200 }, { kind: 'pass' }] as const) {
    stage.proxy.fault = fault
    durable.push(...(await runAndKill(context, stage, directory, 600)))
  }
  stage.proxy.fault = { kind: 'pass' }
  const audit = openAuditTrail({ ...options(stage), component: 'Shop', spool: { directory } })
  context.after(() => audit.close(0))
  assert.ok(await audit.flush())
  await audit.close()
  const ids = idsOf(posted(stage.data, 'spool'))
  assert.equal(new Set(ids).size, ids.length, 'no event is there twice')
  const there = new Set(ids)
  assert.deepEqual(
    durable.filter((id) => !there.has(id)),
    [],
  )
  assert.deepEqual(readdirSync(directory), [])
  context.diagnostic(`${durable.length} durable on disk, ${ids.length} recorded`)
}

// Lets an application put events into a spool until it is killed, and returns the ids that it called durable.
async function runAndKill(
  context: TestContext,
  { url, client }: Stage,
  directory: string,
  runMs: number,
): Promise<readonly string[]> {
  const program = join(import.meta.dirname, 'client-spool.ts')
  const args = ['--disable-warning=ExperimentalWarning', program, url, directory]
  const child = spawn(process.execPath, args, {
    env: { CLIENT_ID: client.clientId, CLIENT_SECRET: client.clientSecret },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const ids = () => output.split('\n').filter((id) => id.length === 36)
  // What has put hardly anything on disk would prove nothing.
  await until(() => ids().length > 100)
  await sleep(runMs)
  child.kill('SIGKILL')
  await once(child, 'close')
  return ids()
}
