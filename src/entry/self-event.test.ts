import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, fieldsOf } from './catalogue.ts'
import { draftOf, parseLine, renderLine } from './line.ts'
import { selfEvent } from './self-event.ts'
import { testLog } from './arbitrary.test.ts'

const hostName = 'portal-01'

test('an event of the node’s own says what the template says', () => {
  const login = selfEvent({ code: 20101, actor: 'jdoe', session: 's-1', hostName, outcome: 'success' })
  assert.equal(login.message, '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1')
  assert.deepEqual([login.via, login.by, login.code, login.severity], ['self', '*system', '20101', 5])
  assert.deepEqual(
    [login.component, login.category, login.actor, login.session],
    ['Portal', 'LOGIN', 'jdoe', 's-1'],
  )
  assert.equal(login.eventParams, undefined)
  const failed = selfEvent({
    code: '20103',
    actor: '*system',
    hostName,
    outcome: 'failure',
    fields: { account: 'jdoe', reason: 'wrong password' },
  })
  assert.equal(
    failed.message,
    '[Portal|LOGIN|20103|*system] User jdoe failed login attempts - wrong password',
  )
  assert.equal(failed.severity, 4)
})

test('every field stands in the entry once, under its own name', () => {
  const event = selfEvent({
    code: 29013,
    actor: '*system',
    hostName,
    component: 'Engine-01',
    fields: { bytes: '24', file: 'cut-1' },
    eventParams: [['bytes', '24']],
  })
  assert.equal(
    event.message,
    '[Engine-01|AUDIT|29013|*system] 24 bytes cut from the end of the log after an unclean stop',
  )
  assert.deepEqual(event.eventParams, [
    ['bytes', '24'],
    ['file', 'cut-1'],
  ])
})

test('an event without a documented template says its description, under its own code', () => {
  const added = selfEvent({ code: 20701, actor: 'admin', hostName })
  assert.equal(added.message, '[Portal|20701|admin] Engine added')
  const owned = selfEvent({ code: 20205, actor: 'admin', hostName, fields: { n: '3', account: 'x' } })
  assert.equal(owned.message, '[Portal|USER|20205|admin] Updated x ownership of 3 users')
})

test('every code of the catalogue can be written, and reads back', () => {
  for (const { family, code, template = '', category } of catalogue) {
    const component = family === 'Engine' || family === 'Node' ? 'Engine-01' : family
    const fields = Object.fromEntries(
      fieldsOf(template).map((name) => [name, name === 'engineName' ? 'Engine-01' : name]),
    )
    const event = selfEvent({ code, actor: 'admin', hostName, component, fields })
    const entry = parseLine(Buffer.from(renderLine(draftOf(event, testLog), { position: 0, time: 0 })))
    assert.equal(entry.code, String(code))
    assert.equal(entry.elements[0]?.params.find(([name]) => name === 'category')?.[1], category)
  }
})

test('a code that is not in the catalogue, or a missing field, is a fault of the caller', () => {
  assert.throws(() => selfEvent({ code: 29999, actor: 'x', hostName }), TypeError)
  assert.throws(() => selfEvent({ code: 20201, actor: 'x', hostName }), /needs the field createdAccount/)
})
