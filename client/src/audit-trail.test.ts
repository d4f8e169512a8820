import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AuditTrail,
  AuditTrailError,
  type AuditTrailOptions,
  openAuditTrail,
  type Receipt,
} from './audit-trail.ts'
import { settingsOf } from './options.ts'
import { type FakeServer, type Mischief, type Posted, startFakeServer } from './testing/fake-server.ts'

const session = { code: 20101, actor: 'jdoe', session: 's-1' } as const

function open(
  context: TestContext,
  server: FakeServer,
  options: Partial<AuditTrailOptions> = {},
): { readonly audit: AuditTrail; readonly errors: AuditTrailError[] } {
  const errors: AuditTrailError[] = []
  const audit = openAuditTrail({
    url: server.url,
    log: 'portal-01',
    credentials: { user: 'app', password: 'Secret-word-1' },
    retry: { firstMs: 1, mostMs: 20 },
    onError: (error) => errors.push(error),
    ...options,
  })
  context.after(() => audit.close(0))
  return { audit, errors }
}

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'annals-client-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

// Lets no file become durable until it goes on.
function stallDisk(context: TestContext): { goOn(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { open } = files
  const mocked = context.mock.method(files, 'open', async (...how: Parameters<typeof open>) => {
    const handle = await open(...how)
    const datasync = handle.datasync.bind(handle)
    handle.datasync = () => promise.then(datasync)
    return handle
  })
  syncBuiltinESMExports()
  context.after(() => {
    resolve()
    mocked.mock.restore()
    syncBuiltinESMExports()
  })
  return { goOn: resolve }
}

async function rejection(work: Promise<unknown>): Promise<AuditTrailError> {
  const error: unknown = await work.then(
    () => assert.fail('it was recorded'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof AuditTrailError, String(error))
  return error
}

test('an event is recorded, and its receipt says where', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server)
  const before = Date.now()
  const receipt = await audit.record(session)
  const [event] = server.recorded
  assert.match(event?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual(receipt, {
    id: event?.id,
    log: 'log-1',
    position: 0,
    time: '2026-01-31T12:00:00.123456Z',
    new: true,
  })
  const { id: _, occurred, ...said }: Partial<Posted> = event ?? {}
  assert.deepEqual(said, session)
  assert.ok(Date.parse(String(occurred)) >= before && Date.parse(String(occurred)) <= Date.now())
  const [request] = server.requests
  assert.equal(request?.path, '/audit-trail/api/v2/logs/portal-01/entries')
  assert.equal(request?.contentType, 'application/x-ndjson')
  assert.equal(request?.authorization, `Basic ${btoa('app:Secret-word-1')}`)
  assert.deepEqual(errors, [])
})

test('what is recorded together goes together, in order, in batches of bounded size', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { batch: { events: 100 } })
  const targets = Array.from({ length: 1_050 }, (_, k) => `t-${k}`)
  const receipts = await Promise.all(targets.map((target) => audit.record({ ...session, target })))
  assert.deepEqual(
    receipts.map((receipt) => receipt?.position),
    targets.map((_, k) => k),
  )
  assert.deepEqual(
    server.recorded.map(({ target }) => target),
    targets,
  )
  assert.deepEqual(
    server.requests.map(({ events }) => events.length),
    [...Array.from({ length: 10 }, () => 100), 50],
  )
})

test('a batch has a bounded number of bytes, and an event that is larger goes alone', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { batch: { bytes: 1_000 } })
  const sizes = [100, 100, 2_000, 100]
  await Promise.all(sizes.map((size) => audit.record({ ...session, target: 'x'.repeat(size) })))
  assert.deepEqual(
    server.requests.map(({ events }) => events.length),
    [2, 1, 1],
  )
})

for (const status of [408, 429, 500, 502, 503, 504, 507]) {
  test(`I4: an event that is refused with ${status} is sent again under its id`, async (context) => {
    const server = await startFakeServer(context)
    const { audit, errors } = open(context, server)
    server.next.push({ kind: 'refuse', status }, { kind: 'refuse', status })
    const receipt = await audit.record(session)
    assert.equal(receipt?.new, true)
    assert.equal(new Set(server.requests.flatMap(({ events }) => events.map(({ id }) => id))).size, 1)
    assert.equal(server.requests.length, 3)
    assert.equal(audit.stats().retries, 2)
    assert.deepEqual(errors, [])
  })
}

test('I4: a connection that is reset after the events were recorded doubles nothing', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.next.push({ kind: 'reset' }, { kind: 'lose' })
  const receipts = await Promise.all([1, 2, 3].map((k) => audit.record({ ...session, target: `t-${k}` })))
  assert.deepEqual(
    receipts.map((receipt) => receipt?.new),
    [false, false, false],
  )
  assert.deepEqual(
    server.recorded.map(({ target }) => target),
    ['t-1', 't-2', 't-3'],
  )
})

