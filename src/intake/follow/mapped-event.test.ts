import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../../entry/event.ts'
import { type FileMapping, type MappedField, parseJsonPath } from '../../entry/file-mapping.ts'
import { mappedEvent } from './mapped-event.ts'

function mapping(
  fields: Partial<Record<MappedField, string>>,
  details: FileMapping['details'] = {},
): FileMapping {
  const mapped: FileMapping['fields'] = Object.fromEntries(
    Object.entries(fields).map(([name, text]) => {
      const path = parseJsonPath(text)
      return [name, path === undefined ? { constant: text } : { path }]
    }),
  )
  return { pattern: '/x', fields: mapped, details }
}

function read(line: unknown, how: FileMapping): AuditEvent {
  const bytes = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line))
  return mappedEvent(bytes, how, {
    by: '/x',
    id: '01234567-89ab-8def-8123-456789abcdef',
    hostName: 'engine-01',
    component: 'engine-01',
  })
}

const usual = mapping({ code: '$.event.code', actor: '$.user', message: '$.msg' }, 'rest')

describe('a JSON line', () => {
  test('keeps all that it has, however deep it is nested', () => {
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const line = JSON.stringify({ event: { code: 5 }, user: 'jdoe', msg: 'x' }).replace('"x"', nested)
    const event = mappedEvent(Buffer.from(line), usual, {
      by: '/x',
      id: '01234567-89ab-8def-8123-456789abcdef',
      hostName: 'engine-01',
      component: 'engine-01',
    })
    // Node 24 cannot write such a value again, and the line is kept as it came; Node 26 can.
    const whole = event.details?.[0]?.[0] === 'unreadable'
    assert.ok(String(event.message).endsWith(whole ? line : `] ${nested}`))
  })

  test('keeps a name that JavaScript has a meaning for', () => {
    const line = Buffer.from('{"event":{"code":5},"user":"jdoe","msg":"m","__proto__":"p"}')
    const event = mappedEvent(line, usual, {
      by: '/x',
      id: '01234567-89ab-8def-8123-456789abcdef',
      hostName: 'engine-01',
      component: 'engine-01',
    })
    assert.deepEqual(event.details, [['__proto__', 'p']])
  })

  test('becomes the event that its mapping says', () => {
    const how = mapping({
      code: '$.event.code',
      component: 'Shop',
      category: 'ORDER',
      actor: '$["user name"]',
      message: '$.texts[1]',
      occurred: '$.at',
      severity: '$.level',
      outcome: '$.outcome',
      session: '$.session',
      target: '$.order',
      hostName: '$.host',
      appName: 'shop',
      procId: '$.pid',
    })
    const line = {
      event: { code: '7001' },
      'user name': 'jdoe',
      texts: ['no', 'Order placed'],
      at: '2026-01-31T12:00:00.5+01:00',
      level: 'warn',
      outcome: 'success',
      session: 12,
      order: { id: 5 },
      host: 'shop-01',
      pid: 77,
    }
    assert.deepEqual(JSON.parse(JSON.stringify(read(line, how))), {
      id: '01234567-89ab-8def-8123-456789abcdef',
      via: 'file',
      by: '/x',
      code: '7001',
      severity: 4,
      hostName: 'shop-01',
      appName: 'shop',
      procId: '77',
      component: 'Shop',
      category: 'ORDER',
      actor: 'jdoe',
      outcome: 'success',
      session: '12',
      target: '{"id":5}',
      occurred: Date.UTC(2026, 0, 31, 11, 0, 0, 500) * 1000,
      message: '[Shop|ORDER|7001|jdoe] Order placed',
    })
  })

  test('keeps whatever no field has taken, under names that can stand in an entry', () => {
    const event = read(
      {
        event: { code: 1, size: 3, deep: { a: [true, null] } },
        user: 'u',
        msg: 'm',
        'bad name': 'x',
        empty: {},
      },
      usual,
    )
    assert.deepEqual(event.details, [
      ['event.size', '3'],
      ['event.deep.a.0', 'true'],
      ['event.deep.a.1', 'null'],
      ['empty', '{}'],
      ['more', '{"bad name":"x"}'],
    ])
  })

  test('keeps what the mapping names, and nothing else', () => {
    const how = mapping({ code: '1', actor: '$.user', message: '$.msg' }, { ip: { path: ['from', 'ip'] } })
    assert.deepEqual(read({ user: 'u', msg: 'm', from: { ip: '::1', port: 1 } }, how).details, [
      ['ip', '::1'],
    ])
  })

  test('keeps numbers that JavaScript has none for as they are written', () => {
    const how = mapping({ code: '1', actor: '$.user', message: 'm', target: '$.order' }, 'rest')
    const line =
      '{"user":76561198000000001,"order":-9007199254740993,"ids":[12345678901234567890,1e999,0.5,7],"a b": 9007199254740993}'
    const { actor, target, details } = read(line, how)
    assert.deepEqual([actor, target], ['76561198000000001', '-9007199254740993'])
    assert.deepEqual(details, [
      ['ids.0', '12345678901234567890'],
      ['ids.1', '1e999'],
      ['ids.2', '0.5'],
      ['ids.3', '7'],
      ['more', '{"a b":"9007199254740993"}'],
    ])
    // A number that is a time stays one.
    const timed = mapping({ code: '1', actor: 'a', message: 'm', occurred: '$.t' }, 'rest')
    const { occurred } = read('{"t":1700000000.1234567890123456789,"id":9007199254740993}', timed)
    assert.equal(occurred, 1_700_000_000_123_457)
  })

  test('is nested as deep as it wants', () => {
    const deep = JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) as unknown
    const event = read({ event: { code: 1 }, user: 'u', msg: 'm', deep }, usual)
    assert.deepEqual(event.details, [['deep', JSON.stringify(deep)]])
  })

  test('has the times and severities of the usual loggers', () => {
    const how = mapping({ code: '1', actor: 'a', message: 'm', occurred: '$.t', severity: '$.l' })
    const moment = Date.UTC(2026, 0, 1)
    for (const t of [moment / 1000, moment, moment * 1000])
      assert.equal(read({ t }, how).occurred, moment * 1000, String(t))
    const severities = [10, 20, 30, 40, 50, 60, 0, 7, '3', 'ERROR', 'info'].map(
      (l) => read({ l }, how).severity,
    )
    assert.deepEqual(severities, [7, 7, 6, 4, 3, 2, 0, 7, 3, 3, 6])
  })

  test('says who sent it as JSON where that is no text', () => {
    const how = mapping(
      { code: '1', actor: 'a', message: 'm', hostName: '$.h', appName: '$.p', procId: '$.i' },
      'rest',
    )
    const { hostName, appName, procId } = read({ h: { name: 'x' }, p: ['shop', 2], i: null }, how)
    assert.deepEqual([hostName, appName, procId], ['{"name":"x"}', '["shop",2]', undefined])
  })

  test('takes its message from the catalogue where it has none of its own', () => {
    const how = mapping({ code: '$.code', component: 'Portal', actor: '$.who', session: '$.sid' })
    const { message, category } = read({ code: 20101, who: 'jdoe', sid: 's-1' }, how)
    assert.equal(message, '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1')
    assert.equal(category, 'LOGIN')
  })
})

