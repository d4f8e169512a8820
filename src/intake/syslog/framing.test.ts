import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unescape, escapeText } from '../../entry/escape.ts'
import { type Frame, Framer, frameOfDatagram } from './framing.ts'

const a = '<13>1 - - - - - - first'
const b = '<14>Nov 25 10:00:00 host tag: second é'
const c = '<15>third\nline'

/** What comes out when the bytes come in pieces of a size. */
function framed(bytes: Buffer, size: number, most?: number): { frames: Frame[]; rest: Frame | undefined } {
  const framer = new Framer(most)
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size)
    frames.push(...messagesIn(framer, bytes.subarray(at, at + size)))
  return { frames, rest: framer.end() }
}

function messagesIn(framer: Framer, bytes: Buffer): Frame[] {
  framer.push(bytes)
  const frames: Frame[] = []
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) frames.push(frame)
  return frames
}

function texts(bytes: string | Buffer, size: number, most?: number): string[] {
  const { frames, rest } = framed(Buffer.from(bytes), size, most)
  return [...frames, ...(rest === undefined ? [] : [rest])].map(({ text, flaw }) =>
    flaw === undefined ? text : `${flaw}: ${text}`,
  )
}

function counted(text: string): string {
  return `${Buffer.byteLength(text)} ${text}`
}

describe('messages of a stream, in pieces of every size', () => {
  const cases: Record<string, [string, string[]]> = {
    'that newlines end': [`${a}\n${b}\n`, [a, b]],
    'that CR LF or NUL and newline end, with blank ones between': [`${a}\r\n\n\0\n${b}\0\n`, [a, b]],
    'that NUL alone ends': [`${a}\0${b}\0\0${a}\0`, [a, b, a]],
    'that are counted': [counted(a) + counted(b) + counted(c), [a, b, c]],
    'that are counted and end with a newline all the same': [counted(`${a}\n`) + counted(c), [a, c]],
    'that are counted, with newlines between': [`${counted(a)}\n${counted(c)}\n`, [a, c]],
    'that are counted, with NUL in them': [counted('<13>a\0b') + counted(a), ['<13>a\0b', a]],
    'of both ways, the first one counted': [`${counted(c)}${b}\n${counted(a)}`, [c, b, a]],
    'that newlines end, though one holds what could be a count': [
      `${a}\n9999999999 <13>x\n${counted(a)}\n${b}\n`,
      [a, '9999999999 <13>x', counted(a), b],
    ],
    'that begin with a number and are not counted': [
      '200 OK\n2025-12-24 x\n7\n',
      ['200 OK', '2025-12-24 x', '7'],
    ],
    'without a priority behind one that was counted': [`${counted(a)}5 hello${counted(a)}`, [a, 'hello', a]],
    'that begin with more digits than a count has': [`12345678901 <13>x\n${a}\n`, ['12345678901 <13>x', a]],
    'that begin with zero': ['0 <13>x\n', ['0 <13>x']],
    'that end with the stream, in the middle': [`${a}\n${b}`, [a, `incomplete: ${b}`]],
    'that are counted and end with the stream': [`${counted(a)}99 ${b}`, [a, `incomplete: ${b}`]],
    'of which only a count came': [`${a}\n12`, [a, 'incomplete: 12']],
  }
  for (const [name, [bytes, expected]] of Object.entries(cases)) {
    test(`are found: ${name}`, () => {
      for (let size = 1; size <= bytes.length + 2; size++)
        assert.deepEqual(texts(bytes, size), expected, `${size}`)
    })
  }
})

test('a message that a newline ends is cut at the bound, and what follows it is found', () => {
  for (let size = 1; size < 60; size++) {
    const bytes = `<13>${'x'.repeat(40)}\n${a}\n`
    assert.deepEqual(texts(bytes, size, 30), [`truncated: <13>${'x'.repeat(26)}`, a], `${size}`)
  }
})

