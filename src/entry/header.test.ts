import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHeader, renderHeader } from './header.ts'

test('L4: the first [...] of a message is its header', () => {
  assert.deepEqual(
    readHeader('[Engine-01|DBMGR|10028|ext.audit] Manual tagging:[Remote [EMEA]|Finance laptops]'),
    {
      component: 'Engine-01',
      category: 'DBMGR',
      code: '10028',
      actor: 'ext.audit',
    },
  )
  assert.deepEqual(
    readHeader('[Portal|LOGIN|20103|*system] User x failed login attempts - a|b')?.actor,
    '*system',
  )
})

test('L4: a header without a category has three fields', () => {
  const header = { component: 'Console', category: undefined, code: '50000', actor: 'admin' }
  assert.deepEqual(readHeader('[Console|50000|admin] Login successful'), header)
  assert.equal(renderHeader(header), '[Console|50000|admin]')
})

test('L4: an actor that looks like a code is not read as one', () => {
  const header = { component: 'Shop', category: undefined, code: '40001', actor: '29001|*system' }
  assert.deepEqual(readHeader(renderHeader(header)), header)
})

test('L4: an actor may hold | and is cut at ]', () => {
  assert.equal(readHeader('[Portal|USER|20203|j|doe] x')?.actor, 'j|doe')
  assert.equal(readHeader('[Portal|USER|20203|j|d]oe] User [x|y] updated')?.actor, 'j|d')
  assert.equal(readHeader('[Portal|20203|20204|x] y')?.category, '20203')
  assert.equal(readHeader('[Portal|USER|20203|] x')?.actor, '')
})

test('L4: bytes are read as text', () => {
  assert.equal(readHeader(Buffer.from('[Portal|USER|20203|jörg] \xff', 'utf8'))?.actor, 'jörg')
  assert.equal(readHeader(Buffer.from('[P|U|1|j\xf6rg] \xff', 'latin1'))?.actor, 'j\udcf6rg')
})

test('L4: what is no header is none', () => {
  for (const message of [
    '',
    'x',
    '[',
    '[]',
    '[a|b]',
    '[a|b|c|d] x',
    ' [a|b|1|d]',
    '[a|b|1|d',
    '[|b|1|d] x',
  ]) {
    assert.equal(readHeader(message), undefined, message)
    assert.equal(readHeader(Buffer.from(message)), undefined, message)
  }
})
