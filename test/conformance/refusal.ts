// The form that every refusal has (table E).

import assert from 'node:assert/strict'
import type { Answer } from './wire.ts'

/** Demands a refusal in the contract's form. Returns its elements. */
export function refusal(answer: Answer, status: number, code: string): Record<string, string>[] {
  assert.equal(answer.status, status, answer.body.toString('utf8', 0, 500))
  assert.equal(answer.headers['content-type'], 'application/json')
  const elements = elementsOf(answer.body)
  assert.equal(elements[0]?.['code'], code)
  return elements
}

/** Demands that a body is an array of refusals whose messages give nothing away. Returns them. */
export function elementsOf(body: Buffer): Record<string, string>[] {
  const elements = JSON.parse(body.toString()) as Record<string, string>[]
  assert.ok(Array.isArray(elements) && elements.length > 0)
  for (const { code, message } of elements) {
    assert.match(String(code), /^[A-Z_]+$/)
    assert.ok(typeof message === 'string' && message.length > 0)
    assert.doesNotMatch(message, /\n|\bat .*:\d+:\d+|\/(home|tmp|var|usr)\//)
  }
  return elements
}
