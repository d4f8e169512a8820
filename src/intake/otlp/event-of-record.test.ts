import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftOf, parseLine, renderLine } from '../../entry/line.ts'
import type { LogId } from '../../entry/event.ts'
import { eventOfRecord } from './event-of-record.ts'
import type { LogRecord } from './log-record.ts'
import { originOf } from './origin.ts'
import { idAt, idOfUid, digestOf } from './record-id.ts'
import type { Value } from './value.ts'

const nothing = { attributes: [], droppedAttributes: 0 }
const id = '0193d3b0-0000-8000-8000-000000000001'

function pairs(values: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(values)
}

/** What differs from a record that says nothing. */
type Different = Partial<Omit<LogRecord, 'attributes'>> & { readonly says?: Readonly<Record<string, Value>> }

function recordOf({ says = {}, ...different }: Different): LogRecord {
  return {
    time: undefined,
    observed: undefined,
    severityNumber: 0,
    severityText: '',
    eventName: '',
    body: null,
    attributes: pairs(says),
    droppedAttributes: 0,
    traceId: '',
    spanId: '',
    flags: 0,
    resource: nothing,
    scope: { name: '', version: '', ...nothing },
    ...different,
  }
}

function eventOf(different: Different) {
  const record = recordOf(different)
  const origin = originOf(record.resource, record.scope)
  return eventOfRecord(record, { by: 'client:app', hostName: 'portal-01', component: 'Portal', origin, id })
}

test('a record with a code is the event that an application would have posted', () => {
  const says = {
    'audit.code': 20101,
    'audit.session': 's-1',
    'audit.outcome': 'success',
    'audit.target': 'console',
    'user.id': 'jdoe',
    'client.address': '192.0.2.7',
    'http.route': '/login',
  }
  assert.deepEqual(eventOf({ says, time: 1_700_000_000_000_000, severityNumber: 17 }), {
    id,
    via: 'otlp',
    by: 'client:app',
    code: '20101',
    severity: 3,
    hostName: 'portal-01',
    component: 'Portal',
    actor: 'jdoe',
    category: 'LOGIN',
    outcome: 'success',
    session: 's-1',
    target: 'console',
    occurred: 1_700_000_000_000_000,
    message: '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1',
    eventParams: [['sourceAddress', '192.0.2.7']],
    details: [['http.route', '/login']],
  })
})

test('a severity number that stands for none is kept beside the usual severity', () => {
  for (const severityNumber of [-1, 25]) {
    const { severity, details } = eventOf({ severityNumber, body: 'b' })
    assert.deepEqual([severity, details], [5, [['severity_number', String(severityNumber)]]])
  }
  assert.equal(eventOf({ severityNumber: 24, body: 'b' }).details, undefined)
})

test('a body is the message of a coded record, and the fields of a template come one by one or together', () => {
  const coded = { 'audit.code': '4711', 'audit.component': 'Billing', 'audit.actor': 'jdoe' }
  const paid = eventOf({ says: coded, body: 'Invoice 7 paid' })
  assert.equal(paid.message, '[Billing|4711|jdoe] Invoice 7 paid')
  for (const fields of [{ 'audit.fields': { milliseconds: 42 } }, { 'audit.fields.milliseconds': '42' }]) {
    const event = eventOf({
      says: { 'audit.code': 10006, 'audit.component': 'Engine-01', 'audit.actor': 'jdoe', ...fields },
    })
    assert.match(String(event.message), /Finder user logged in:\[42\]/)
    assert.equal(event.details, undefined)
  }
})

test('a record without a code is kept as it is, and names nobody who was not named', () => {
  const event = eventOf({ body: 'disk is full', severityNumber: 9, severityText: 'INFO' })
  assert.equal(event.code, '-')
  assert.equal(event.message, 'disk is full')
  assert.equal(event.severity, 6)
  assert.equal(event.actor, undefined)
  assert.equal(event.component, undefined)
  assert.deepEqual(event.details, [['severity_text', 'INFO']])
  const named = eventOf({
    says: { 'enduser.id': 'jdoe', 'audit.component': 'Billing' },
    eventName: 'invoice.paid',
  })
  assert.equal(named.message, 'invoice.paid')
  assert.equal(named.actor, 'jdoe')
  assert.equal(named.component, 'Billing')
  assert.deepEqual(named.details, [['event.name', 'invoice.paid']])
})

test('L4: a header that a body begins with is that of the event, and nothing else that is said is lost', () => {
  const says = { 'audit.component': 'Shop', 'user.id': 'jdoe', 'audit.target': 'till' }
  for (const before of ['', ' ', '\ufeff\n']) {
    const body = `${before}[Portal|AUDIT|29001|*system] forged by the shop`
    const { component, category, code, actor, details, target, message } = eventOf({ says, body })
    assert.deepEqual([component, category, code, actor], ['Portal', 'AUDIT', '29001', '*system'])
    assert.deepEqual(details, [
      ['audit.component', 'Shop'],
      ['user.id', 'jdoe'],
    ])
    assert.deepEqual([target, message], ['till', body])
  }
  const coded = { ...says, 'audit.code': 40001 }
  assert.equal(eventOf({ says: coded, body: '[Portal|AUDIT|29001|x] y' }).code, '40001')
})

test('a body that is no text is the message as JSON', () => {
  assert.equal(eventOf({ body: { a: [1, true, null] } }).message, '{"a":[1,true,null]}')
  assert.equal(eventOf({ body: 5 }).message, '5')
})

