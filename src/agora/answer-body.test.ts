import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assert as check, array, property, uint8Array, integer } from 'fast-check'
import { instanceChunkLineBytes } from '../limits.ts'
import { type AnswerBody, bodyOf } from './answer-body.ts'
import { chunkedAnswer } from './testing/scripted-instance.ts'

/** The body that follows a head with these fields. */
function body(fields: Readonly<Record<string, readonly string[]>>, method = 'GET', status = 200): AnswerBody {
  return bodyOf(method, status, (name) => fields[name] ?? [])
}

const counted = (bytes: number) => body({ 'content-length': [String(bytes)] })
const chunked = () => body({ 'transfer-encoding': ['chunked'] })

/** What a body tells of bytes that come in pieces of so many. */
function contentOf(body: AnswerBody, bytes: Uint8Array, piece: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += piece)
    body.take(bytes.subarray(at, at + piece), (part) => parts.push(Buffer.from(part)))
  return Buffer.concat(parts)
}

/** What stands behind the head of an answer. */
function behindHead(answer: Buffer): Buffer {
  return answer.subarray(answer.indexOf('\r\n\r\n') + 4)
}

describe('how the body of an answer ends', () => {
  test('a length counts, and not a byte more is content', () => {
    const body = counted(5)
    assert.deepEqual([body.bytes, body.isOver], [5, false])
    assert.equal(contentOf(body, Buffer.from('abcde'), 2).toString(), 'abcde')
    assert.ok(body.isOver)
    assert.throws(() => contentOf(body, Buffer.from('f'), 1), { reason: 'answer' })
    assert.throws(() => contentOf(counted(5), Buffer.from('abcdef'), 6), { reason: 'answer' })
  })

  test('there is none to HEAD, to 304, and where it has no byte', () => {
    for (const none of [
      body({ 'content-length': ['7'] }, 'HEAD'),
      body({ 'transfer-encoding': ['chunked'] }, 'HEAD'),
      body({}, 'HEAD'),
      body({}, 'GET', 304),
      counted(0),
    ])
      assert.ok(none.isOver)
  })

  test('R6: a body that would end with the connection is refused, and one whose end is told twice', () => {
    for (const fields of [
      {},
      { 'content-length': ['5', '5'] },
      { 'content-length': ['5, 5'] },
      { 'content-length': ['-5'] },
      { 'content-length': ['+5'] },
      { 'content-length': ['5x'] },
      { 'content-length': [''] },
      { 'content-length': ['9'.repeat(16)] },
      { 'content-length': ['5'], 'transfer-encoding': ['chunked'] },
      { 'transfer-encoding': ['gzip'] },
      { 'transfer-encoding': ['gzip, chunked'] },
      { 'transfer-encoding': ['chunked', 'chunked'] },
    ])
      assert.throws(() => body(fields), { reason: 'answer' }, JSON.stringify(fields))
  })

  test('chunks are content without what stands between them, wherever they are cut', () => {
    const chunks = array(uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 })
    check(
      property(chunks, integer({ min: 1, max: 60 }), (parts, piece) => {
        const body = chunked()
        const bytes = behindHead(chunkedAnswer(parts.map((part) => Buffer.from(part))))
        assert.deepEqual(contentOf(body, bytes, piece), Buffer.concat(parts))
        assert.ok(body.isOver)
        assert.throws(() => contentOf(body, Buffer.from('x'), 1), { reason: 'answer' })
      }),
    )
  })

  test('R6: chunks without the last one are not over, wherever they stop', () => {
    const bytes = behindHead(chunkedAnswer(['abc', 'defg']))
    for (let end = 0; end < bytes.length; end++) {
      const body = chunked()
      contentOf(body, bytes.subarray(0, end), 3)
      assert.ok(!body.isOver, `after ${end} of ${bytes.length} bytes`)
    }
  })

  test('an extension of a chunk is skipped, and sizes are hexadecimal of either case', () => {
    const text = 'A;name="va\\"lue"\r\n0123456789\r\na \t; x\r\n0123456789\r\n00\r\n\r\n'
    const body = chunked()
    assert.equal(contentOf(body, Buffer.from(text), 1).toString(), '0123456789'.repeat(2))
    assert.ok(body.isOver)
  })

  test('what are no chunks is an answer that is bad', () => {
    for (const text of [
      '\r\n',
      'x\r\n',
      '-1\r\n',
      '0x5\r\n',
      '5 5\r\n',
      '5\n',
      `${'1'.repeat(13)}\r\n`,
      '3\r\nabcd\r\n',
      '3\r\nabc\n',
      '0\r\nTrailer: x\r\n',
      `5;${'x'.repeat(instanceChunkLineBytes)}`,
    ])
      assert.throws(() => contentOf(chunked(), Buffer.from(text), 1), { reason: 'answer' }, text)
  })
})
