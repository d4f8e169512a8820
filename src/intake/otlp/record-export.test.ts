import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent, Draft, LogId, StoredEntry } from '../../entry/event.ts'
import { parseLine, renderLine } from '../../entry/line.ts'
import { AnnalsError, type ErrorCode } from '../../errors.ts'
import {
  otlpProblems,
  otlpTextCharacters,
  otlpWindowBytes,
  otlpWindowRecords,
  queueBytes,
} from '../../limits.ts'
import type { Loss } from '../losses.ts'
import { jsonEncoding } from './encoding.ts'
import { recordExport } from './record-export.ts'
import { digestOf } from './record-id.ts'

type Entry = Pick<StoredEntry, 'id' | 'part' | 'text'>

/** An intake that keeps what it is given, but what `refusal` finds an error for. */
class IntakeDouble {
  readonly log = 'portal-01-aaaaaaaaaaaaaaaa' as LogId
  readonly hostName = 'portal-01'
  readonly component = 'Portal'
  readonly entries: Entry[] = []
  readonly losses: Loss[] = []
  refusal: (entry: Entry) => ErrorCode | undefined = () => undefined
  /** The most that waited at once. */
  most = 0
  mostBytes = 0
  #waiting = 0
  #bytes = 0

  async recordDraft(draft: Draft) {
    const entry = parseLine(Buffer.from(renderLine(draft, { position: 0, time: 0 })))
    this.#waiting += 1
    this.#bytes += draft.bytes
    this.most = Math.max(this.most, this.#waiting)
    this.mostBytes = Math.max(this.mostBytes, this.#bytes)
    await new Promise(setImmediate)
    this.#waiting -= 1
    this.#bytes -= draft.bytes
    const code = this.refusal(entry)
    if (code !== undefined) throw new AnnalsError(code, `refused: ${code}`)
    const isNew = !this.entries.some(({ id }) => id === entry.id)
    if (isNew) this.entries.push(entry)
    return { position: this.entries.length, time: 0, isNew }
  }

  refused(loss: Loss): void {
    this.losses.push(loss)
  }
}

function requestOf(logRecords: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))
}

async function send(
  intake: IntakeDouble,
  body: Buffer,
  isAllowed: (event: AuditEvent) => boolean = () => true,
) {
  return await recordExport(jsonEncoding.read(body), digestOf(body), {
    intake,
    by: 'client:app',
    demandAllowed(event) {
      if (!isAllowed(event)) throw new AnnalsError('FORBIDDEN', 'not this one')
    },
  })
}

const texts = (count: number) =>
  Array.from({ length: count }, (_, k) => ({ timeUnixNano: '1', body: { stringValue: `text ${k}` } }))

test('records are recorded in their order, and not too many at once', async () => {
  const intake = new IntakeDouble()
  const count = 2 * otlpWindowRecords + 5
  assert.deepEqual(await send(intake, requestOf(texts(count))), { rejected: 0, forbidden: 0, message: '' })
  assert.deepEqual(
    intake.entries.map(({ text }) => text),
    texts(count).map(({ body }) => body.stringValue),
  )
  assert.equal(intake.most, otlpWindowRecords)
})

test('what waits at once fits into the queue, whatever it takes as entries', async () => {
  const intake = new IntakeDouble()
  const tabs = { timeUnixNano: '1', body: { stringValue: '\t'.repeat(1_000_000) } }
  const exported = await send(intake, requestOf([tabs, tabs]))
  assert.equal(exported.rejected, 0)
  assert.ok(intake.entries.length > 120)
  assert.ok(intake.mostBytes > otlpWindowBytes / 2 && intake.mostBytes <= otlpWindowBytes)
  assert.ok(otlpWindowBytes <= queueBytes / 4)
})

test('I4: the same bytes sent again are recorded once, and equal records in one request are two', async () => {
  const intake = new IntakeDouble()
  const body = requestOf([...texts(1), ...texts(1)])
  await send(intake, body)
  await send(intake, body)
  assert.equal(intake.entries.length, 2)
})

test('records that say no time are recorded each time that they come', async () => {
  const intake = new IntakeDouble()
  const body = requestOf([{ body: { stringValue: 'again' } }])
  await send(intake, body)
  await send(intake, body)
  assert.equal(intake.entries.length, 2)
})

