import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { selfEvent } from '../entry/self-event.ts'
import { formatMicros } from '../entry/time.ts'
import type { LogId } from '../entry/event.ts'
import { draftOf, renderLine } from '../entry/line.ts'
import { rootOf } from '../tree/compact-range.ts'
import { type Hash, leafHash } from '../tree/hash.ts'
import { hashesOf, inclusionRanges } from '../tree/proof.ts'
import { subtreesOf } from '../tree/range.ts'
import { formatCheckpoint } from '../tree/checkpoint.ts'
import { AnswerCheck, type CheckedAnswer } from './answer-check.ts'
import { type AnswerProof, formatAnswerProof, parseAnswerProof } from './answer-proof.ts'
import { NotProved } from './not-proved.ts'

const log = 'portal-01-abcdefghijklmnop' as LogId
const origin = `portal-01/audit-trail/api/v2/logs/${log}`
const begin = Date.UTC(2026, 0, 1) * 1000
const second = 1_000_000

/** The time of an entry: one a second. */
const at = (position: number) => begin + position * second

/** A log of `size` entries; the one at `mark` is a read of [from, to) in its window. */
function logWith(
  size: number,
  read: { mark: number; from: number; to: number; start: string; end: string },
): string[] {
  return Array.from({ length: size }, (_, position) => {
    const { mark, from, to, start, end } = read
    const fields = { start, end, from: String(from), to: String(to), bytes: '1' }
    const details = [['nonce', 'n-1']] as const
    const event =
      position === mark
        ? selfEvent({ code: 29001, actor: 'admin', hostName: 'portal-01', fields, details })
        : selfEvent({ code: 20004, actor: '*system', hostName: 'portal-01' })
    return renderLine(draftOf(event, log), { position, time: at(position) })
  })
}

const reader = (lines: readonly string[]) => {
  const leaves = lines.map((line) => leafHash(line))
  return ({ height, index }: { height: number; index: number }): Hash =>
    rootOf(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height))
}

/** The answer about [from, to) of a window, and its proof in the tree of `size` entries. */
async function answer(size: number, from: number, to: number, mark: number) {
  const start = from === 0 ? '-' : formatMicros(at(from) - second / 2)
  const lines = logWith(size, { mark, from, to, start, end: formatMicros(at(to)) })
  const read = reader(lines)
  const line = (position: number) => Buffer.from(lines[position] ?? '')
  const subtrees = (from: number, to: number) => subtreesOf({ from, to }).map(read)
  const path = await hashesOf(inclusionRanges(mark, size), read)
  const root = rootOf(lines.map((line) => leafHash(line)))
  const proof: AnswerProof = {
    from,
    to,
    mark,
    left: from === 0 ? undefined : line(from - 1),
    right: line(to),
    before: subtrees(0, Math.max(0, from - 1)),
    after: subtrees(to + 1, size),
    marked: mark === to ? undefined : { entry: line(mark), path },
    checkpoint: `${formatCheckpoint({ origin, size, root })}\n\u2014 nobody AAAAAAAA\n`,
  }
  return { lines, proof, body: lines.slice(from, to) }
}

function check(proof: AnswerProof, body: readonly string[]): CheckedAnswer {
  const parsed = parseAnswerProof(formatAnswerProof(proof))
  assert.ok(parsed !== undefined)
  const checking = new AnswerCheck(parsed)
  for (const line of body) {
    const bytes = Buffer.from(`${line}\n`)
    checking.line(bytes, 0, bytes.length - 1)
  }
  return checking.end()
}

function refused(reason: NotProved['reason'], message: RegExp) {
  return (error: unknown) =>
    error instanceof NotProved && error.reason === reason && message.test(error.message)
}

