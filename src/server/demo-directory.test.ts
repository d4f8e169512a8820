import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { demandNoDemo, openDemoDirectory } from './demo-directory.ts'

const refused = { code: 'INVALID_CONFIGURATION' }

test('a directory that is empty, or not there, becomes a demo, and stays one', async (context) => {
  const parent = temporaryDirectory(context)
  for (const data of [parent, join(parent, 'new')]) {
    const first = await openDemoDirectory(data)
    assert.equal(first.isSeeded, false)
    first[Symbol.dispose]()
    const again = await openDemoDirectory(data)
    assert.equal(again.isSeeded, false)
    await again.markSeeded()
    again[Symbol.dispose]()
    using seeded = await openDemoDirectory(data)
    assert.equal(seeded.isSeeded, true)
    rmSync(data, { recursive: true })
  }
})

test('a demo refuses a directory with anything else in it, and leaves it as it is', async (context) => {
  const data = temporaryDirectory(context)
  for (const name of ['log', 'notes.txt']) {
    writeFileSync(join(data, name), '')
    await assert.rejects(openDemoDirectory(data), refused)
    assert.deepEqual(readdirSync(data), [name])
    rmSync(join(data, name))
  }
})

test('a marker that a demo has not written makes no demo', async (context) => {
  const data = temporaryDirectory(context)
  for (const text of ['', 'null', '{"format":"another"}', '[']) {
    writeFileSync(join(data, 'annals-demo.json'), text)
    await assert.rejects(openDemoDirectory(data), refused)
    await demandNoDemo(data)
    await demandNoDemo(join(data, 'node'))
  }
})

test('what a start leaves that ended before there was a marker is taken', async (context) => {
  const data = temporaryDirectory(context)
  for (const name of ['lock', 'lock.holder', 'lock.holder.tmp', 'annals-demo.json.tmp'])
    writeFileSync(join(data, name), '')
  using directory = await openDemoDirectory(data)
  assert.equal(directory.isSeeded, false)
})

test('I5: a demo holds its directory against another demo', async (context) => {
  const data = temporaryDirectory(context)
  {
    using _first = await openDemoDirectory(data)
    await assert.rejects(openDemoDirectory(data), { code: 'LOG_LOCKED', message: /\(annals serve --demo\)/ })
  }
  using _next = await openDemoDirectory(data)
})

test('no other node takes a demo, or a part of one', async (context) => {
  const data = join(temporaryDirectory(context), 'demo')
  await demandNoDemo(data)
  {
    using _directory = await openDemoDirectory(data)
  }
  mkdirSync(join(data, 'portal'))
  for (const taken of [data, join(data, 'portal')]) {
    await assert.rejects(demandNoDemo(taken), refused)
  }
  await demandNoDemo(`${data}-of-others`)
})

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-demo-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
