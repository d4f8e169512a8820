import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../database/database.ts'
import { drain, enqueue, pending } from '../database/outbox.ts'
import { selfEvent } from '../entry/self-event.ts'
import { lockData } from '../log/lock.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { type OutboxPlace, settleOutbox } from './outbox.ts'

test('where no portal runs, the command records by itself, everything that waits, in order', async (context) => {
  await using place = await makePlace(context)
  const [first, second] = [await change(place), await change(place)]
  assert.equal(await settleOutbox(place, [second]), undefined)
  assert.deepEqual(await pending(place.database, [first, second]), [])
  await using log = await openLog({ ...place, component: 'Portal', clock: systemClock() })
  // The log's own beginning, and the two.
  assert.equal(log.status().size, 3)
})

test('where a portal runs, the command waits for it', async (context) => {
  await using place = await makePlace(context)
  using _lock = lockData(place.data, 'annals serve')
  const id = await change(place)
  const settled = settleOutbox(place, [id])
  await drain(place.database, () => Promise.resolve())
  assert.equal(await settled, undefined)
})

test('where nobody takes the record up, the command says so and leaves it', async (context) => {
  await using place = await makePlace(context)
  const id = await change(place)
  {
    using _lock = lockData(place.data, 'annals serve')
    assert.match((await settleOutbox(place, [id], 10)) ?? '', /has not taken it up/)
  }
  assert.deepEqual(await pending(place.database, [id]), [id])
  assert.equal(await settleOutbox(place, [id]), undefined)
})

test('where the log cannot be opened, the command says why and leaves the record', async (context) => {
  await using place = await makePlace(context)
  const id = await change(place)
  assert.match((await settleOutbox({ ...place, hostName: 'elsewhere' }, [id])) ?? '', /host "portal"/)
  assert.deepEqual(await pending(place.database, [id]), [id])
})

test('where nothing was changed, there is nothing to wait for', async (context) => {
  await using place = await makePlace(context)
  using _lock = lockData(place.data, 'annals serve')
  assert.equal(await settleOutbox(place, []), undefined)
})

async function makePlace(context: TestContext): Promise<OutboxPlace & AsyncDisposable> {
  const data = mkdtempSync(join(tmpdir(), 'annals-outbox-'))
  context.after(() => rmSync(data, { recursive: true, force: true }))
  await using _log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  const database = await openDatabase(join(data, 'annals.db'))
  return { data, hostName: 'portal', database, [Symbol.asyncDispose]: () => database.close() }
}

async function change({ database, hostName }: OutboxPlace): Promise<string> {
  const event = selfEvent({
    code: '20202',
    actor: '*cli:operator',
    hostName,
    fields: { deletedAccount: 'anna' },
  })
  return await database.write
    .transaction()
    .execute((transaction) => enqueue(transaction, { ...event, occurred: systemClock().wallMicros() }))
}
