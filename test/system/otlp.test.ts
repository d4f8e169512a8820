// OTLP as others wrote it: OpenTelemetry's own SDK and exporters, in both encodings, against real portals; through a restart,
// and through answers that get lost.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { type AuditLine, readLine } from '../conformance/audit-line.ts'
import { basic } from '../conformance/wire.ts'
import { addClient, tokenOf } from './oauth-client.ts'
import { blocksOf, runShell } from './page.ts'
import {
  administrator,
  type PortalProcess,
  startPortal,
  storedLines,
  temporaryDirectory,
} from './portal-process.ts'

// A portal on a busy machine may take its time to come back; nothing here waits for time to pass.
const patienceMs = 120_000

const exporters = { json: JsonExporter, protobuf: ProtobufExporter } as const
type ExporterName = keyof typeof exporters

/** What an application exports through. */
interface Application extends AsyncDisposable {
  readonly logger: ReturnType<LoggerProvider['getLogger']>
  /** Exports what waits, and returns how the exports since the last time have ended, each as true or its error. */
  flush(): Promise<(true | Error)[]>
}

/** How an application is set up. */
interface Setup {
  readonly url: string
  readonly exporter: ExporterName
  readonly authorization?: string
  readonly compression?: CompressionAlgorithm
}

function startApplication({ url, exporter, authorization, compression }: Setup): Application {
  const ended: (true | Error)[] = []
  const real = new exporters[exporter]({
    url,
    headers: { authorization: authorization ?? basic(administrator) },
    timeoutMillis: patienceMs,
    ...(compression === undefined ? {} : { compression }),
  })
  const watched: LogRecordExporter = {
    export: (records, done) =>
      real.export(records, (result) => {
        ended.push(result.error ?? true)
        done(result)
      }),
    shutdown: () => real.shutdown(),
    forceFlush: () => real.forceFlush(),
  }
  const attributes = {
    'service.name': 'shop',
    'host.name': 'shop-01.example.com',
    'process.pid': 4711,
    'shop.zone': 'a',
  }
  const provider = new LoggerProvider({
    resource: resourceFromAttributes(attributes),
    processors: [
      new BatchLogRecordProcessor({
        exporter: watched,
        scheduledDelayMillis: patienceMs,
        exportTimeoutMillis: patienceMs,
      }),
    ],
  })
  return {
    logger: provider.getLogger('audit', '1.0'),
    async flush() {
      await provider.forceFlush()
      return ended.splice(0)
    },
    [Symbol.asyncDispose]: () => provider.shutdown(),
  }
}

/** The entries that came over OTLP. */
function exportedTo(data: string): AuditLine[] {
  return storedLines(data)
    .filter((line) => line.includes(' via="otlp" '))
    .map((line) => readLine(Buffer.from(line)))
}

test('OTLP: the SDK of OpenTelemetry', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  for (const exporter of ['json', 'protobuf'] as const)
    for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP])
      await context.test(`${exporter}, ${compression}`, () => exportAll(portal, data, exporter, compression))
  await context.test('with the access token of a client', (context) => exportAsClient(context, portal, data))
  await context.test('E5: with wrong credentials', () => exportAsNobody(portal, data))
})

test('the example of the page for OpenTelemetry runs, and what it sends is recorded', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const bounds = ['--record-components', 'Portal', '--record-codes', '20101']
  const client = await addClient(context, data, 'shop', ['--scope', 'service:audit-trail:record', ...bounds])
  const [block] = blocksOf('docs/integrate/otlp.md').filter(({ language }) => language === 'ts')
  // Beside the tests, where the libraries that it imports are found.
  const file = join(import.meta.dirname, `otlp-page-${process.pid}.ts`)
  context.after(() => rmSync(file, { force: true }))
  const example = block?.text.replaceAll('https://audit.example.com', portal.baseUrl) ?? ''
  writeFileSync(file, `const accessToken = async () => process.env['TOKEN']\n${example}`)
  const directory = temporaryDirectory(context)
  const environment = { TOKEN: await tokenOf(portal, client) }
  const { exitCode, errors } = await runShell(
    context,
    directory,
    `'${process.execPath}' '${file}'`,
    environment,
  )
  assert.equal(exitCode, 0, errors)
  const [entry, ...others] = exportedTo(data)
  assert.equal(others.length, 0)
  assert.equal(entry?.code, '20101')
})

async function exportAll(
  portal: PortalProcess,
  data: string,
  exporter: ExporterName,
  compression: CompressionAlgorithm,
): Promise<void> {
  const before = exportedTo(data).length
  await using application = startApplication({ url: `${portal.baseUrl}/v1/logs`, exporter, compression })
  const time = new Date('2026-01-31T12:00:00.123Z')
  application.logger.emit({
    timestamp: time,
    severityNumber: SeverityNumber.WARN,
    attributes: {
      'audit.code': 20101,
      'audit.session': 's-1',
      'audit.outcome': 'success',
      'user.id': 'jdoe',
      cart: [1, 'b'],
    },
  })
  application.logger.emit({
    timestamp: time,
    body: 'grüße\n\u{1f642}',
    severityNumber: SeverityNumber.INFO,
    severityText: 'INFO',
  })
  application.logger.emit({ timestamp: time, eventName: 'shop.closed', body: { reason: 'late', till: 3 } })
  application.logger.emit({ timestamp: time, body: 'x'.repeat(100_000) })
  assert.deepEqual(await application.flush(), [true])
  const [login, greeting, closed, ...parts] = exportedTo(data).slice(before)
  assert.equal(login?.message.toString(), '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1')
  assert.match(login?.bytes.toString(), /^<108>1 \S+ shop-01\.example\.com shop 4711 20101 /)
  assert.equal(login?.audit['by'], administrator.name)
  assert.equal(login?.audit['occurred'], '2026-01-31T12:00:00.123000Z')
  assert.equal(login?.event['session'], 's-1')
  assert.deepEqual(login?.detail, {
    'cart.0': '1',
    'cart.1': 'b',
    'otel.scope.name': 'audit',
    'otel.scope.version': '1.0',
    'shop.zone': 'a',
  })
  assert.equal(greeting?.message.toString(), 'grüße#012\u{1f642}')
  assert.equal(greeting?.detail['severity_text'], 'INFO')
  assert.deepEqual(JSON.parse(closed?.message.toString() ?? ''), { reason: 'late', till: 3 })
  assert.equal(closed?.detail['event.name'], 'shop.closed')
  assert.deepEqual(
    parts.map(({ audit }) => audit['part']),
    ['1/2', '2/2'],
  )
}