test('a message of exactly the bound is whole', () => {
  for (let size = 1; size < 40; size++) {
    assert.deepEqual(texts(`${counted(a)}${a}\n`, size, a.length), [a, a], `${size}`)
  }
})

test('behind a count that is beyond the bound nothing is read any more, and what came before is kept', () => {
  const framer = new Framer(30)
  const frames = messagesIn(framer, Buffer.from(`${counted(a)}31 ${a}`))
  assert.deepEqual(
    frames.map(({ text }) => text),
    [a],
  )
  assert.equal(framer.derailment, 'too-long')
  assert.deepEqual(messagesIn(framer, Buffer.from(`${a}\n`)), [])
  assert.equal(framer.end(), undefined)
})

test('behind a counted message stands a count or a message: where anything else does, nothing more is read', () => {
  const following = {
    'a zero-padded count': `0${counted(b)}`,
    'a number that is none': '5hello',
    'a text': `x${counted(b)}`,
  }
  for (const [name, more] of Object.entries({ ...following, 'a count too long': `12345678901 ${b}` })) {
    const bytes = Buffer.from(`${counted(a)}\n${more}${counted(c)}`)
    for (let size = 1; size <= bytes.length; size++) {
      const framer = new Framer()
      const frames: Frame[] = []
      for (let at = 0; at < bytes.length; at += size)
        frames.push(...messagesIn(framer, bytes.subarray(at, at + size)))
      assert.deepEqual(
        frames.map(({ text }) => text),
        [a],
        name,
      )
      assert.equal(framer.derailment, 'framing', `${name}, ${size}`)
      assert.equal(framer.end(), undefined)
    }
  }
})

test('where a message has been cut and as much again comes without an end, nothing more is read', () => {
  for (let size = 1; size < 100; size++) {
    const bytes = (rest: number) => Buffer.from(`<13>${'x'.repeat(26 + rest)}\n${a}\n`)
    assert.deepEqual(texts(bytes(30), size, 30), [`truncated: <13>${'x'.repeat(26)}`, a], `${size}`)
    assert.deepEqual(texts(bytes(31), size, 30), [`truncated: <13>${'x'.repeat(26)}`], `${size}`)
  }
})

test('L3: the bytes of a message are kept whatever they are, and however they are cut', () => {
  const everyByte = Array.from({ length: 256 }, (_, k) => k)
  const hostile = (bytes: readonly number[]) => Buffer.from([...Buffer.from('<13>'), ...bytes, 0xff])
  const line = hostile(everyByte.filter((byte) => byte !== 0 && byte !== 10))
  const inCount = hostile(everyByte)
  for (const [whole, bytes] of [
    [line, Buffer.concat([line, Buffer.from('\n')])],
    [inCount, Buffer.concat([Buffer.from(`${inCount.length} `), inCount])],
  ] as const) {
    for (let size = 1; size <= bytes.length; size++) {
      const [frame] = framed(bytes, size).frames
      assert.deepEqual(unescape(escapeText(frame?.text ?? '')), whole, `${size}`)
    }
  }
})

test('how many bytes are held is told, and none once the message has ended', () => {
  const framer = new Framer()
  messagesIn(framer, Buffer.from('<13>abc'))
  assert.equal(framer.heldBytes, 7)
  messagesIn(framer, Buffer.from('def'))
  assert.equal(framer.heldBytes, 10)
  assert.equal(messagesIn(framer, Buffer.from('\n'))[0]?.text, '<13>abcdef')
  assert.equal(framer.heldBytes, 0)
})

test('a datagram is one message, without the one NUL and the one newline that senders add', () => {
  assert.deepEqual(frameOfDatagram(Buffer.from('<13>a\nb\0')), { text: '<13>a\nb', bytes: 7 })
  assert.deepEqual(frameOfDatagram(Buffer.from('<13>a\n')), { text: '<13>a', bytes: 5 })
  assert.deepEqual(frameOfDatagram(Buffer.from('<13>a'), 'truncated'), {
    text: '<13>a',
    bytes: 5,
    flaw: 'truncated',
  })
})