test('I4: of an answer that breaks off, what it has said counts, and the rest is sent again', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.next.push({ kind: 'break', after: 4 })
  const receipts = await Promise.all(Array.from({ length: 10 }, () => audit.record(session)))
  assert.deepEqual(
    receipts.map((receipt) => receipt?.position),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  assert.equal(server.recorded.length, 10)
  // The half line at the break says nothing.
  assert.deepEqual(
    server.requests.map(({ events }) => events.length),
    [10, 6],
  )
})

test('I4: events that a whole answer does not tell of are sent again', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.next.push({ kind: 'forget', from: 1 })
  const receipts = await Promise.all([audit.record(session), audit.record(session)])
  assert.deepEqual(
    receipts.map((receipt) => receipt?.new),
    [true, false],
  )
})

test('a server that does not answer in time is asked again', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { requestTimeoutMs: 500 })
  server.next.push({ kind: 'hang' })
  assert.equal((await audit.record(session))?.position, 0)
  // On a busy machine the second answer may be late as well.
  assert.ok(server.requests.length >= 2)
  assert.equal(server.recorded.length, 1)
})

test('Retry-After is waited for', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.next.push({ kind: 'refuse', status: 429, retryAfter: '1' })
  const before = performance.now()
  await audit.record(session)
  assert.ok(performance.now() - before >= 990)
})

test('a batch that is too large for somebody on the way is halved', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server)
  server.next.push({ kind: 'refuse', status: 413 }, { kind: 'refuse', status: 413 })
  await Promise.all(Array.from({ length: 8 }, () => audit.record(session)))
  assert.equal(server.recorded.length, 8)
  assert.deepEqual(
    server.requests.slice(0, 3).map(({ events }) => events.length),
    [8, 4, 2],
  )
  assert.deepEqual(errors, [])
})

test('bad events are refused one by one, by field, and are not sent again', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server)
  server.refuses = ({ code }) =>
    code === 1 ? { code: 'INVALID_EVENT', message: '"target" is wrong', field: 'target' } : undefined
  const bad = { code: 1, actor: 'jdoe', message: 'bad' }
  const [good, refused, thrown] = await Promise.all([
    audit.record(session),
    audit.record(bad),
    rejection(audit.recordOrThrow(bad)),
  ])
  assert.equal(good?.position, 0)
  assert.equal(refused, undefined)
  assert.deepEqual(
    [thrown.code, thrown.field, thrown.message],
    ['INVALID_EVENT', 'target', '"target" is wrong'],
  )
  assert.equal(errors.length, 1)
  assert.equal(server.requests.length, 1)
  const { recorded, refused: count, dropped } = audit.stats()
  assert.deepEqual([recorded, count, dropped], [1, 2, 0])
})

test('events that pass later are sent again, though others of the batch were recorded', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  const busy = new Set(['t-1', 't-3'])
  server.refuses = ({ target }) =>
    busy.delete(String(target)) ? { code: 'TOO_MANY_REQUESTS', message: 'busy' } : undefined
  const receipts = await Promise.all([0, 1, 2, 3].map((k) => audit.record({ ...session, target: `t-${k}` })))
  assert.ok(receipts.every((receipt) => receipt?.new === true))
  assert.deepEqual(
    server.recorded.map(({ target }) => target),
    ['t-0', 't-2', 't-1', 't-3'],
  )
})

test('an event that waited for too long gets another id only where it was never sent', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { throwErrors: true })
  const old = new Set<string>()
  server.refuses = ({ id }) =>
    old.size < 1 && old.add(id) ? { code: 'ID_TOO_OLD', message: 'too old' } : undefined
  const receipt = await audit.record({ ...session, target: 'first' })
  assert.equal(old.has(receipt?.id ?? ''), false)
  assert.equal(server.recorded.length, 1)
  server.next.push({ kind: 'lose' })
  server.refuses = () => ({ code: 'ID_TOO_OLD', message: 'too old' })
  // It may have been recorded: another id could double it.
  assert.equal((await rejection(audit.record(session))).code, 'ID_TOO_OLD')
  server.refuses = ({ id }) => (id === mine ? { code: 'ID_TOO_OLD', message: 'too old' } : undefined)
  const mine = '0190a000-0000-7000-8000-000000000001'
  assert.equal((await rejection(audit.record({ ...session, id: mine }))).code, 'ID_TOO_OLD')
})

test('events of a client whose clock is behind are recorded', async (context) => {
  const server = await startFakeServer(context)
  const now = Date.now()
  // As the server judges: by the time that an id of version 7 says, and by no other.
  const isOld = (id: string) =>
    id[14] === '7' && Number.parseInt(id.replace('-', '').slice(0, 12), 16) < now - 60_000
  server.refuses = ({ id }) => (isOld(id) ? { code: 'ID_TOO_OLD', message: 'too old' } : undefined)
  context.mock.timers.enable({ apis: ['Date'], now: now - 3_600_000 })
  const { audit, errors } = open(context, server)
  const receipts = await Promise.all([1, 2, 3].map(() => audit.record(session)))
  assert.deepEqual(
    receipts.map((receipt) => receipt?.position),
    [0, 1, 2],
  )
  assert.deepEqual(errors, [])
})

