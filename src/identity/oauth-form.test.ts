import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from './oauth-error.ts'
import { demand, parseForm, textOf } from './oauth-form.ts'

const formType = 'application/x-www-form-urlencoded'

function parse(body: string, contentType: string | undefined = formType) {
  return parseForm({ authorization: undefined, contentType, body })
}

function isRefused(pattern: RegExp) {
  return (error: unknown) =>
    error instanceof OAuthError && error.error === 'invalid_request' && pattern.test(error.message)
}

test('a form is decoded as browsers encode it', () => {
  const form = parse('grant_type=client_credentials&scope=a+b%20c&client_secret=%2B%C3%A9')
  assert.deepEqual(
    [...form],
    [
      ['grant_type', 'client_credentials'],
      ['scope', 'a b c'],
      ['client_secret', '+é'],
    ],
  )
})

test('the type of a form may have parameters, and any case', () => {
  for (const type of [`${formType}; charset=UTF-8`, 'Application/X-WWW-Form-Urlencoded', `${formType} ;x=y`])
    assert.equal(parse('a=b', type).get('a'), 'b')
})

test('a body of another type, or of none, is refused', () => {
  for (const type of ['application/json', '', 'multipart/form-data', `${formType}2`])
    assert.throws(() => parse('a=b', type), isRefused(/x-www-form-urlencoded/))
  assert.throws(
    () => parseForm({ authorization: undefined, contentType: undefined, body: 'a=b' }),
    isRefused(/x-www-form-urlencoded/),
  )
})

test('a parameter without a value is not there', () => {
  const form = parse('scope=&client_id&resource=&resource=x')
  assert.deepEqual([...form], [['resource', 'x']])
})

test('a parameter that is there twice is refused, known or not, with the same value or not', () => {
  assert.throws(() => parse('scope=a&scope=b'), isRefused(/twice: scope/))
  assert.throws(() => parse('scope=a&scope=a'), isRefused(/twice: scope/))
  assert.throws(() => parse('Hunter2=a&Hunter2=b'), isRefused(/twice: one that is not known here/))
})

test('a parameter that must be there is demanded by its name', () => {
  assert.equal(demand(parse('token=x'), 'token'), 'x')
  assert.throws(() => demand(parse(''), 'token'), isRefused(/the parameter token is missing/))
})

test('base64 of what is no UTF-8 is no text', () => {
  assert.equal(textOf(Buffer.from('é:x').toString('base64')), 'é:x')
  assert.equal(textOf(Buffer.from([0xff, 0x3a]).toString('base64')), undefined)
})
