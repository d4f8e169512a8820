import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { emptyRoot } from '../tree/hash.ts'
import { NotProved } from './not-proved.ts'
import { logLines, logName, originOfTests, rootOfLines } from './testing/log-lines.ts'
import { type WholeLog, WholeLogCheck } from './whole-log.ts'

const lines = logLines(40)
const checkpoint = { origin: originOfTests, size: 30, root: rootOfLines(lines.slice(0, 30)) }

function check(lines: readonly string[], of = checkpoint, cuts: readonly number[] = [0]): WholeLog {
  const checking = new WholeLogCheck(of)
  for (const [k, line] of lines.entries()) {
    if (cuts.includes(k)) checking.segment(k)
    const bytes = Buffer.from(`${line}\n`)
    checking.line(bytes, 0, bytes.length - 1)
  }
  return checking.end()
}

const contradicted = (message: RegExp) => (error: unknown) =>
  error instanceof NotProved && error.reason === 'contradicted' && message.test(error.message)

describe('a whole log', () => {
  test('I2: leads to the root of its checkpoint, and what lies behind that is told apart', () => {
    const whole = check(lines, checkpoint, [0, 16, 32])
    assert.deepEqual([whole.log, whole.proved, whole.behind], [logName, 30, 10])
    assert.ok(whole.firstTime !== undefined && whole.lastTime !== undefined)
    assert.equal(whole.lastTime - whole.firstTime, 39_000_000)
    for (const size of [0, 1, 2, 3, 29]) {
      const root = size === 0 ? emptyRoot : rootOfLines(lines.slice(0, size))
      assert.equal(check(lines.slice(0, size), { ...checkpoint, size, root }).behind, 0)
    }
  })

  test('I2: any flipped bit of any line is found', () => {
    for (let position = 0; position < 30; position += 1) {
      const bytes = Buffer.from(lines[position] ?? '')
      const at = (position * 37) % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (position % 7))
      const changed = lines.with(position, bytes.toString('latin1'))
      assert.throws(() => check(changed), contradicted(/./))
    }
  })

  test('I2: a changed message is found by the root alone', () => {
    const changed = lines.with(7, lines[7]?.replace(/stopped$/, 'started') ?? '')
    assert.notEqual(changed[7], lines[7])
    assert.throws(
      () => check(changed),
      contradicted(/^the first 30 entries do not lead to the root of the checkpoint/),
    )
  })

  test('a line that is left out, doubled, swapped or of another log is found where it stands', () => {
    const [a = '', b = ''] = [lines[3], lines[4]]
    assert.throws(() => check(lines.toSpliced(3, 1)), contradicted(/position 4 where 3 is expected/))
    assert.throws(() => check(lines.toSpliced(3, 0, a)), contradicted(/position 3 where 4 is expected/))
    assert.throws(() => check(lines.toSpliced(3, 2, b, a)), contradicted(/position 4 where 3 is expected/))
    const foreign = a.replace(`log="${logName}"`, 'log="portal-02-abcdefghijklmnop"')
    assert.throws(() => check(lines.with(3, foreign)), contradicted(/position 3 .* is of another log/))
    assert.throws(() => check(lines.with(3, 'text')), contradicted(/line 3 is not a line/))
    assert.throws(() => check(lines.with(3, '')), contradicted(/line 3 is not a line/))
  })

  test('I3: a time that decreases is found, also where the root fits', () => {
    const early = lines.with(5, lines[5]?.replace('T00:00:05.0', 'T00:00:03.0') ?? '')
    const root = rootOfLines(early.slice(0, 30))
    assert.throws(() => check(early, { ...checkpoint, root }), contradicted(/position 5 is earlier/))
  })

  test('I10: an end that was cut off is found, and a missing file', () => {
    assert.throws(
      () => check(lines.slice(0, 29)),
      contradicted(/covers 30 entries, and there are 29: the end is missing/),
    )
    const checking = new WholeLogCheck(checkpoint)
    checking.segment(0)
    assert.throws(() => checking.segment(16), contradicted(/positions 0 to 15 are missing/))
    const doubled = new WholeLogCheck(checkpoint)
    for (const line of lines.slice(0, 16)) doubled.line(Buffer.from(line), 0, Buffer.byteLength(line))
    assert.throws(() => doubled.segment(8), contradicted(/begins at position 8, .* up to 16/))
  })

  test('lines behind the checkpoint have to fit too', () => {
    assert.throws(() => check(lines.toSpliced(35, 1)), contradicted(/position 36 where 35 is expected/))
  })

  test('a checkpoint of something else is refused before anything is read', () => {
    assert.throws(
      () => new WholeLogCheck({ ...checkpoint, origin: 'go.sum database tree' }),
      (error: unknown) => error instanceof NotProved && error.reason === 'malformed',
    )
    assert.throws(() => new WholeLogCheck({ ...checkpoint, size: 0 }), contradicted(/the first 0 entries/))
  })
})