for (const status of [400, 401, 403, 404, 415, 302]) {
  test(`a request that is refused with ${status} is not sent again`, async (context) => {
    const server = await startFakeServer(context)
    const { audit, errors } = open(context, server)
    server.always = { kind: 'refuse', status }
    assert.equal(await audit.record(session), undefined)
    assert.equal(server.requests.length, 1)
    assert.deepEqual(
      errors.map(({ code, status }) => [code, status]),
      [[`REFUSED_${status}`, status]],
    )
  })
}

test('what is no audit trail is said to be none', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.always = { kind: 'refuse', status: 404, type: 'text/html' }
  const error = await rejection(audit.recordOrThrow(session))
  assert.deepEqual([error.code, error.message], ['UNEXPECTED_ANSWER', 'the server answered 404'])
})

test('an event that the server does not confirm in time is given up', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server, { giveUpAfterMs: 50 })
  server.always = { kind: 'refuse', status: 503 }
  assert.equal(await audit.record(session), undefined)
  assert.deepEqual(
    errors.map(({ code, message }) => [code, message]),
    [['GIVEN_UP', 'the event was not confirmed in time: refused with 503']],
  )
  assert.equal(audit.stats().dropped, 1)
})

test('an event is given up also while the server has asked for a long pause', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { giveUpAfterMs: 100 })
  server.always = { kind: 'refuse', status: 503, retryAfter: '3600' }
  assert.equal((await rejection(audit.recordOrThrow(session))).code, 'GIVEN_UP')
})

test('memory is bounded: what does not fit is dropped, counted, and told of once recording works again', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 503 }
  const { audit, errors } = open(context, server, {
    maxWaiting: 3,
    onDrop: ({ count }) => ({ code: 1, actor: '*app', message: `${count} events were lost` }),
  })
  const work = Array.from({ length: 5 }, () => audit.record(session))
  assert.deepEqual(await Promise.all(work.slice(3)), [undefined, undefined])
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['FULL', 'FULL'],
  )
  assert.equal(audit.stats().waiting, 3)
  server.always = undefined
  await Promise.all(work)
  assert.ok(await audit.flush(10_000))
  assert.deepEqual(
    server.recorded.map(({ message }) => message),
    [undefined, undefined, undefined, '2 events were lost'],
  )
  const { recorded, dropped, waiting, waitingBytes } = audit.stats()
  assert.deepEqual([recorded, dropped, waiting, waitingBytes], [4, 2, 0, 0])
})

test('memory is bounded in bytes too', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { maxWaitingBytes: 1_000 })
  const large = { ...session, target: 'x'.repeat(1_000) }
  const [one, other] = await Promise.all([audit.record(large), rejection(audit.recordOrThrow(session))])
  assert.equal(one?.position, 0)
  assert.equal(other.code, 'FULL')
})

test('memory is bounded also where it waits for a disk that stands still, and nothing that was taken is lost', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 503 }
  const disk = stallDisk(context)
  const spool = { directory: join(directory(context), 'spool') }
  const { audit, errors } = open(context, server, { spool, maxWaiting: 4, giveUpAfterMs: 30 })
  const enqueued = [1, 2, 3, 4].map((k) => audit.enqueue({ ...session, target: `e-${k}` }))
  const given = [1, 2, 3, 4].map((k) => rejection(audit.recordOrThrow({ ...session, target: `r-${k}` })))
  const { waiting, spoolBytes } = audit.stats()
  assert.equal(waiting, 8)
  let hasRoom = false
  const room = audit.room().then(() => (hasRoom = true))
  // What is given up goes to the disk in any case.
  while (audit.stats().spoolBytes < 2 * spoolBytes) await sleep(5)
  assert.equal(await audit.enqueue(session), undefined)
  assert.equal((await rejection(audit.recordOrThrow(session))).code, 'SPOOL_FULL')
  assert.deepEqual([audit.stats().waiting, audit.stats().spooled, hasRoom], [8, 0, false])
  disk.goOn()
  assert.ok((await Promise.all(enqueued)).every((id) => id !== undefined))
  assert.deepEqual(
    (await Promise.all(given)).map(({ code }) => code),
    given.map(() => 'SPOOLED'),
  )
  await room
  assert.deepEqual([audit.stats().waiting, audit.stats().waitingBytes, audit.stats().spooled], [0, 0, 8])
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['SPOOL_FULL'],
  )
})

