// What WWW-Authenticate says (E5, E6; RFC 6750 section 3, RFC 9728 section 5.1).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnnalsError } from '../errors.ts'
import { type Challenge, challengeHeaders } from './challenge.ts'

const both: Challenge = { basic: true, resourceMetadata: () => 'https://p.example/m' }
const fields = (error: AnnalsError, challenge?: Challenge) => {
  const headers = challengeHeaders(error, challenge)
  return headers.filter((_, index) => headers[index - 1] === 'WWW-Authenticate')
}
const unauthenticated = new AnnalsError('UNAUTHENTICATED', 'valid credentials are needed')

test('E5: Basic comes first, in a field of its own', () => {
  assert.deepEqual(fields(unauthenticated, both), [
    'Basic realm="annals", charset="UTF-8"',
    'Bearer realm="annals", resource_metadata="https://p.example/m"',
  ])
})

test('S5: where Basic is switched off it is not offered', () => {
  assert.deepEqual(fields(unauthenticated, { ...both, basic: false }), [
    'Bearer realm="annals", resource_metadata="https://p.example/m"',
  ])
})

test('E5: before the portal knows its URL the challenge does without', () => {
  const nowhere = { basic: false, resourceMetadata: () => undefined }
  assert.deepEqual(fields(unauthenticated, nowhere), ['Bearer realm="annals"'])
})

test('E6: a right that is missing is no reason to log in again: the scope is named, and Basic is not', () => {
  const bearer = { error: 'insufficient_scope', scope: 'service:audit-trail' } as const
  assert.deepEqual(fields(new AnnalsError('FORBIDDEN', 'it has no scope for that', { bearer }), both), [
    'Bearer realm="annals", error="insufficient_scope", error_description="it has no scope for that", scope="service:audit-trail", resource_metadata="https://p.example/m"',
  ])
})

test('a description holds only what the grammar allows (RFC 6750 section 3)', () => {
  const error = new AnnalsError('UNAUTHENTICATED', 'a "quoted" back\\slash, ä and \r\n', {
    bearer: { error: 'invalid_token' },
  })
  const [, description] = /error_description="([^"]*)"/.exec(fields(error, both)[1] ?? '') ?? []
  assert.equal(description, "a 'quoted' back'slash, ' and ''")
})

test('a refusal that needs no other credentials has no challenge, and nobody is asked where there is none', () => {
  assert.deepEqual(fields(new AnnalsError('FORBIDDEN', 'no administrator'), both), [])
  assert.deepEqual(fields(new AnnalsError('NOT_FOUND', 'nothing here'), both), [])
  assert.deepEqual(fields(unauthenticated, undefined), [])
})
