import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { catalogue, fieldsOf } from '../entry/catalogue.ts'
import { draftOf } from '../entry/line.ts'
import type { LogId } from '../entry/event.ts'
import { isAnnalsError } from '../errors.ts'
import { PostedEvent } from './event-schema.ts'
import { parsePosted } from './posted-event.ts'

const context = { via: 'http', by: 'app', hostName: 'node-01', component: 'engine-01' } as const

function parsed(value: unknown) {
  return parsePosted(value, context)
}

function refused(value: unknown, field: string | RegExp | undefined, message: RegExp): void {
  assert.throws(
    () => parsed(value),
    (error) => {
      assert.ok(isAnnalsError(error, 'INVALID_EVENT'))
      if (field instanceof RegExp) assert.match(error.field ?? '', field)
      else assert.equal(error.field, field)
      assert.match(error.message, message)
      return true
    },
  )
}

describe('completing an event from the catalogue', () => {
  test('a code, a component, an actor and a session are enough for a login', () => {
    const { id, ...event } = parsed({ code: 20101, component: 'Portal', actor: 'jdoe', session: 's-1' })
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4/)
    assert.deepEqual(JSON.parse(JSON.stringify(event)), {
      via: 'http',
      by: 'app',
      code: '20101',
      severity: 5,
      hostName: 'node-01',
      component: 'Portal',
      category: 'LOGIN',
      actor: 'jdoe',
      session: 's-1',
      message: '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1',
    })
  })

  test('a message is taken as it is, and the template is not applied', () => {
    const event = parsed({ code: 20101, component: 'Portal', actor: 'jdoe', message: 'in at last' })
    assert.equal(event.message, '[Portal|LOGIN|20101|jdoe] in at last')
  })

  test('without a component a code of the portal is the portal’s, and any other the node’s', () => {
    assert.equal(parsed({ code: 20104, actor: 'jdoe' }).component, 'Portal')
    assert.equal(parsed({ code: 10001, actor: 'nxengine' }).component, 'engine-01')
    assert.equal(parsed({ code: 5, actor: 'app', message: 'x' }).component, 'engine-01')
  })

  test('a template’s own actor does where none is given', () => {
    const event = parsed({
      code: 20103,
      component: 'Portal',
      fields: { account: 'jdoe', reason: 'password' },
    })
    assert.equal(event.actor, '*system')
    assert.equal(event.message, '[Portal|LOGIN|20103|*system] User jdoe failed login attempts - password')
    assert.deepEqual(event.eventParams, [
      ['account', 'jdoe'],
      ['reason', 'password'],
    ])
  })

  test('every template of the catalogue can be filled in with the fields that it states', () => {
    for (const { family, code, template } of catalogue) {
      if (template === undefined) continue
      const fields = Object.fromEntries(fieldsOf(template).map((name) => [name, `<${name}>`]))
      const component = family === 'Engine' || family === 'Node' ? 'engine-01' : family
      const { message } = parsed({ code, component, actor: 'jdoe', fields })
      assert.doesNotMatch(String(message), /\{/, `${family} ${code}`)
    }
  })

  test('every field has its place in the entry', () => {
    const event = parsed({
      id: '0199F8A0-0000-7000-8000-00000000ABCD',
      code: 77,
      component: 'Billing',
      category: 'PAY',
      actor: 'jdoe',
      message: 'paid',
      severity: 2,
      outcome: 'failure',
      sourceAddress: '2001:db8::1',
      session: 's',
      target: 'invoice 9',
      occurred: '2026-01-31T13:00:00.1234567+01:00',
      details: { n: 1.5, ok: true, no: null, deep: { list: ['a', { b: 2 }], none: {}, empty: [] } },
    })
    assert.equal(event.id, '0199f8a0-0000-7000-8000-00000000abcd')
    assert.equal(event.occurred, Date.UTC(2026, 0, 31, 12) * 1000 + 123_456)
    assert.deepEqual(event.eventParams, [['sourceAddress', '2001:db8::1']])
    assert.deepEqual(event.details, [
      ['n', '1.5'],
      ['ok', 'true'],
      ['no', 'null'],
      ['deep.list.0', 'a'],
      ['deep.list.1.b', '2'],
      ['deep.none', '{}'],
      ['deep.empty', '[]'],
    ])
    const { rest } = draftOf(event, 'node-01-abcdefghijklmnop' as LogId)
    assert.match(
      rest,
      /outcome="failure" session="s" target="invoice 9" sourceAddress="2001:db8::1"\]\[detail@/,
    )
  })
})