test('I7: what is wrong is refused by itself, told, and counted', async () => {
  const intake = new IntakeDouble()
  intake.refusal = ({ text }) => (text === 'text 0' ? 'ID_CONFLICT' : undefined)
  const wrong = { attributes: [{ key: 'audit.code', value: { intValue: 20101 } }] }
  const isAllowed = ({ message }: AuditEvent) => message !== 'text 1'
  const exported = await send(intake, requestOf([...texts(3), wrong, wrong]), isAllowed)
  assert.deepEqual(
    intake.entries.map(({ text }) => text),
    ['text 2'],
  )
  assert.equal(exported.rejected, 4)
  assert.equal(exported.forbidden, 1)
  assert.match(exported.message, /^log record 0: refused: ID_CONFLICT; log record 1: not this one; /)
  assert.match(exported.message, /; log record 3: "actor" is missing[^;]*; log record 4: "actor" is missing/)
  // The log has counted its own.
  assert.deepEqual(intake.losses, [
    { via: 'otlp', source: 'client:app', reason: 'FORBIDDEN', count: 1 },
    { via: 'otlp', source: 'client:app', reason: 'INVALID_EVENT', count: 2 },
  ])
})

test('names that grow with every value in them are refused before they are written out', async () => {
  const intake = new IntakeDouble()
  const values = Array.from({ length: 4_000 }, () => ({ boolValue: true }))
  const attributes = [{ key: 'k'.repeat(1_000_000), value: { arrayValue: { values } } }]
  const record = { timeUnixNano: '1', body: { stringValue: 'x' }, attributes }
  const many = Array.from({ length: 300 }, (_, k) => ({
    key: `${k}${'n'.repeat(1_000)}`,
    value: { intValue: '1' },
  }))
  const exported = await send(intake, requestOf([record, { ...record, attributes: many }, ...texts(1)]))
  assert.equal(exported.rejected, 2)
  assert.match(exported.message, /the names of attributes cannot be kept/)
  assert.equal(intake.entries.length, 1)
})

test('an answer describes a few of the records that are wrong', async () => {
  const wrong = { attributes: [{ key: 'audit.code', value: { stringValue: 'x'.repeat(10_000) } }] }
  const { message } = await send(new IntakeDouble(), requestOf(Array.from({ length: 100 }, () => wrong)))
  assert.equal(message.split('; ').length, otlpProblems + 1)
  assert.ok(message.endsWith(`; and ${100 - otlpProblems} more`))
  assert.ok(message.length < 2_000)
})

test('where there is no room, the whole request is to be sent again', async () => {
  for (const code of ['TOO_MANY_REQUESTS', 'STORAGE_FULL', 'OUTCOME_UNKNOWN', 'UNAVAILABLE'] as const) {
    const intake = new IntakeDouble()
    intake.refusal = ({ text }) => (text === 'text 1' ? code : undefined)
    const body = requestOf(texts(3))
    await assert.rejects(send(intake, body), { code })
    intake.refusal = () => undefined
    await send(intake, body)
    assert.equal(intake.entries.length, 3)
  }
})

test('L3: a text that is too long comes in parts', async () => {
  const intake = new IntakeDouble()
  await send(intake, requestOf([{ timeUnixNano: '1', body: { stringValue: 'x'.repeat(150_000) } }]))
  assert.deepEqual(
    intake.entries.map(({ part }) => part?.index),
    [1, 2, 3],
  )
})

test('a request that would become too much text leaves nothing', async () => {
  const intake = new IntakeDouble()
  const attributes = [{ key: 'command', value: { stringValue: 'x'.repeat(100_000) } }]
  const count = Math.ceil(otlpTextCharacters / 100_000) + 1
  const resourceLogs = [{ resource: { attributes }, scopeLogs: [{ logRecords: texts(count) }] }]
  const body = Buffer.from(JSON.stringify({ resourceLogs }))
  await assert.rejects(send(intake, body), { code: 'BODY_TOO_LARGE' })
  assert.equal(intake.entries.length, 0)
  assert.deepEqual(intake.losses, [{ via: 'otlp', source: 'client:app', reason: 'BODY_TOO_LARGE', count }])
})