test('closing is bounded in time also where the disk stands still', async (context) => {
  const server = await startFakeServer(context)
  const disk = stallDisk(context)
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { audit } = open(context, server, { spool: { directory: directory(context) } })
  const work = audit.enqueue(session)
  const isFlushed = audit.flush(1)
  const ended: string[] = []
  const closing = audit.close().then(() => ended.push('close'))
  for (let k = 0; ended.length === 0 && k < 10_000; k++) {
    context.mock.timers.tick(1_000)
    await new Promise(setImmediate)
  }
  context.mock.timers.reset()
  assert.deepEqual([ended, await isFlushed], [['close'], false])
  disk.goOn()
  await closing
  assert.equal((await work)?.length, 36)
})

test('what waits for the disk is bounded in bytes too', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'hang' }
  const spool = { directory: join(directory(context), 'spool') }
  const { audit } = open(context, server, { spool, maxWaitingBytes: 1_000 })
  const large = { ...session, target: 'x'.repeat(1_000) }
  const work = [audit.enqueue(large), audit.enqueue(session)]
  await audit.room()
  const [one, other] = await Promise.all(work)
  assert.deepEqual([typeof one, other], ['string', undefined])
  assert.notEqual(await audit.enqueue(session), undefined)
})

test('what cannot be written as JSON is refused, and the application goes on', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server)
  const circle: Record<string, unknown> = {}
  circle['circle'] = circle
  const wrong = [{ ...session, details: circle }, { ...session, details: { n: 1n } }, undefined, 'text', {}]
  for (const event of wrong) assert.equal(await audit.record(event as typeof session), undefined)
  assert.deepEqual(
    errors.map(({ code }) => code),
    wrong.map(() => 'INVALID_EVENT'),
  )
  assert.equal(server.requests.length, 0)
})

test('what onError throws does not reach the caller of record', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 403 }
  const warnings: string[] = []
  const warned = ({ message }: Error) => warnings.push(message)
  process.on('warning', warned)
  context.after(() => process.off('warning', warned))
  const { audit } = open(context, server, {
    onError: () => {
      throw new Error('of the application')
    },
  })
  assert.equal(await audit.record(session), undefined)
  while (!warnings.some((message) => message.includes('of the application'))) await sleep(1)
})

test('what onDrop throws is told to onError, and events go on', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server, {
    maxWaiting: 1,
    onDrop: () => {
      throw new Error('of the application')
    },
  })
  const receipts = await Promise.all([audit.record(session), audit.record(session)])
  assert.deepEqual(
    receipts.map((receipt) => receipt?.position),
    [0, undefined],
  )
  assert.deepEqual(
    errors.map(({ code, message }) => [code, message]),
    [
      ['FULL', 'too many events wait for the audit trail'],
      ['INVALID_EVENT', 'onDrop throws'],
    ],
  )
  assert.equal((await audit.record(session))?.position, 1)
})

test('the component is added where nobody else is meant', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server, { component: 'Engine-07' })
  await audit.record(session)
  await audit.record({ code: 10006, actor: 'jdoe', fields: { milliseconds: 12 } })
  await audit.record({ code: 10006, component: 'Engine-08', actor: 'jdoe', fields: { milliseconds: 12 } })
  assert.deepEqual(
    server.recorded.map(({ component }) => component),
    [undefined, 'Engine-07', 'Engine-08'],
  )
})

test('a token is fetched once for all who wait, and renewed once where it is refused', async (context) => {
  const server = await startFakeServer(context)
  const asked: (readonly [string | null, string | null, string | undefined])[] = []
  server.token = (form, authorization) => {
    asked.push([form.get('grant_type'), form.get('scope'), authorization])
    return [200, { access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: 900 }]
  }
  server.accepts = 'Bearer token-1'
  const { audit, errors } = open(context, server, {
    credentials: { clientId: 'app-1', clientSecret: 'se/cret' },
    batch: { events: 1, inFlight: 4 },
  })
  await Promise.all([1, 2, 3, 4].map(() => audit.record(session)))
  assert.deepEqual(asked, [
    ['client_credentials', 'service:audit-trail:record', `Basic ${btoa('app-1:se%2Fcret')}`],
  ])
  server.accepts = 'Bearer token-2'
  assert.equal((await audit.record(session))?.position, 4)
  assert.equal(asked.length, 2)
  server.accepts = 'Bearer none'
  assert.equal(await audit.record(session), undefined)
  assert.equal(asked.length, 3)
  assert.deepEqual(
    errors.map(({ status }) => status),
    [401],
  )
})

test('a token is replaced before it ends', async (context) => {
  const server = await startFakeServer(context)
  let asked = 0
  server.token = () => [200, { access_token: `token-${++asked}`, token_type: 'Bearer', expires_in: 0.1 }]
  const { audit } = open(context, server, { credentials: { clientId: 'app-1', clientSecret: 'secret' } })
  await audit.record(session)
  await sleep(85)
  await audit.record(session)
  assert.deepEqual(
    server.requests.map(({ authorization }) => authorization),
    ['Bearer token-1', 'Bearer token-2'],
  )
})