describe('a proof that an answer is complete', () => {
  test('holds for windows everywhere in logs of many sizes, empty ones too', async () => {
    for (const size of [1, 2, 3, 7, 8, 33, 300]) {
      for (const [from, to, mark] of runsOf(size)) {
        const { proof, body } = await answer(size, from, to, mark)
        const checked = check(proof, body)
        assert.deepEqual([checked.log, checked.from, checked.to, checked.read.nonce], [log, from, to, 'n-1'])
        assert.equal(checked.checkpoint.size, size)
        assert.equal(checked.start, from === 0 ? undefined : at(from) - second / 2)
      }
    }
  })

  test('a line that is left out, added, changed, doubled or moved is found', async () => {
    const { proof, body, lines } = await answer(40, 10, 20, 25)
    const [first = '', next = '', ...rest] = body
    const changed = first.replace('"', "'")
    for (const other of [
      body.slice(1),
      body.slice(0, -1),
      [...body.slice(0, 4), ...body.slice(5)],
      [...body, lines[20] ?? ''],
      [lines[9] ?? '', ...body],
      [first, first, ...rest],
      [next, first, ...rest],
      [changed, next, ...rest],
      [first.replace('20004', '20005'), next, ...rest],
      [],
    ])
      assert.throws(() => check(proof, other), refused('contradicted', /./))
  })

  test('neighbours that lie in the window are found', async () => {
    const { lines, proof } = await answer(40, 10, 20, 25)
    // Somebody proves less than was asked for, with the same read's entry.
    const read = reader(lines)
    const subtrees = (from: number, to: number) => subtreesOf({ from, to }).map(read)
    const less = { ...proof, from: 11, left: Buffer.from(lines[10] ?? ''), before: subtrees(0, 10) }
    assert.throws(() => check(less, lines.slice(11, 20)), refused('contradicted', /says positions 10 to 20/))
    const wide = await answer(40, 10, 20, 25)
    const early = wide.lines.map((line) => line.replaceAll('2026-01-01T00:00:09.5', '2026-01-01T00:00:08.5'))
    const forged = {
      ...wide.proof,
      marked: { entry: Buffer.from(early[25] ?? ''), path: wide.proof.marked?.path ?? [] },
    }
    assert.throws(
      () => check(forged, wide.body),
      refused('contradicted', /before the answer, at 9, lies in the window/),
    )
    const late = wide.lines.map((line) =>
      line.replaceAll('end="2026-01-01T00:00:20.0', 'end="2026-01-01T00:00:20.5'),
    )
    const other = {
      ...wide.proof,
      marked: { entry: Buffer.from(late[25] ?? ''), path: wide.proof.marked?.path ?? [] },
    }
    assert.throws(
      () => check(other, wide.body),
      refused('contradicted', /behind the answer, at 20, lies in the window/),
    )
  })

  test("the read's own entry has to be in the tree, and to be that of a read", async () => {
    const { proof, body, lines } = await answer(40, 10, 20, 25)
    const path = proof.marked?.path ?? []
    const forged = (lines[25] ?? '').replace('n-1', 'n-2')
    assert.throws(
      () => check({ ...proof, marked: { entry: Buffer.from(forged), path } }, body),
      refused('contradicted', /own entry/),
    )
    assert.throws(
      () => check({ ...proof, marked: { entry: Buffer.from(lines[24] ?? ''), path } }, body),
      refused('malformed', /not the entry of a read/),
    )
  })

  test('what is no proof is refused before anything else', async () => {
    const { proof, body } = await answer(40, 10, 20, 25)
    const text = formatAnswerProof(proof)
    for (const other of [
      '',
      text.slice(1),
      text.replace('run 10-20', 'run 10'),
      text.replace('\nright', '\nwrong'),
    ])
      assert.equal(parseAnswerProof(other), undefined)
    for (const other of [
      { ...proof, checkpoint: 'nothing' },
      { ...proof, left: undefined },
      { ...proof, mark: 20 },
      { ...proof, before: proof.before.slice(1) },
      { ...proof, after: [...proof.after, ...proof.after] },
    ])
      assert.throws(
        () => check(other, body),
        (error: unknown) => error instanceof NotProved,
      )
  })
})

function runsOf(size: number): [from: number, to: number, mark: number][] {
  const places = [...new Set([0, 1, 2, 5, Math.floor(size / 2), size - 2, size - 1])].filter(
    (k) => k >= 0 && k < size,
  )
  return places.flatMap((from) =>
    places.flatMap((to) =>
      places
        .filter((mark) => from <= to && to <= mark)
        .map((mark): [number, number, number] => [from, to, mark]),
    ),
  )
}