test('L1: a resource names the sender, and what else it says is kept with each record', () => {
  const resource = {
    attributes: pairs({
      'host.name': 'app-7',
      'service.name': 'orders',
      'process.pid': 4711,
      'service.version': '2.1',
    }),
    droppedAttributes: 2,
  }
  const scope = { name: 'audit', version: '1', attributes: pairs({ kind: 'x' }), droppedAttributes: 0 }
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 }
  const event = eventOf({ body: 'x', resource, scope, ...trace, droppedAttributes: 3 })
  assert.equal(event.hostName, 'app-7')
  assert.equal(event.appName, 'orders')
  assert.equal(event.procId, '4711')
  assert.deepEqual(event.details, [
    ['trace_id', trace.traceId],
    ['span_id', trace.spanId],
    ['trace_flags', '01'],
    ['dropped_attributes', '3'],
    ['otel.scope.name', 'audit'],
    ['otel.scope.version', '1'],
    ['otel.scope.kind', 'x'],
    ['service.version', '2.1'],
    ['resource.dropped_attributes', '2'],
  ])
})

test('nested attributes are flattened, what is nested too deep is its JSON, and no name is lost', () => {
  const deep = { b: { c: { d: { e: { f: { g: { h: { i: 1 } } } } } } } }
  const long = 'a.name.that.is.longer.than.a.detail.may.be'
  const says = { list: [1, { x: true }], empty: {}, a: deep, [long]: 'kept', 'a b': 'c', __proto: 'p' }
  const event = eventOf({ body: 'x', says })
  assert.deepEqual(event.details, [
    ['list.0', '1'],
    ['list.1.x', 'true'],
    ['empty', '{}'],
    ['a.b.c.d.e.f.g.h', '{"i":1}'],
    ['__proto', 'p'],
  ])
  const log = 'portal-01-aaaaaaaaaaaaaaaa' as LogId
  const stored = parseLine(Buffer.from(renderLine(draftOf(event, log), { position: 0, time: 0 })))
  const [sent, source] = [stored.elements.at(-1), stored.elements.at(-2)]
  assert.deepEqual(sent, {
    name: 'otlp@32473',
    params: [
      [long.slice(0, 32), 'kept'],
      ['a_b', 'c'],
    ],
  })
  assert.deepEqual(source?.params, [
    ['param', `otlp@32473 ${long.slice(0, 32)} ${long}`],
    ['param', 'otlp@32473 a_b a b'],
  ])
})

test('what a record may not say is refused by name, as for a posted event', () => {
  const coded = { 'audit.code': 20101, 'audit.actor': 'jdoe', 'audit.session': 's' }
  const wrong: readonly (readonly [Different, string])[] = [
    [{ says: { ...coded, 'audit.code': 'twenty' } }, 'code'],
    [{ says: { ...coded, 'audit.outcome': 'perhaps' } }, 'outcome'],
    [{ says: { 'audit.outcome': 'perhaps' }, body: 'x' }, 'outcome'],
    [{ says: { ...coded, 'audit.component': 'a|b' } }, 'component'],
    [{ says: { 'audit.code': 20101, 'audit.session': 's' } }, 'actor'],
    [{ says: { 'audit.code': 20101, 'audit.actor': 'jdoe' } }, 'fields.sessionId'],
    [{ says: { ...coded, 'audit.fields.colour': 'red' } }, 'fields.colour'],
    [{ says: { ...coded, 'audit.sourceAddress': 'somewhere' } }, 'sourceAddress'],
    [{ says: coded, time: 2 ** 60 }, 'timeUnixNano'],
  ]
  for (const [different, field] of wrong)
    assert.throws(() => eventOf(different), { code: 'INVALID_EVENT', field }, field)
})

test('an address that is none stays a detail', () => {
  assert.deepEqual(eventOf({ body: 'x', says: { 'client.address': '/run/app.sock' } }).details, [
    ['client.address', '/run/app.sock'],
  ])
})

test("I4: a record's own uid is its identity, whatever its form", () => {
  const uid = '0193D3B0-0000-7000-8000-00000000000A'
  const own = eventOf({ body: 'x', says: { 'log.record.uid': uid } })
  assert.equal(own.id, uid.toLowerCase())
  assert.equal(own.details, undefined)
  const ulid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
  const other = eventOf({ body: 'x', says: { 'log.record.uid': ulid } })
  assert.equal(other.id, idOfUid(ulid))
  assert.deepEqual(other.details, [['log.record.uid', ulid]])
})

test('I4: ids that are made are UUIDs of version 8, the same for the same bytes and place', () => {
  const digest = digestOf(Buffer.from('body'))
  const ids = [idAt(digest, 0), idAt(digest, 1), idAt(digestOf(Buffer.from('other')), 0), idOfUid('u')]
  assert.equal(new Set(ids).size, 4)
  assert.equal(idAt(digestOf(Buffer.from('body')), 1), ids[1])
  for (const made of ids)
    assert.match(made, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('severities are those of RFC 5424', () => {
  const severities = Array.from(
    { length: 25 },
    (_, severityNumber) => eventOf({ body: 'x', severityNumber }).severity,
  )
  assert.equal(severities.join(''), '5777777776555444432110000')
  assert.equal(eventOf({ body: 'x', severityNumber: 99 }).severity, 5)
})