test('an authorization server that is busy is asked again, and one that refuses is not', async (context) => {
  const server = await startFakeServer(context)
  const answers: (readonly [number, object])[] = [
    [503, {}],
    [200, { access_token: 'token-1', expires_in: 900 }],
  ]
  server.token = () => answers.shift() ?? [401, { error: 'invalid_client', error_description: 'se-cret' }]
  const options = { credentials: { clientId: 'app-1', clientSecret: 'se-cret' } }
  const { audit } = open(context, server, options)
  assert.equal((await audit.record(session))?.position, 0)
  const other = open(context, server, options)
  assert.equal(await other.audit.record(session), undefined)
  const [error] = other.errors
  assert.equal(error?.message, 'the authorization server gives no access token: 401 invalid_client')
  assert.equal(error.code, 'UNAUTHENTICATED')
})

test("an application's own tokens are asked for, and once more where they are refused", async (context) => {
  const server = await startFakeServer(context)
  let asked = 0
  server.accepts = 'Bearer mine-2'
  const { audit } = open(context, server, { credentials: { token: async () => `mine-${++asked}` } })
  assert.equal((await audit.record(session))?.position, 0)
})

test("an application's token that can stand in no header is none", async (context) => {
  const server = await startFakeServer(context)
  for (const token of ['line\n', '', undefined]) {
    const { audit } = open(context, server, {
      credentials: { token: async () => token as string },
      giveUpAfterMs: 1,
    })
    const { cause } = await rejection(audit.recordOrThrow(session))
    assert.equal(cause instanceof AuditTrailError && cause.code, 'UNAUTHENTICATED')
  }
  assert.equal(server.requests.length, 0)
})

test('a token is asked for at the host of url, also where its path begins with two slashes', async (context) => {
  const server = await startFakeServer(context)
  const credentials = { clientId: 'shop', clientSecret: 'Secret-word-1' }
  const { audit } = open(context, server, {
    url: `${server.url}//127.0.0.2:1`,
    credentials,
    giveUpAfterMs: 1,
  })
  assert.equal((await audit.record(session))?.position, 0)
})

test("an application's token that never comes holds up neither record nor close", async (context) => {
  const server = await startFakeServer(context)
  const credentials = { token: () => new Promise<string>(() => undefined) }
  const late = open(context, server, { credentials, requestTimeoutMs: 30, giveUpAfterMs: 20 })
  const error = await rejection(late.audit.recordOrThrow(session))
  assert.deepEqual(
    [error.code, error.message],
    ['GIVEN_UP', 'the event was not confirmed in time: there is no access token'],
  )
  const asked = Promise.withResolvers<void>()
  const asking = {
    token: () => {
      asked.resolve()
      return credentials.token()
    },
  }
  const { audit } = open(context, server, { credentials: asking, requestTimeoutMs: 600_000 })
  const work = rejection(audit.recordOrThrow(session))
  await asked.promise
  await audit.close(20)
  // Nothing was left to itself when that was over.
  assert.equal(audit.stats().waiting, 0)
  assert.equal((await work).code, 'GIVEN_UP')
  assert.equal(server.requests.length, 0)
})

test('a record socket needs no credentials', async (context) => {
  const socketPath = join(directory(context), 'record.sock')
  const server = await startFakeServer(context, { socketPath })
  const audit = openAuditTrail({ socketPath, log: 'engine-01' })
  context.after(() => audit.close())
  assert.equal((await audit.record(session))?.position, 0)
  assert.equal(server.requests[0]?.authorization, undefined)
  assert.equal(server.requests[0]?.path, '/audit-trail/api/v2/logs/engine-01/entries')
})

test('closing waits for what is under way, and takes nothing more', async (context) => {
  const server = await startFakeServer(context)
  const { audit, errors } = open(context, server)
  const work = Array.from({ length: 2_000 }, () => audit.record(session))
  await audit.close()
  const receipts = (await Promise.all(work)).filter((receipt): receipt is Receipt => receipt !== undefined)
  assert.equal(receipts.length, 2_000)
  assert.equal(await audit.record(session), undefined)
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['CLOSED'],
  )
})

test('closing is bounded in time: what could not be sent is dropped, and everybody is told', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'hang' }
  const { audit } = open(context, server, { batch: { events: 1 } })
  const work = [1, 2, 3].map(() => rejection(audit.recordOrThrow(session)))
  while (server.requests.length === 0) await sleep(5)
  await audit.close(50)
  const codes = (await Promise.all(work)).map(({ code }) => code)
  assert.deepEqual(codes, ['GIVEN_UP', 'CLOSED', 'CLOSED'])
  assert.equal(audit.stats().dropped, 3)
})

