import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnnalsError } from '../errors.ts'
import { EngineFailure, failureOf, unreachable } from './failure.ts'

test('what the network, TLS and the engine say becomes one of few reasons', () => {
  const expected = {
    ECONNREFUSED: 'refused',
    UND_ERR_CONNECT_TIMEOUT: 'timeout',
    EHOSTUNREACH: 'network',
    ERR_CERTIFICATE_NOT_PINNED: 'certificate',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate',
    ERR_SSL_WRONG_VERSION_NUMBER: 'tls',
    EPROTO: 'tls',
    ECONNRESET: 'cut',
    UND_ERR_SOCKET: 'cut',
  }
  for (const [code, reason] of Object.entries(expected)) {
    assert.equal(failureOf(Object.assign(new Error('x'), { code })).reason, reason, code)
  }
  assert.equal(failureOf(new DOMException('too late', 'TimeoutError')).reason, 'timeout')
  assert.equal(failureOf(new AnnalsError('INVALID_PARAMETER', 'x')).reason, 'answer')
  assert.equal(failureOf(new EngineFailure('stalled')).reason, 'stalled')
})

test('E2: the caller is told which engine and why, and no address; the operator is told more', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:8444'), { code: 'ECONNREFUSED' })
  const error = unreachable('engine-01', failureOf(cause))
  assert.deepEqual([error.code, error.engine], ['UNREACHABLE_ENGINE', 'engine-01'])
  assert.equal(error.message, 'the engine "engine-01" cannot be read: the connection was refused')
  assert.match(error.detail ?? '', /10\.0\.0\.7:8444/)
})
