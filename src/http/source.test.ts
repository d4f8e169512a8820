import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { sourceOf } from './source.ts'

const proxies = new Set(['10.0.0.1', '10.0.0.2', '::1'])
const trusts = (address: string) => proxies.has(address)

function source(
  peer: string,
  told: string | undefined,
  node: Parameters<typeof sourceOf>[0] = { trusts },
): string {
  const headers = told === undefined ? {} : { 'x-forwarded-for': told }
  const raw = { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage
  return sourceOf(node, { raw })
}

test('S7: without a trusted proxy the peer itself is the source, whatever it says', () => {
  assert.equal(source('192.0.2.1', '198.51.100.1'), '192.0.2.1')
  assert.equal(source('10.0.0.1', '198.51.100.1', {}), '10.0.0.1')
  assert.equal(source('::ffff:192.0.2.1', undefined), '192.0.2.1')
})

test('S7: behind trusted proxies it is the last address that none of them has', () => {
  assert.equal(source('10.0.0.1', '198.51.100.1'), '198.51.100.1')
  assert.equal(source('10.0.0.1', '203.0.113.9, 198.51.100.1, 10.0.0.2'), '198.51.100.1')
  assert.equal(source('::1', '2001:db8::1'), '2001:db8::1')
  assert.equal(source('::ffff:10.0.0.1', '[2001:db8::1]:4711'), '2001:db8::1')
  assert.equal(source('10.0.0.1', '198.51.100.1:80'), '198.51.100.1')
  assert.equal(source('10.0.0.1', '::ffff:198.51.100.1'), '198.51.100.1')
})

test('S7: what is no address is not believed, and the proxy that passed it on is named', () => {
  for (const told of ['unknown', '', 'a, b', '203.0.113.9, <script>', '1.2.3.4.5', '198.51.100.1, '])
    assert.equal(source('10.0.0.1', told), '10.0.0.1', told)
  assert.equal(source('10.0.0.1', undefined), '10.0.0.1')
})