describe('refusing an event', () => {
  const login = { code: 20101, component: 'Portal', actor: 'jdoe', session: 's' }
  const free = { code: 5, actor: 'a', message: 'm' }

  test('what is no object is refused as such', () => {
    for (const value of [null, [], 'x', 5, [login]]) refused(value, undefined, /expected to be a JSON object/)
  })

  test('an unknown field is refused by its name', () => {
    refused({ ...login, actr: 'x' }, 'actr', /"actr" is not known: expected one of id, code, component/)
    refused({ ...login, fields: { sesionId: 's' } }, 'fields.sesionId', /expected account, sessionId/)
    refused({ ...free, fields: { any: 1 } }, 'fields.any', /expected none, for this code has no template/)
  })

  test('a field that the template needs is named where it is missing', () => {
    refused(
      { code: 20101, component: 'Portal', actor: 'jdoe' },
      'fields.sessionId',
      /needs account, sessionId; "session" says it, too$/,
    )
    refused({ code: 20101, component: 'Portal', session: 's' }, 'actor', /expected who did it/)
    refused({ code: 5, actor: 'a' }, 'message', /the catalogue has no template for code 5 of engine-01/)
    refused({ actor: 'a' }, 'code', /is missing: expected a whole number/)
  })

  test('each field of a wrong kind says what was expected', () => {
    const wrong: Record<string, unknown> = {
      id: 'abc',
      code: 1.5,
      component: 'a|b',
      category: '',
      actor: 5,
      message: ['x'],
      severity: 8,
      outcome: 'good',
      sourceAddress: 'localhost',
      session: '',
      target: 'x'.repeat(2000),
      occurred: '2026-01-31',
      fields: 'x',
      details: [1],
    }
    assert.deepEqual(Object.keys(wrong), Object.keys(PostedEvent.properties))
    for (const [field, value] of Object.entries(wrong))
      refused({ ...free, [field]: value }, field, new RegExp(`"${field}" is .*: expected `))
    refused({ ...login, fields: { sessionId: {} } }, 'fields.sessionId', /is an object: expected/)
  })

  test('what is told of a long value, or name, has a mark where it is cut', () => {
    const cut = 'x'.repeat(64)
    refused(
      { ...free, actor: 'x'.repeat(1_025) },
      'actor',
      new RegExp(`^"actor" is "${cut}…": expected 1 to 1024`),
    )
    refused({ ...free, id: cut }, 'id', new RegExp(`^"id" is "${cut}": expected a UUID`))
    refused({ ...free, [`${cut}y`]: 1 }, `${cut}…`, new RegExp(`^"${cut}…" is not known`))
    refused({ ...free, details: { [`${cut}y`]: 1 } }, /x…$/, /x…" has a name that is not expected/)
  })

  test('a number that JSON can write and nobody can hold is not called null', () => {
    refused(JSON.parse('{"code":1e400}'), 'code', /"code" is a number that is too large: expected a whole/)
  })

  test('a time that the calendar does not have is refused', () => {
    refused({ ...free, occurred: '2025-02-30T00:00:00Z' }, 'occurred', /no such date/)
    refused({ ...free, occurred: '0001-01-01T00:00:00Z' }, 'occurred', /from 1685 to 2254/)
    refused({ ...free, occurred: '9999-12-31T23:59:59.999Z' }, 'occurred', /from 1685 to 2254/)
  })

  test('a number that cannot be kept exactly is refused', () => {
    for (const [name, json] of [
      ['account', '12345678901234567890'],
      ['x', '1e400'],
    ] as const) {
      const details = JSON.parse(`{"deep": {"${name}": ${json}}}`)
      refused({ ...free, details }, `details.deep.${name}`, /send it as a text/)
    }
    refused(
      { ...login, fields: JSON.parse('{"sessionId": 9007199254740993}') },
      'fields.sessionId',
      /send it as a text/,
    )
    assert.deepEqual(parsed({ ...free, details: { big: 9007199254740991, small: 1.5e-300 } }).details, [
      ['big', '9007199254740991'],
      ['small', '1.5e-300'],
    ])
  })

  test('names that are the same once they are flattened are refused by that name', () => {
    refused({ ...free, details: { 'a.b': 1, a: { b: 2 } } }, 'details.a.b', /comes twice/)
    refused({ ...free, details: { x: { a: [1], 'a.0': 2 } } }, 'details.x.a.0', /comes twice/)
  })

  test('a detail’s name that does not fit is refused, nested as it may be', () => {
    refused({ ...free, details: { 'a b': 1 } }, 'details.a b', /has a name that is not expected/)
    refused({ ...free, details: { a: { ['b'.repeat(31)]: 1 } } }, `details.a.${'b'.repeat(31)}`, /at most 32/)
    let deep: unknown = 1
    for (let k = 0; k < 20; k += 1) deep = { a: deep }
    refused({ ...free, details: { deep } }, 'details', /nested deeper than 8 levels/)
  })
})
