import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loopback, networkOf } from './network.ts'

test('an IPv4 address is a network of its own, however it is written', () => {
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
})

test('of an IPv6 address the first 64 bits count', () => {
  for (const address of ['2001:db8::1', '2001:db8:0:0:ffff::9', '2001:DB8:0:0:1:2:3:4', '2001:db8::%eth0'])
    assert.equal(networkOf(address), '2001:db8:0:0::/64')
  assert.equal(networkOf('2001:db8:0:1::1'), '2001:db8:0:1::/64')
  assert.equal(networkOf('64:ff9b::192.0.2.33'), '64:ff9b:0:0::/64')
})

test('the machine itself is one network, by whatever address', () => {
  for (const address of ['127.0.0.1', '127.9.8.7', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])
    assert.equal(networkOf(address), loopback)
  assert.notEqual(networkOf('::2'), loopback)
})

test('what is no address is a network of its own', () => {
  assert.equal(networkOf('unknown'), 'unknown')
})