describe('a line that the mapping cannot read is kept whole, and says why', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no JSON', 'plain text', /^it is not JSON$/],
    ['no object', '[1]', /^it is not a JSON object$/],
    ['no code', '{"user":"u","msg":"m"}', /"code" is missing/],
    ['a wrong code', '{"event":{"code":"x"},"user":"u","msg":"m"}', /"code" is "x"/],
    ['no message', '{"event":{"code":999999},"user":"u"}', /"message" is missing/],
  ]
  for (const [name, line, reason] of cases)
    test(name, () => {
      const event = read(line, usual)
      assert.equal(Buffer.from(event.message).toString(), line)
      assert.equal(event.code, '-')
      assert.equal(event.via, 'file')
      assert.equal(event.details?.[0]?.[0], 'unreadable')
      assert.match(event.details?.[0]?.[1] ?? '', reason)
    })

  test('a severity that is neither a number nor a text', () => {
    const how = mapping({ code: '1', actor: 'a', message: 'm', severity: '$.l' })
    for (const l of [true, false, [], [3], {}])
      assert.match(read({ l }, how).details?.[0]?.[1] ?? '', /^"severity" is /, JSON.stringify(l))
  })

  test('bytes that are no UTF-8', () => {
    const line = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
    const event = mappedEvent(line, usual, { by: '/x', id: '0', hostName: 'h', component: 'c' })
    assert.deepEqual(event.message, line)
  })
})