async function exportAsClient(context: TestContext, portal: PortalProcess, data: string): Promise<void> {
  const bounds = ['--record-components', 'Shop', '--record-codes', '40000-40999']
  const client = await addClient(context, data, 'shop', ['--scope', 'service:audit-trail:record', ...bounds])
  const authorization = `Bearer ${await tokenOf(portal, client)}`
  const before = exportedTo(data).length
  await using application = startApplication({
    url: `${portal.baseUrl}/v1/logs`,
    exporter: 'protobuf',
    authorization,
  })
  for (const [code, component] of [
    [40_001, 'Shop'],
    [20_101, 'Portal'],
    [29_001, 'Shop'],
  ] as const) {
    const attributes = {
      'audit.code': code,
      'audit.component': component,
      'audit.actor': 'jdoe',
      'audit.session': 's',
    }
    application.logger.emit({ body: `event ${code}`, attributes })
  }
  assert.deepEqual(await application.flush(), [true])
  const entries = exportedTo(data).slice(before)
  assert.deepEqual(
    entries.map(({ message }) => message.toString()),
    ['[Shop|40001|jdoe] event 40001'],
  )
  assert.equal(entries[0]?.audit['by'], `client:${client.clientId}`)
  const refusal = storedLines(data)
    .map((line) => readLine(Buffer.from(line)))
    .findLast(({ code }) => code === '29072')
  assert.equal(refusal?.event['events'], '2')
}

async function exportAsNobody(portal: PortalProcess, data: string): Promise<void> {
  const before = exportedTo(data).length
  const authorization = basic({ ...administrator, password: 'Wrong-horse-7' })
  await using application = startApplication({
    url: `${portal.baseUrl}/v1/logs`,
    exporter: 'json',
    authorization,
  })
  application.logger.emit({ body: 'nothing' })
  const [error] = await application.flush()
  assert.ok(error instanceof Error)
  assert.equal('code' in error && error.code, 401)
  assert.equal(exportedTo(data).length, before)
}

/** Between exporters and a portal that may be another one at another time. */
class Between {
  url = ''
  /** So many answers are still cut off, once their first bytes are there. */
  lost = 0
  #target: Promise<number>
  #arrive: (port: number) => void

  constructor() {
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#target = promise
    this.#arrive = resolve
  }

  /** Connections that come while there is no portal wait for one. */
  point(portal?: PortalProcess): void {
    if (portal !== undefined) return this.#arrive(Number(new URL(portal.baseUrl).port))
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#target = promise
    this.#arrive = resolve
  }

  async pass(client: Socket): Promise<void> {
    client.on('error', () => client.destroy())
    const portal = connect(await this.#target, '127.0.0.1')
    portal.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.on('close', () => portal.destroy()).on('data', (chunk) => portal.write(chunk))
    client.resume()
    portal.on('data', (chunk) => {
      if (this.lost === 0) return void client.write(chunk)
      this.lost -= 1
      client.resetAndDestroy()
    })
  }
}

async function startBetween(context: TestContext): Promise<Between> {
  const [between, sockets] = [new Between(), new Set<Socket>()]
  const server = createServer({ pauseOnConnect: true }, (client) => {
    sockets.add(client)
    void between.pass(client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  between.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return between
}

test('I4: what an exporter sends again is recorded once, through lost answers and restarts', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  let portal = await startPortal(context, { data })
  const between = await startBetween(context)
  await using json = startApplication({ url: between.url, exporter: 'json' })
  await using protobuf = startApplication({
    url: between.url,
    exporter: 'protobuf',
    compression: CompressionAlgorithm.GZIP,
  })
  const applications = [json, protobuf]
  const emit = (round: string) => {
    for (const { logger } of applications)
      for (let k = 0; k < 100; k += 1) logger.emit({ body: `${round} ${k}` })
  }
  const flush = async () => (await Promise.all(applications.map((each) => each.flush()))).flat()
  const count = () => exportedTo(data).length

  between.point(portal)
  between.lost = 2
  emit('lost answer')
  assert.deepEqual(await flush(), [true, true])
  assert.equal(count(), 200)

  // The portal goes away behind a lost answer, and another one opens the same log.
  between.lost = 2
  emit('restart')
  const flushed = flush()
  while (between.lost > 0) await sleep(5)
  between.point()
  await portal.kill()
  portal = await startPortal(context, { data })
  between.point(portal)
  assert.deepEqual(await flushed, [true, true])
  assert.equal(count(), 400)
  assert.equal(new Set(exportedTo(data).map(({ audit }) => audit['id'])).size, 400)
})