test('enqueue without a spool returns at once, and the event is sent', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.next.push({ kind: 'refuse', status: 503 })
  const id = await audit.enqueue(session)
  assert.equal(server.recorded.length, 0)
  assert.ok(await audit.flush(10_000))
  assert.deepEqual(
    server.recorded.map((event) => event.id),
    [id],
  )
})

test('flush says when it takes longer', async (context) => {
  const server = await startFakeServer(context)
  const { audit } = open(context, server)
  server.always = { kind: 'refuse', status: 503 }
  await audit.enqueue(session)
  assert.equal(await audit.flush(30), false)
})

test('to wait for longer than a timer can is not to wait for a moment', async (context) => {
  const server = await startFakeServer(context)
  server.next.push({ kind: 'refuse', status: 503 })
  const { audit } = open(context, server)
  const work = audit.record(session)
  assert.equal(await audit.flush(2 ** 31), true)
  assert.equal((await work)?.position, 0)
})

test('flush ends when the audit trail is closed, though something is left on disk', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 503 }
  const { audit } = open(context, server, { spool: { directory: directory(context) } })
  await audit.enqueue(session)
  const before = audit.flush()
  await audit.close(1)
  assert.deepEqual([await before, await audit.flush()], [false, false])
})

test('an event that is enqueued while the server is away is sent by whoever opens the spool next', async (context) => {
  const server = await startFakeServer(context)
  const spool = { directory: join(directory(context), 'spool') }
  server.always = { kind: 'lose' }
  const { audit } = open(context, server, { spool })
  const ids = await Promise.all(Array.from({ length: 100 }, () => audit.enqueue(session)))
  assert.equal(audit.stats().spooled, 100)
  await audit.close(50)
  assert.ok(readdirSync(spool.directory).length > 0)
  server.always = undefined
  const next = open(context, server, { spool })
  assert.ok(await next.audit.flush(10_000))
  assert.deepEqual(
    server.recorded.map(({ id }) => id),
    ids,
  )
  assert.equal(next.audit.stats().recorded, 100)
  assert.equal(next.audit.stats().spoolBytes, 0)
  await next.audit.close()
  assert.deepEqual(readdirSync(spool.directory), [])
})

test('with a spool, what does not fit in memory and what is given up goes to disk, and is sent later', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 503 }
  const spool = { directory: join(directory(context), 'spool') }
  const { audit, errors } = open(context, server, { spool, maxWaiting: 2, giveUpAfterMs: 100 })
  const work = [1, 2, 3].map((k) => rejection(audit.recordOrThrow({ ...session, target: `t-${k}` })))
  const codes = (await Promise.all(work)).map(({ code }) => code)
  assert.deepEqual(codes, ['SPOOLED', 'SPOOLED', 'SPOOLED'])
  server.always = undefined
  assert.ok(await audit.flush(10_000))
  assert.deepEqual(server.recorded.map(({ target }) => String(target)).toSorted(), ['t-1', 't-2', 't-3'])
  const { recorded, spooled, dropped } = audit.stats()
  assert.deepEqual([recorded, spooled, dropped], [3, 3, 0])
  assert.deepEqual(errors, [])
})

// Of the only line on disk: n for an event that may get another id, s for one that may have been recorded.
function kindOnDisk(path: string): string | undefined {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  const lines = names
    .filter((name) => /\.(spool|sent)$/.test(name))
    .flatMap((name) => readFileSync(join(path, name), 'utf8').split('\n').slice(0, -1))
  assert.equal(lines.length, 1)
  return lines[0]?.[9]
}

const kinds: readonly (readonly [string, string, Mischief | undefined])[] = [
  ['an answer that was lost', 's', { kind: 'lose' }],
  ['no answer', 's', { kind: 'hang' }],
  ['503', 's', { kind: 'refuse', status: 503 }],
  ['401', 'n', { kind: 'refuse', status: 401 }],
  ['403', 'n', { kind: 'refuse', status: 403 }],
  // With a pause, so that no other request is under way at the end.
  ['429', 'n', { kind: 'refuse', status: 429, retryAfter: '60' }],
  ['a refused connection', 'n', undefined],
]
for (const [what, kind, mischief] of kinds) {
  for (const how of ['given up', 'closed']) {
    test(`an event that is ${how} after ${what} is spooled as ${kind}`, async (context) => {
      const server = await startFakeServer(context)
      server.always = mischief
      if (mischief === undefined) await server.close()
      const spool = { directory: join(directory(context), 'spool') }
      const isClosed = how === 'closed'
      const { audit } = open(context, server, {
        spool,
        requestTimeoutMs: isClosed ? 10_000 : 300,
        giveUpAfterMs: isClosed ? 10_000 : 20,
      })
      const work = rejection(audit.recordOrThrow(session))
      const asked = mischief === undefined ? 0 : 1
      while (server.requests.length < asked) await sleep(5)
      if (mischief?.kind !== 'hang') while (!audit.stats().failing) await sleep(5)
      if (isClosed) await audit.close(0)
      assert.equal((await work).code, 'SPOOLED')
      assert.equal(kindOnDisk(spool.directory), kind)
    })
  }
}

