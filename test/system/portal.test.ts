// The contract over the real thing: history imported, the portal a process of its own, everything over the wire.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type AuditLine, readLine, readLines } from '../conformance/audit-line.ts'
import { proveConformance } from '../conformance/suite.ts'
import { ask, type Credentials, dial, requestText, type Server } from '../conformance/wire.ts'
import { fixtureEntries, portalFixture, writeLargeLog } from './fixture.ts'
import { addAccount, administrator, annals, hostName, runAnnals, startPortal } from './portal-process.ts'
import { startServe, storedLines, temporaryDirectory } from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const user: Credentials = { name: 'anna', password: 'Just-a-user-1' }

test('an imported log, served by a real portal, conforms to the contract, in UTC and elsewhere', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  await annals(context, ['import', '--data', data, '--host-name', hostName, portalFixture])
  const known = fixtureEntries()
  for (const timeZone of ['UTC', 'Europe/Zurich']) {
    const portal = await startPortal(context, { data, environment: { ANNALS_TIME_ZONE: timeZone } })
    if (timeZone === 'UTC') await addAccount(context, data, user, 'user')
    await proveConformance(context, { ...portal, reader: administrator, user, timeZone, known })
    await context.test(`the pull of the last day of 2025 is what its source says (${timeZone})`, async () => {
      const query = 'before_date=2026-01-01&elapsed_hours=24'
      const { body } = await ask(portal, `${path}?${query}`, { credentials: administrator })
      const source = known.filter(({ time }) => isOnLastDay(time, timeZone))
      const messages = readLines(body).map(({ message }) => message.toString('latin1'))
      assert.ok(messages.length > 50)
      assert.deepEqual(
        messages,
        source.map(({ message }) => message.toString('latin1')),
      )
      context.diagnostic(`${messages.length} lines (${timeZone})`)
    })
    const { exitCode, errors } = await portal.stop()
    assert.equal(exitCode, 0, errors)
    assert.equal(lastEntry(data).code, '20004')
    assert.doesNotMatch(errors, /"level":"(error|fatal)"/)
  }
  assert.match(await annals(context, ['check', '--data', data]), /No fault was found/)
})

test('S7: a read is durable before the head of its answer: kill -9 right after the head', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  for (let round = 0; round < 3; round++) {
    const portal = await startPortal(context, { data })
    const socket = await dial(portal)
    const head = new Promise<string>((resolve) => {
      socket.once('data', (bytes: Buffer) => {
        process.kill(portal.pid, 'SIGKILL')
        resolve(bytes.toString('latin1'))
      })
    })
    // What follows the head may be cut off by the kill.
    socket.on('error', () => undefined)
    socket.write(requestText(path, administrator))
    const to = Number(/^etag: "[^"]*\.0-(\d+)"$/im.exec(await head)?.[1])
    await portal.ended
    const entry = readLine(Buffer.from(storedLines(data)[to] ?? ''))
    assert.deepEqual([entry.code, entry.position, entry.event['to']], ['29001', to, String(to)])
    const again = await startPortal(context, { data })
    const { body } = await ask(again, path, { credentials: administrator })
    assert.ok(readLines(body)[to]?.bytes.equals(entry.bytes))
    assert.equal((await again.stop()).exitCode, 0)
  }
})

test('S7: above sixty calls a minute without valid credentials, the rest is counted exactly in one entry', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  for (let call = 0; call < 70; call++) await ask(portal, path)
  for (let call = 0; call < 15; call++) await ask(portal, path, { headers: { authorization: 'Digest x' } })
  // What is counted becomes its entry at the end of the minute, or when the portal stops.
  assert.equal((await portal.stop()).exitCode, 0)
  const entries = stored(data)
  assert.equal(entries.filter(({ code }) => code === '20103').length, 60)
  const [summary, ...more] = entries.filter(({ code }) => code === '29004')
  assert.equal(more.length, 0)
  assert.deepEqual(
    [summary?.event['n'], summary?.event['no-credentials'], summary?.event['other-scheme']],
    ['25', '10', '15'],
  )
  assert.equal(entries.at(-1)?.code, '20004')
})

test('I5: a second portal on the same data directory does not start, and says who has it', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const second = await startServe(context, { data }).ended
  assert.equal(second.exitCode, 4)
  assert.match(second.errors, new RegExp(`in use by process ${portal.pid} \\(annals serve\\)`))
  const importing = await runAnnals(context, [
    'import',
    '--data',
    data,
    '--host-name',
    hostName,
    portalFixture,
  ])
  assert.equal(importing.exitCode, 4)
  assert.equal((await ask(portal, '/readyz')).status, 200)
  assert.equal((await portal.stop()).exitCode, 0)
})

test('a log is not continued under another host name', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  await (await startPortal(context, { data })).stop()
  const before = storedLines(data)
  const other = await startServe(context, { data, args: ['--host-name', 'portal-02'] }).ended
  assert.notEqual(other.exitCode, 0)
  assert.match(other.errors, /portal-01/)
  assert.deepEqual(storedLines(data), before)
})

test('R6, E10: a portal that stops breaks off what does not end in time, and never ends it early', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const file = writeLargeLog(join(temporaryDirectory(context), 'large.log'), 25_000)
  await annals(context, ['import', '--data', data, '--host-name', hostName, file])
  const portal = await startPortal(context, { data, args: ['--stop-timeout-seconds', '1'] })
  const [plain, gzip] = await Promise.all([
    readSlowly(portal, []),
    readSlowly(portal, ['Accept-Encoding: gzip']),
  ])
  const { exitCode } = await portal.stop()
  assert.equal(exitCode, 0)
  const [plainBytes, gzipBytes] = [await plain.rest(), await gzip.rest()]
  const length = Number(/^content-length: (\d+)$/im.exec(plainBytes.toString('latin1', 0, 2000))?.[1])
  assert.ok(plainBytes.length < length)
  assert.notEqual(gzipBytes.toString('latin1', gzipBytes.length - 5), '0\r\n\r\n')
  assert.ok(stored(data).some(({ code, event }) => code === '29003' && event['outcome'] === 'failure'))
  assert.equal(lastEntry(data).code, '20004')
})

// Zurich's winter: its days begin an hour earlier than those of UTC.
function isOnLastDay(time: number, timeZone: string): boolean {
  const offset = timeZone === 'UTC' ? 'Z' : '+01:00'
  const [start, end] = [`2025-12-31T00:00:00${offset}`, `2026-01-01T00:00:00${offset}`]
  return time >= Date.parse(start) * 1000 && time < Date.parse(end) * 1000
}

function stored(data: string): AuditLine[] {
  return storedLines(data).map((line) => readLine(Buffer.from(line)))
}

function lastEntry(data: string): AuditLine {
  return readLine(Buffer.from(storedLines(data).at(-1) ?? ''))
}

// Takes the first bytes of the whole log, and the rest only when it is told to.
async function readSlowly(server: Server, lines: readonly string[]): Promise<{ rest(): Promise<Buffer> }> {
  const socket = await dial(server)
  const chunks: Buffer[] = []
  // A reset is one way of breaking off.
  socket.on('error', () => undefined)
  socket.write(requestText(path, administrator, lines))
  await new Promise<void>((resolve) => {
    socket.once('data', (bytes: Buffer) => {
      chunks.push(bytes)
      socket.pause()
      resolve()
    })
  })
  return {
    rest: () =>
      new Promise((resolve) => {
        socket.on('data', (bytes: Buffer) => chunks.push(bytes))
        socket.once('close', () => resolve(Buffer.concat(chunks)))
        socket.resume()
      }),
  }
}
