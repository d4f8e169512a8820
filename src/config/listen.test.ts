import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatListen, isLoopback, parseListen } from './listen.ts'

test('an address is a host and a port', () => {
  assert.deepEqual(parseListen('127.0.0.1:8080'), { host: '127.0.0.1', port: 8080 })
  assert.deepEqual(parseListen('[::1]:0'), { host: '::1', port: 0 })
  assert.deepEqual(parseListen('localhost:65535'), { host: 'localhost', port: 65535 })
})

test('what is no address is refused', () => {
  for (const text of [
    '',
    '8080',
    ':8080',
    '::1:8080',
    '127.0.0.1',
    '127.0.0.1:65536',
    'a b:1',
    '[127.0.0.1]:1',
    'h:-1',
  ]) {
    assert.equal(parseListen(text), undefined, text)
  }
})

test('every address is read back as it was written', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
      fc.integer({ min: 0, max: 65_535 }),
      (host, port) => {
        assert.deepEqual(parseListen(formatListen({ host, port })), { host, port })
      },
    ),
  )
})

test('loopback is what other machines cannot reach', () => {
  for (const host of ['127.0.0.1', '127.9.8.7', '::1', 'localhost', 'Portal.LOCALHOST', '::ffff:127.0.0.1']) {
    assert.equal(isLoopback(host), true, host)
  }
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    'localhost.example.com',
    'notlocalhost',
    '::2',
  ]) {
    assert.equal(isLoopback(host), false, host)
  }
})
