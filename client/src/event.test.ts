import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from './event.ts'
import { eventEncoder } from './event.ts'
import { uuidMaker } from './uuid.ts'

/** Only the compiler looks at these. */
function record<const C extends number>(_event: AuditEvent<C>): void {
  return undefined
}

test('the compiler demands what the template of a code needs', () => {
  record({ code: 20101, actor: 'jdoe', session: 's-1' })
  record({ code: 20101, component: 'Portal', actor: 'jdoe', fields: { sessionId: 's-1' } })
  record({ code: 20201, actor: 'jdoe', fields: { createdAccount: 'asmith' } })
  record({ code: 20103, fields: { account: 'jdoe', reason: 'wrong password' } })
  record({ code: 10006, component: 'Engine-01', actor: 'jdoe', fields: { milliseconds: 12 } })
  record({ code: 52010, actor: 'jdoe', message: 'in words' })
  record({ code: 20201, actor: 'jdoe', message: 'words of its own need no fields' })
  record({ code: 4711, component: 'Shop', actor: 'jdoe', message: 'a code of the application' })
  const any: AuditEvent = {
    code: Number('4711'),
    actor: 'jdoe',
    message: 'of a code that is not known before',
  }
  record(any)
  // @ts-expect-error The template needs createdAccount.
  record({ code: 20201, actor: 'jdoe' })
  // @ts-expect-error A field that the template does not have.
  record({ code: 20201, actor: 'jdoe', fields: { createdAccount: 'asmith', other: 'x' } })
  // @ts-expect-error The actor is part of the template.
  record({ code: 20101, session: 's-1' })
  // @ts-expect-error The code is the Portal's.
  record({ code: 20101, component: 'Console', actor: 'jdoe', session: 's-1' })
  // @ts-expect-error The code has no template.
  record({ code: 52010, actor: 'jdoe' })
  // @ts-expect-error A code of the application has no template.
  record({ code: 4711, actor: 'jdoe' })
  // @ts-expect-error An unknown property.
  record({ code: 20101, actor: 'jdoe', session: 's-1', colour: 'red' })
})

test('ids increase, also within a millisecond, beyond its count, and when the clock steps back', () => {
  const times = [5, 5, 5, 3, ...Array.from({ length: 9_000 }, () => 6), 7, 2, 9]
  let k = 0
  const makeId = uuidMaker(() => times[k++] ?? 9)
  const ids = times.map(() => makeId())
  assert.deepEqual(ids.toSorted(), ids)
  assert.equal(new Set(ids).size, ids.length)
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  assert.ok(ids.every((id) => form.test(id)))
  assert.equal(ids[0]?.slice(0, 13), '00000000-0005')
})

test('an event is one line, whatever it holds', () => {
  const encode = eventEncoder({ makeId: uuidMaker(), now: () => 0, component: 'Shop "1"' })
  const { line, bytes, id } = encode({ code: 4711, actor: 'a\nb\u2028\u0000', message: 'ü' })
  assert.ok(!line.includes('\n'))
  assert.equal(bytes, Buffer.byteLength(line))
  assert.deepEqual(JSON.parse(line), {
    id,
    occurred: '1970-01-01T00:00:00.000Z',
    component: 'Shop "1"',
    code: 4711,
    actor: 'a\nb\u2028\u0000',
    message: 'ü',
  })
})

test('what an event says itself is not said again', () => {
  const encode = eventEncoder({ makeId: uuidMaker(), now: () => 0, component: 'Shop' })
  const occurred = new Date(86_400_000)
  const id = '0190a000-0000-7000-8000-000000000001'
  const { line, hasOwnId } = encode({ id, code: 4711, component: 'Till', actor: 'a', message: 'm', occurred })
  assert.equal(
    line,
    `{"id":"${id}","code":4711,"component":"Till","actor":"a","message":"m","occurred":"1970-01-02T00:00:00.000Z"}`,
  )
  assert.equal(hasOwnId, false)
})

test('an event that no server would take is refused at once', () => {
  const encode = eventEncoder({ makeId: uuidMaker(), now: () => 0, component: undefined })
  const event = { code: 4711, actor: 'a', message: 'x'.repeat(1024 * 1024) }
  assert.throws(() => encode(event), { code: 'INVALID_EVENT', message: /expected at most 1048576/ })
})

test('an id that would not stand in the line is refused at once', () => {
  const encode = eventEncoder({ makeId: uuidMaker(), now: () => 0, component: undefined })
  const event = { code: 4711, actor: 'a', message: 'm' }
  class Inherits {
    readonly code = 4711
    readonly actor = 'a'
    readonly message = 'm'
    get id(): string {
      return '0190a000-0000-7000-8000-000000000001'
    }
  }
  const wrong = [{ ...event, id: null }, { ...event, id: 5 }, new Inherits()] as AuditEvent[]
  for (const one of wrong) assert.throws(() => encode(one), { code: 'INVALID_EVENT', field: 'id' })
})