// How the only file of a spool is named: spool where none of its events can have been recorded, else sent.
function endingOnDisk(path: string): string | undefined {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return names.map((name) => /\.(spool|sent)$/.exec(name)?.[1]).find((ending) => ending !== undefined)
}

const endings: readonly (readonly [string, string, Mischief | undefined])[] = [
  ['an answer that was lost', 'sent', { kind: 'lose' }],
  ['no answer', 'sent', { kind: 'hang' }],
  ['503', 'sent', { kind: 'refuse', status: 503 }],
  ...[401, 403, 404, 415, 429].map(
    (status) => [`${status}`, 'spool', { kind: 'refuse', status, retryAfter: '60' }] as const,
  ),
  ['a refused connection', 'spool', undefined],
]
for (const [what, ending, mischief] of endings) {
  test(`after ${what} the file of an event is one that was ${ending === 'sent' ? 'sent' : 'never sent'}`, async (context) => {
    const server = await startFakeServer(context)
    server.always = mischief
    if (mischief === undefined) await server.close()
    const spool = { directory: join(directory(context), 'spool') }
    const { audit } = open(context, server, { spool })
    assert.notEqual(await audit.enqueue(session), undefined)
    const asked = mischief === undefined ? 0 : 1
    while (server.requests.length < asked) await sleep(5)
    if (mischief?.kind !== 'hang') while (!audit.stats().failing) await sleep(5)
    await audit.close(0)
    assert.equal(endingOnDisk(spool.directory), ending)
  })
}

test('a file says that it was sent before a byte of it leaves the process', async (context) => {
  const server = await startFakeServer(context)
  const spool = { directory: join(directory(context), 'spool') }
  const seen: (string | undefined)[] = []
  server.refuses = () => void seen.push(endingOnDisk(spool.directory))
  const { audit } = open(context, server, { spool })
  await audit.enqueue(session)
  assert.ok(await audit.flush(10_000))
  assert.deepEqual(seen, ['sent'])
})

test('a file that cannot say that it was sent is not sent, and is tried again', async (context) => {
  const server = await startFakeServer(context)
  const { port } = new URL(server.url)
  await server.close()
  const spool = { directory: join(directory(context), 'spool') }
  const { audit, errors } = open(context, server, { spool })
  await audit.enqueue({ ...session, target: 'first' })
  const [file = ''] = readdirSync(spool.directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.spool'),
  )
  const inTheWay = join(spool.directory, file.replace(/spool$/, 'sent'))
  mkdirSync(inTheWay)
  const later = await startFakeServer(context, { port: Number(port) })
  while (errors.length === 0) await sleep(5)
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['SPOOL_FAILED'],
  )
  assert.deepEqual(later.requests, [])
  rmSync(inTheWay, { recursive: true })
  await audit.enqueue({ ...session, target: 'second' })
  assert.ok(await audit.flush(10_000))
  assert.deepEqual(
    later.recorded.map(({ target }) => target),
    ['first', 'second'],
  )
})

test('an event that never left a process gets another id of the next one, where its own is too old', async (context) => {
  const server = await startFakeServer(context)
  const { port } = new URL(server.url)
  await server.close()
  const spool = { directory: join(directory(context), 'spool') }
  const { audit } = open(context, server, { spool })
  const id = await audit.enqueue(session)
  while (!audit.stats().failing) await sleep(5)
  await audit.close(0)
  const later = await startFakeServer(context, { port: Number(port) })
  later.refuses = (event) => (event.id === id ? { code: 'ID_TOO_OLD', message: 'too old' } : undefined)
  const next = open(context, later, { spool })
  assert.ok(await next.audit.flush(10_000))
  assert.equal(next.audit.stats().recorded, 1)
  assert.deepEqual(next.errors, [])
})

test('a spool that is full says so', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 503 }
  const spool = { directory: join(directory(context), 'spool'), maxBytes: 200 }
  const { audit, errors } = open(context, server, { spool })
  const ids = await Promise.all([1, 2, 3].map(() => audit.enqueue(session)))
  assert.deepEqual(
    ids.map((id) => id === undefined),
    [false, true, true],
  )
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['SPOOL_FULL', 'SPOOL_FULL'],
  )
})

test('a spool that cannot be written says so', async (context) => {
  const server = await startFakeServer(context)
  const file = join(directory(context), 'file')
  writeFileSync(file, '')
  const { audit } = open(context, server, { spool: { directory: join(file, 'spool') }, throwErrors: true })
  assert.equal((await rejection(audit.enqueue(session))).code, 'SPOOL_FAILED')
  // What needs no disk goes on.
  assert.equal((await audit.record(session))?.position, 0)
})

