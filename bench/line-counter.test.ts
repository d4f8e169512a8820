// The counter that says when a peer has written everything: a wrong count would be a wrong figure.

import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { LineCounter } from './line-counter.ts'

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'annals-counter-'))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}

test('a mark is counted once, wherever a file happened to end when it was looked at', (context) => {
  const file = join(directory(context), 'a.log')
  const text = 'x [mark] y\n[mark][mark]\n[mar [mark'
  for (let first = 0; first <= text.length; first += 1) {
    writeFileSync(file, text.slice(0, first))
    const counter = new LineCounter(file, '[mark]')
    counter.look()
    appendFileSync(file, text.slice(first))
    assert.equal(counter.look(), 3, `looked at after ${first} characters`)
    appendFileSync(file, ']')
    assert.equal(counter.look(), 4)
    assert.equal(counter.look(), 4)
  }
})

test('a mark across the end of what is read in one go is counted', (context) => {
  const file = join(directory(context), 'a.log')
  for (const before of [-6, -5, -1, 0, 1]) {
    writeFileSync(file, `${'x'.repeat(1024 * 1024 + before)}[mark]${'y'.repeat(1024 * 1024)}[mark]`)
    assert.equal(new LineCounter(file, '[mark]').look(), 2, `${before} bytes beside the end`)
  }
})

test('the files of a directory are counted together, and others are not', (context) => {
  const path = directory(context)
  const counter = new LineCounter(path, '[mark]')
  assert.equal(counter.look(), 0)
  writeFileSync(join(path, '1.log'), '[mark]\n')
  writeFileSync(join(path, '1.seal'), '[mark]\n')
  assert.equal(counter.look(), 1)
  writeFileSync(join(path, '2.log'), '[mark]\n[mark]\n')
  assert.equal(counter.look(), 3)
})

test('waiting for more than there may be is an error, not a figure', async (context) => {
  const file = join(directory(context), 'a.log')
  writeFileSync(file, '[mark][mark]')
  await assert.rejects(new LineCounter(file, '[mark]').until(1), /2 have arrived, and not 1/)
})
