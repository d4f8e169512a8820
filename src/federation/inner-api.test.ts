import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  isRun,
  parseDescription,
  parseFixedWindow,
  parseHolds,
  parseQuestion,
  parseRun,
  parsePortalKeys,
  parseTokens,
  type Question,
  renderQuestion,
  renderRun,
} from './inner-api.ts'

const reader = { name: 'siem', session: 'a1', source: '10.0.0.1', method: 'GET' }

describe('the inner API', () => {
  test('a question is read as it was written', () => {
    const questions: Question[] = [
      { of: {}, reader },
      { of: { before: 1_700_000_000_000_000 }, reader },
      { of: { before: -5, elapsed: 0 }, reader },
      { of: { elapsed: 3_600_000_000 }, reader: { name: 'a', source: '::1', method: 'HEAD' } },
      { of: { from: 0, to: 0 }, reader },
      { of: { from: 7, to: 9 }, reader },
    ]
    for (const question of questions) {
      const read = parseQuestion(JSON.parse(renderQuestion(question)))
      assert.deepEqual(read, question)
      assert.equal(isRun(read.of), 'to' in question.of)
    }
  })

  test('what is no question is refused', () => {
    const bad = [
      undefined,
      [],
      'x',
      {},
      { ...reader, name: '' },
      { ...reader, session: 5 },
      { ...reader, before: 1.5 },
      { ...reader, elapsed: -1 },
      { ...reader, from: 3 },
      { ...reader, from: 3, to: 2 },
      { ...reader, from: '3', to: 4 },
    ]
    for (const body of bad) assert.throws(() => parseQuestion(body), { code: 'INVALID_PARAMETER' })
  })

  test('a window that cannot be is refused: no length for entries, or a length for none', () => {
    const fixed = {
      log: 'engine-01-abc',
      from: 2,
      to: 4,
      bytes: 100,
      start: Number.MIN_SAFE_INTEGER,
      end: 5,
      now: 6,
      mark: 3,
    }
    assert.deepEqual(parseFixedWindow(fixed), fixed)
    assert.deepEqual(parseFixedWindow({ ...fixed, to: 2, bytes: 0 }), { ...fixed, to: 2, bytes: 0 })
    for (const wrong of [
      { bytes: 0 },
      { bytes: 1 },
      { to: 2 },
      { to: 1 },
      { from: -1 },
      { bytes: '100' },
      { mark: -1 },
      { mark: '1' },
      { now: undefined },
      { log: '' },
    ]) {
      assert.throws(() => parseFixedWindow({ ...fixed, ...wrong }), { code: 'INVALID_PARAMETER' })
    }
  })

  test('a description may lack times, and what was told of tokens and keys, and nothing else', () => {
    const description = {
      hostName: 'engine-01',
      log: 'engine-01-abc',
      size: 0,
      bytes: 0,
      version: '1',
      clock: 5,
      certificates: ['PEM'],
      holds: [],
    }
    const told = { tokens: undefined, keys: undefined, portalKeys: undefined }
    const none = { firstTime: undefined, lastTime: undefined, ...told }
    assert.deepEqual(parseDescription(description), { ...description, ...none })
    for (const name of Object.keys(description)) {
      assert.throws(() => parseDescription({ ...description, [name]: undefined }), {
        code: 'INVALID_PARAMETER',
      })
    }
    assert.throws(() => parseDescription({ ...description, certificates: ['a', 'b', 'c'] }))
    assert.equal(parseDescription({ ...description, tokens: 'x' }).tokens, 'x')
    for (const name of ['tokens', 'keys', 'portalKeys'])
      assert.throws(() => parseDescription({ ...description, [name]: 5 }), { code: 'INVALID_PARAMETER' })
    assert.equal(parsePortalKeys({ portalKeys: 'x' }), 'x')
    assert.throws(() => parsePortalKeys({}), { code: 'INVALID_PARAMETER' })
    assert.equal(parseTokens({ tokens: 'x' }), 'x')
    assert.throws(() => parseTokens({}), { code: 'INVALID_PARAMETER' })
    assert.deepEqual(parseHolds({ holds: ['a', 'b'] }), ['a', 'b'])
    assert.throws(() => parseHolds({ holds: 'a' }), { code: 'INVALID_PARAMETER' })
  })

  test('a run in a query is exactly two positions in order', () => {
    assert.deepEqual(parseRun(renderRun({ from: 12, to: 345 })), { from: 12, to: 345 })
    for (const query of [
      '',
      'from=1',
      'to=1&from=0',
      'from=2&to=1',
      'from=-1&to=1',
      'from=1&to=2&x=3',
      'from=1e3&to=2000',
    ]) {
      assert.throws(() => parseRun(query), { code: 'INVALID_PARAMETER' }, query)
    }
  })
})
