import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { NamedFiles } from './named-files.ts'

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined }

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'annals-named-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('what is never followed takes no place among the paths that are looked at', async (t) => {
  const at = directory(t)
  for (let k = 0; k < 20; k++) writeFileSync(join(at, `audit.log.${k}.gz`), '')
  writeFileSync(join(at, 'audit.log'), '')
  writeFileSync(join(at, 'other.log'), '')
  const named = new NamedFiles([join(at, 'a*'), join(at, '*')], join(at, 'data'), logger, 3)
  const { files, isCut } = await named.look()
  assert.deepEqual(
    [files.map(({ path }) => path), isCut],
    [[join(at, 'audit.log'), join(at, 'other.log')], false],
  )
  const { isCut: isCutAtTwo } = await new NamedFiles([join(at, '*')], join(at, 'data'), logger, 2).look()
  assert.equal(isCutAtTwo, true)
})

test('a path that could not be looked at is no problem any more when it is gone', async (t) => {
  const at = directory(t)
  symlinkSync('loop.log', join(at, 'loop.log'))
  const named = new NamedFiles([join(at, '*.log')], join(at, 'data'), logger)
  await named.look()
  assert.equal(named.problems, 1)
  rmSync(join(at, 'loop.log'))
  await named.look()
  assert.equal(named.problems, 0)
})
