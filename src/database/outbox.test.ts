import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError, type ErrorCode } from '../errors.ts'
import { outboxBatch } from '../limits.ts'
import { openDatabase, type Database } from './database.ts'
import { drain, enqueue, pending, waitUntilRecorded } from './outbox.ts'
import { event } from './testing/event.ts'
import { RecorderDouble } from './testing/recorder-double.ts'
import { temporaryDatabase } from './testing/temporary-database.ts'

async function put(database: Database, ...numbers: string[]): Promise<string[]> {
  return database.write.transaction().execute(async (transaction) => {
    const ids: string[] = []
    for (const number of numbers) ids.push(await enqueue(transaction, event(number)))
    return ids
  })
}

async function runChild(mode: string, file: string): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/child.ts'), mode, file], {
    stdio: 'inherit',
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL')
}

test('events are recorded in the order of their changes, as they were, and go', async () => {
  await using database = await temporaryDatabase()
  const numbers = Array.from({ length: outboxBatch + 20 }, (_, i) => String(i))
  const ids = await put(database, ...numbers)
  const recorder = new RecorderDouble()
  assert.deepEqual(await drain(database, recorder.record), { recorded: numbers.length, stoppedBy: undefined })
  assert.deepEqual(recorder.events, numbers.map(event))
  assert.deepEqual(await pending(database, ids), [])
  assert.deepEqual(await drain(database, recorder.record), { recorded: 0, stoppedBy: undefined })
})

test('an event of a change that did not happen is not there either', async () => {
  await using database = await temporaryDatabase()
  const change = database.write.transaction().execute(async (transaction) => {
    await enqueue(transaction, event('1'))
    throw new Error('changed my mind')
  })
  await assert.rejects(change)
  assert.deepEqual(await pending(database, [event('1').id]), [])
})

for (const code of [
  'STORAGE_FULL',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'TOO_MANY_REQUESTS',
] satisfies ErrorCode[]) {
  test(`after ${code} the event and those behind it wait for the next time`, async () => {
    await using database = await temporaryDatabase()
    const ids = await put(database, '1', '2', '3')
    const recorder = new RecorderDouble()
    recorder.before = async ({ id }) => {
      recorder.refusesWith = id === event('2').id ? code : undefined
    }
    const drained = await drain(database, recorder.record)
    assert.equal(drained.recorded, 1)
    assert.equal(drained.stoppedBy?.code, code)
    assert.deepEqual(await pending(database, ids), ids.slice(1))
    recorder.before = async () => {}
    recorder.refusesWith = undefined
    assert.equal((await drain(database, recorder.record)).recorded, 2)
    assert.deepEqual(recorder.events, ['1', '2', '3'].map(event))
  })
}

test('I4: an id that was used for another event is a broken invariant, and surfaces', async () => {
  await using database = await temporaryDatabase()
  const recorder = new RecorderDouble()
  await recorder.record({ ...event('1'), message: 'another' })
  const ids = await put(database, '1')
  await assert.rejects(drain(database, recorder.record), (error) => isAnnalsError(error, 'ID_CONFLICT'))
  assert.deepEqual(await pending(database, ids), ids)
})

test('the same event cannot wait twice', async () => {
  await using database = await temporaryDatabase()
  await put(database, '1')
  await assert.rejects(put(database, '1'), (error) => isAnnalsError(error, 'INTERNAL'))
})

test('I4: after kill -9 between record and delete, the event is recorded again under its own id', async () => {
  await using database = await temporaryDatabase()
  await put(database, '1', '2')
  await runChild('die-before-delete', database.file)
  const recorder = new RecorderDouble()
  const [line = ''] = readFileSync(`${database.file}.recorded`, 'utf8').split('\n')
  await recorder.record(JSON.parse(line) as AuditEvent)
  assert.equal((await drain(database, recorder.record)).recorded, 2)
  assert.deepEqual(recorder.events, ['1', '2'].map(event))
})

test('after kill -9 before the commit, there is neither the change nor its event', async () => {
  await using database = await temporaryDatabase()
  await runChild('die-before-commit', database.file)
  const row = await database.read.selectFrom('login_failure').select('failures').executeTakeFirst()
  assert.equal(row?.failures, 0)
  assert.equal((await drain(database, new RecorderDouble().record)).recorded, 0)
})

test('who made a change beside a server learns when the server has recorded it', async () => {
  await using server = await temporaryDatabase()
  await using command = await openDatabase(server.file)
  const ids = await put(command, '1')
  const recorder = new RecorderDouble()
  const [left] = await Promise.all([waitUntilRecorded(command, ids), drain(server, recorder.record)])
  assert.deepEqual(left, [])
  assert.deepEqual(recorder.events, [event('1')])
})

test('who waits for what nobody records is told what is left', async () => {
  await using database = await temporaryDatabase()
  const ids = await put(database, '1', '2')
  assert.deepEqual(await waitUntilRecorded(database, ids, 10), ids)
  assert.deepEqual(await waitUntilRecorded(database, []), [])
})
