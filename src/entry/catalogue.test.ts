import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, fieldsOf, identifierOf, lookUp, productCodes, renderTemplate } from './catalogue.ts'
import { readHeader } from './header.ts'
import { ownCodes } from './own-codes.ts'

test('the catalogue has all 154 events of the product', () => {
  assert.equal(productCodes.length, 154)
  const families = Map.groupBy(productCodes, ({ family }) => family)
  assert.deepEqual(
    [...families].map(([family, { length }]) => [family, length]),
    [
      ['Portal', 49],
      ['Engine', 18],
      ['Console', 52],
      ['Infinity', 35],
    ],
  )
  for (const code of productCodes) {
    assert.ok(Number.isSafeInteger(code.code) && code.description !== '', JSON.stringify(code))
    if (code.templateStatus === 'documented') assert.notEqual(code.template, undefined)
  }
})

test('every code is found under its component', () => {
  for (const code of catalogue) {
    const component = code.family === 'Engine' || code.family === 'Node' ? 'Engine-01' : code.family
    assert.ok(lookUp(component, code.code).includes(code), JSON.stringify(code))
    assert.ok(lookUp(component, String(code.code)).includes(code), JSON.stringify(code))
  }
  assert.deepEqual(lookUp('Portal', 10001), [])
  assert.deepEqual(lookUp('Portal', '-'), [])
})

test('the two codes of the Console that are given twice give both events, and no other code does', () => {
  const twice = catalogue.filter(({ family, code }) => family !== 'Node' && lookUp(family, code).length > 1)
  assert.deepEqual(
    twice.map(({ code }) => code),
    [52010, 52010, 52100, 52100],
  )
  assert.equal(lookUp('Console', 52010)[0]?.description, 'Portal server address updated')
})

test('placeholders become identifiers', () => {
  assert.equal(identifierOf('session id'), 'sessionId')
  assert.equal(identifierOf('roles names'), 'rolesNames')
  assert.equal(identifierOf('account'), 'account')
  assert.equal(identifierOf('user_ip_address'), 'userIpAddress')
  assert.equal(identifierOf('API credentials uid'), 'apiCredentialsUid')
  assert.equal(identifierOf('0'), 'arg0')
})

test('every template renders with identifiers, and nothing is left of its placeholders', () => {
  for (const { template } of catalogue) {
    if (template === undefined) continue
    const fields = Object.fromEntries(fieldsOf(template).map((name) => [name, `<${name}>`]))
    for (const name of Object.keys(fields)) assert.match(name, /^[a-z][A-Za-z0-9]*$/)
    assert.doesNotMatch(renderTemplate(template, fields), /[{}]/)
  }
})

test('L4: the header of every template in the product form is read, and says its component and category', () => {
  for (const { template, family, category, code } of productCodes) {
    if (!template?.startsWith('[')) continue
    const header = readHeader(template)
    assert.equal(header?.component, family === 'Engine' ? '{engine name}' : family, template)
    assert.equal(header?.category, category, template)
    // The documentation prints 20204 in the template of 20205.
    assert.equal(Number(header?.code), code === 20205 ? 20204 : code, template)
  }
})

test('a template without one of its fields is a fault of the caller', () => {
  assert.throws(() => renderTemplate('User {account} is locked', {}), /needs the field account/)
})

test('our own codes are unique, in their range, and none is anybody else’s', () => {
  const numbers = ownCodes.map(({ code }) => code)
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].toSorted((a, b) => a - b),
  )
  for (const code of numbers) {
    assert.ok(code >= 29_000 && code <= 29_999)
    assert.ok(!productCodes.some((product) => product.code === code))
  }
})
