import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import {
  checkMac,
  hashOf,
  macOf,
  parseAnswer,
  parseRequest,
  renderAnswer,
  renderRequest,
  tokenIdOf,
} from './enrolment.ts'
import { node, portalName, requestOf } from './testing/registry-fixture.ts'

const token = '0123456789abcdef'
const key = Buffer.alloc(32, 7)

const [engine, other, portal] = await Promise.all([node('engine-01'), node('engine-02'), node(portalName)])

test('a request says exactly what was put in', () => {
  const asked = request()
  const body = renderRequest(asked)
  assert.deepEqual(parseRequest(body), asked)
  assert.equal(tokenIdOf(body), token)
})

test('a request that is not exactly one is refused, saying what is expected', () => {
  const plain = JSON.parse(renderRequest(request()).toString()) as Record<string, unknown>
  const { nonce: _nonce, ...incomplete } = plain
  const wrong: [object | string, RegExp][] = [
    ['', /JSON object/],
    ['[]', /JSON object/],
    ['null', /JSON object/],
    [{ ...plain, version: 2 }, /"version" is to be 1/],
    [{ ...plain, version: '1' }, /"version"/],
    [incomplete, /"nonce" is to be a text/],
    [{ ...plain, more: '' }, /nothing but/],
    [{ ...plain, token: token.toUpperCase() }, /"token"/],
    [{ ...plain, hostName: 'Engine-01' }, /"hostName".*lower case/],
    [{ ...plain, hostName: 'engine_01' }, /"hostName"/],
    [{ ...plain, hostName: 7 }, /"hostName" is to be a text/],
    [{ ...plain, hostName: 'engine-02' }, /"log" does not fit/],
    [{ ...plain, log: other.log }, /"log" does not fit/],
    [{ ...plain, logKey: other.logKey }, /"log" does not fit/],
    [{ ...plain, logKey: 'AAAA' }, /"logKey"/],
    [{ ...plain, logKey: `${engine.logKey} ` }, /"logKey"/],
    [{ ...plain, keys: other.keys }, /of another name/],
    [{ ...plain, keys: 'key' }, /no key/],
    [{ ...plain, keys: 7 }, /nothing but/],
    [{ ...plain, certificate: other.certificate.pem }, /"certificate" is for another host name/],
    [{ ...plain, certificate: 'none' }, /certificate/],
    [{ ...plain, address: 'engine-01' }, /"address"/],
    [{ ...plain, nonce: 'short' }, /"nonce"/],
  ]
  for (const [message, expected] of wrong) {
    const body = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))
    assert.throws(
      () => parseRequest(body),
      (error) => {
        assert.ok(isAnnalsError(error, 'INVALID_INPUT'))
        assert.match(error.message, expected)
        return true
      },
    )
  }
})

test('a MAC is the one of the design, and of one side and one body only', () => {
  const body = renderRequest(request())
  const mac = macOf(key, 'engine', body)
  const expected = createHmac('sha256', key).update(Buffer.concat([Buffer.from('engine'), body]))
  assert.equal(mac, expected.digest('hex'))
  assert.ok(checkMac(key, 'engine', body, mac))
  assert.ok(!checkMac(key, 'portal', body, mac))
  assert.ok(!checkMac(Buffer.alloc(32, 8), 'engine', body, mac))
  assert.ok(!checkMac(key, 'engine', Buffer.concat([body, Buffer.from(' ')]), mac))
  for (const wrong of ['', mac.slice(1), `${mac}0`, mac.toUpperCase(), `é${mac.slice(1)}`, 'x'.repeat(64)])
    assert.ok(!checkMac(key, 'engine', body, wrong), wrong)
})

test('every byte of an answer that is changed on its way is noticed', () => {
  const asked = renderRequest(request())
  const body = renderAnswer(answerTo(asked))
  const mac = macOf(key, 'portal', body)
  assert.equal(parseAnswer(key, body, mac, asked).hostName, portalName)
  for (let at = 0; at < body.length; at += 7) {
    const changed = Buffer.from(body)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.throws(() => parseAnswer(key, changed, mac, asked), refused)
  }
})

test('an answer of somebody who has another key, or none, is refused', () => {
  const asked = renderRequest(request())
  const body = renderAnswer(answerTo(asked))
  for (const mac of ['', macOf(Buffer.alloc(32, 8), 'portal', body), macOf(key, 'engine', body)])
    assert.throws(() => parseAnswer(key, body, mac, asked), refused)
})

test('an answer to another request of the same engine is refused', () => {
  const [first, second] = [renderRequest(request()), renderRequest(request())]
  const body = renderAnswer(answerTo(first))
  const mac = macOf(key, 'portal', body)
  assert.throws(() => parseAnswer(key, body, mac, second), refused)
})

test('a request that comes back is no answer', () => {
  const asked = renderRequest(request())
  assert.throws(() => parseAnswer(key, asked, macOf(key, 'engine', asked), asked), refused)
})

function request() {
  return requestOf(engine, token)
}

function answerTo(body: Buffer) {
  return { ...portal, nonce: randomBytes(16).toString('base64url'), request: hashOf(body) }
}

function refused(error: unknown): boolean {
  assert.ok(isAnnalsError(error, 'JOIN_REFUSED'))
  assert.match(error.message, /does not come from the portal that made the token, or was changed on its way/)
  return true
}
