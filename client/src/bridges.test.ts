// The transports of log libraries, each with the real library.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { createLogger, format, transports as winstonTransports } from 'winston'
import { type AuditTrail, type AuditTrailError, openAuditTrail } from './audit-trail.ts'
import auditTransport, { auditStream } from './pino.ts'
import { type FakeServer, type Posted, startFakeServer } from './testing/fake-server.ts'
import { AuditTransport } from './winston.ts'

const signedIn = { code: 20101, actor: 'jdoe', session: 's-1' }

function options(server: FakeServer) {
  return { url: server.url, log: 'portal-01', credentials: { user: 'app', password: 'Secret-word-1' } }
}

function open(context: TestContext, server: FakeServer): AuditTrail {
  const audit = openAuditTrail(options(server))
  context.after(() => audit.close())
  return audit
}

function withoutId(event: Posted): object {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'id'))
}

test('pino: in its worker thread, what is an audit event is recorded, and nothing else', async (context) => {
  const server = await startFakeServer(context)
  const target = pathToFileURL(`${import.meta.dirname}/pino.ts`).href
  const transport = pino.transport({ target, options: options(server) })
  const logger = pino(transport)
  const before = Date.now()
  logger.info('nothing to record')
  logger.info({ audit: signedIn }, 'signed in')
  logger.error({ audit: { code: 9_001, actor: 'jdoe', target: 'ü"\n' } }, 'cannot be read')
  // Its end stands still until the worker is done, and the server is in this thread.
  while (server.recorded.length < 2) await sleep(10)
  transport.end()
  await once(transport, 'close')
  const [first, second, ...others] = server.recorded
  assert.deepEqual(others, [])
  assert.ok(Date.parse(String(first?.['occurred'])) >= before)
  assert.deepEqual(
    [first, second].map((event) => ({ ...event, id: '', occurred: '' })),
    [
      { id: '', occurred: '', ...signedIn },
      {
        id: '',
        occurred: '',
        severity: 3,
        message: 'cannot be read',
        code: 9_001,
        actor: 'jdoe',
        target: 'ü"\n',
      },
    ],
  )
})

test('pino: in the same thread, into an audit trail that is open, with a mapping of its own', async (context) => {
  const server = await startFakeServer(context)
  const audit = open(context, server)
  const stream = auditStream(audit, { key: 'event', severities: { 30: 6 } })
  const logger = pino(stream)
  for (let k = 0; k < 1_000; k++) logger.info({ event: { ...signedIn, target: `t-${k}` } }, 'signed in')
  logger.info({ audit: signedIn }, 'under another key')
  stream.end()
  await once(stream, 'close')
  assert.deepEqual(
    server.recorded.map(({ target, severity }) => [target, severity]),
    Array.from({ length: 1_000 }, (_, k) => [`t-${k}`, 6]),
  )
})

test('pino: what is no line of JSON is passed over, and a character in two chunks stays whole', async (context) => {
  const server = await startFakeServer(context)
  const stream = auditTransport(options(server))
  const line = Buffer.from(`${JSON.stringify({ level: 30, audit: { ...signedIn, target: 'é' } })}\n`)
  const cut = line.indexOf(0xc3) + 1
  stream.write('no JSON\n{"half\n\n')
  stream.write(line.subarray(0, cut))
  stream.write(line.subarray(cut))
  stream.end()
  await once(stream, 'close')
  assert.deepEqual(
    server.recorded.map(({ target }) => target),
    ['é'],
  )
})

test('winston: what is an audit event is recorded, at its level, and nothing else', async (context) => {
  const server = await startFakeServer(context)
  const transport = new AuditTransport({ ...options(server), level: 'warn' })
  const logger = createLogger({
    level: 'debug',
    format: format.combine(format.timestamp(), format.json()),
    transports: [transport, new winstonTransports.Console({ silent: true })],
  })
  logger.warn('nothing to record')
  logger.warn('signed in', { audit: signedIn })
  logger.error('cannot be read', { audit: { code: 9_001, actor: 'jdoe' } })
  logger.info('below the level', { audit: signedIn })
  const closed = once(transport, 'close')
  logger.end()
  await closed
  assert.deepEqual(
    server.recorded.map((event) => ({ ...withoutId(event), occurred: '' })),
    [
      { occurred: '', severity: 4, ...signedIn },
      { occurred: '', severity: 3, message: 'cannot be read', code: 9_001, actor: 'jdoe' },
    ],
  )
})

test("winston: without a level of its own the logger's counts, and a silent one records nothing", async (context) => {
  const server = await startFakeServer(context)
  const audit = open(context, server)
  const loud = new AuditTransport({ audit })
  const silent = new AuditTransport({ audit: open(context, server), silent: true })
  const logger = createLogger({ level: 'warn', transports: [loud, silent] })
  logger.info('too low', { audit: { ...signedIn, target: 'low' } })
  logger.warn('signed in', { audit: signedIn })
  const closed = Promise.all([once(loud, 'close'), once(silent, 'close')])
  logger.end()
  await closed
  assert.deepEqual(
    server.recorded.map(({ target }) => target),
    [undefined],
  )
})

test('winston: a log goes on while the audit trail is away', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 503 }
  const audit = openAuditTrail({ ...options(server), maxWaiting: 10, onError: () => undefined })
  const transport = new AuditTransport({ audit })
  const logger = createLogger({ transports: [transport] })
  for (let k = 0; k < 1_000; k++) logger.info('signed in', { audit: signedIn })
  while (audit.stats().dropped < 990) await new Promise(setImmediate)
  assert.equal(audit.stats().waiting, 10)
  await audit.close(0)
})

test('a log throws nothing at the application, also where the audit trail is asked to', async (context) => {
  const server = await startFakeServer(context)
  const errors: string[] = []
  const audit = openAuditTrail({
    ...options(server),
    throwErrors: true,
    onError: ({ code }: AuditTrailError) => errors.push(code),
  })
  const large = { code: 9_001, actor: 'jdoe', target: 'x'.repeat(1024 * 1024) }
  const lazy = {
    code: 9_001,
    get actor(): string {
      throw new Error('of the application')
    },
  }
  const stream = auditStream(audit)
  pino(stream).info({ audit: large }, 'in pino')
  const transport = new AuditTransport({ audit })
  const logger = createLogger({ format: format.printf(() => ''), transports: [transport] })
  logger.info('in winston', { audit: large })
  logger.info('of a getter', { audit: lazy })
  while (errors.length < 3) await new Promise(setImmediate)
  assert.deepEqual(errors, ['INVALID_EVENT', 'INVALID_EVENT', 'INVALID_EVENT'])
  stream.end()
  await once(stream, 'close')
})

test('pino: an event happened when its line says, in milliseconds, seconds, or as text', async (context) => {
  const server = await startFakeServer(context)
  const stream = auditTransport(options(server))
  const when = Date.parse('2026-01-31T12:00:00Z')
  for (const time of [when, when / 1000, '2026-01-31T12:00:00.000000000Z'])
    stream.write(`${JSON.stringify({ level: 30, time, audit: signedIn })}\n`)
  stream.end()
  await once(stream, 'close')
  assert.deepEqual(
    server.recorded.map(({ occurred }) => occurred),
    Array.from({ length: 3 }, () => '2026-01-31T12:00:00.000Z'),
  )
})
