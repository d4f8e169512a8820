import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from './address.ts'

test('host names and addresses with a port can be called', () => {
  const read = [
    'engine-01:8443',
    'engine-01.example.com:1',
    '10.0.0.7:65535',
    '[::1]:8443',
    '[fd00::7]:443',
  ].map(parseAddress)
  assert.deepEqual(read, [
    { host: 'engine-01', port: 8443 },
    { host: 'engine-01.example.com', port: 1 },
    { host: '10.0.0.7', port: 65535 },
    { host: '::1', port: 8443 },
    { host: 'fd00::7', port: 443 },
  ])
})

test('nothing else is an address', () => {
  for (const text of [
    '',
    'engine-01',
    'engine-01:',
    ':8443',
    'engine-01:0',
    'engine-01:08443',
    'engine-01:65536',
    'engine-01:8443/',
    'http://engine-01:8443',
    'user@engine-01:8443',
    'engine_01:8443',
    '::1:8443',
    '[engine-01]:8443',
    '[::1%eth0]:8443',
    'engine-01:8443\n',
    // Everywhere and nowhere.
    '0.0.0.0:8443',
    '[::]:8443',
  ]) {
    assert.equal(parseAddress(text), undefined, text)
  }
})