test('wrong credentials do not empty the spool', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 403 }
  const spool = { directory: join(directory(context), 'spool') }
  const { audit, errors } = open(context, server, { spool })
  await audit.enqueue(session)
  assert.equal(await audit.record(session), undefined)
  while (errors.length === 0) await sleep(5)
  assert.ok(errors.every(({ code }) => code === 'REFUSED_403'))
  assert.equal(await audit.flush(50), false)
  assert.ok(audit.stats().spoolBytes > 0)
  assert.equal(audit.stats().spooled, 2)
})

test('events that may not be recorded do not leave the spool, and the others do not wait for them', async (context) => {
  const server = await startFakeServer(context)
  server.refuses = ({ code }) => (code === 1 ? { code: 'FORBIDDEN', message: 'not this one' } : undefined)
  const spool = { directory: join(directory(context), 'spool') }
  const { audit, errors } = open(context, server, { spool })
  const forbidden = { code: 1, component: 'Other', actor: 'jdoe', message: 'bad' }
  const work = [audit.enqueue(session), audit.enqueue(forbidden), audit.enqueue(session)]
  const [, id] = await Promise.all(work)
  while (errors.length === 0) await sleep(5)
  await audit.enqueue(session)
  while (server.recorded.length < 3) await sleep(5)
  // What `record` sends is kept too.
  assert.equal((await rejection(audit.recordOrThrow(forbidden))).code, 'SPOOLED')
  while (errors.length < 2) await sleep(5)
  assert.ok(errors.every(({ code }) => code === 'FORBIDDEN'))
  assert.equal(await audit.flush(50), false)
  assert.deepEqual([audit.stats().failing, audit.stats().refused], [true, 0])
  await audit.close()
  server.refuses = () => undefined
  const next = open(context, server, { spool })
  assert.ok(await next.audit.flush(10_000))
  assert.deepEqual(
    server.recorded.map(({ code }) => code),
    [20101, 20101, 20101, 1, 1],
  )
  assert.equal(server.recorded[3]?.id, id)
})

test('an event that may not be recorded and of which nobody knows is kept as one that may have been', async (context) => {
  const server = await startFakeServer(context)
  server.next.push({ kind: 'lose' })
  server.refuses = ({ code }) => (code === 1 ? { code: 'FORBIDDEN', message: 'not this one' } : undefined)
  const spool = { directory: join(directory(context), 'spool') }
  const { audit, errors } = open(context, server, { spool })
  const forbidden = { code: 1, component: 'Other', actor: 'jdoe', message: 'bad' }
  await Promise.all([audit.enqueue(session), audit.enqueue(forbidden)])
  while (errors.length === 0) await sleep(5)
  await audit.close()
  assert.equal(kindOnDisk(spool.directory), 's')
})

test('the defaults leave time for another try', () => {
  const { requestTimeoutMs, giveUpAfterMs, retry } = settingsOf({ url: 'https://portal.example.com' })
  assert.ok(2 * requestTimeoutMs + retry.firstMs < giveUpAfterMs)
})

test('options that are wrong are named', () => {
  const right = { url: 'https://portal.example.com', credentials: { user: 'app', password: 'x' } }
  const wrong: readonly (readonly [string, Partial<AuditTrailOptions>])[] = [
    ['url', { url: 'portal.example.com' }],
    ['url', { url: 'http://portal.example.com' }],
    ['url', { url: 'https://app:secret@portal.example.com' }],
    ['log', { url: 'https://10.0.0.1' }],
    ['maxWaiting', { maxWaiting: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: 2 ** 31 }],
    ['spool.directory', { spool: { directory: '' } }],
    ['pin', { pin: 'abc' }],
    ['credentials.tokenUrl', { credentials: { clientId: 'a', clientSecret: 'b', tokenUrl: 'http://other' } }],
  ]
  for (const [name, options] of wrong) {
    assert.throws(
      () => openAuditTrail({ ...right, ...options }),
      (error) => error instanceof TypeError && error.message.startsWith(`${name} is expected`),
      name,
    )
  }
  assert.throws(() => openAuditTrail({ url: right.url }), /credentials are expected/)
  assert.throws(() => openAuditTrail({ credentials: right.credentials }), /either url or socketPath/)
})

test('a secret is in no error', async (context) => {
  const server = await startFakeServer(context)
  server.always = { kind: 'refuse', status: 401 }
  const { audit, errors } = open(context, server)
  await audit.record(session)
  await server.close()
  const other = open(context, server, { giveUpAfterMs: 1 })
  await other.audit.record(session)
  const { inspect } = await import('node:util')
  const text = inspect([...errors, ...other.errors], { depth: 10, showHidden: true })
  assert.match(text, /REFUSED_401/)
  assert.match(text, /ECONNREFUSED/)
  for (const secret of ['Secret-word-1', btoa('app:Secret-word-1')]) assert.ok(!text.includes(secret))
})
