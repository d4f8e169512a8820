import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { prepareDataDirectory } from './data-directory.ts'

test('a data directory is made for its owner alone', async (context) => {
  const path = join(temporaryDirectory(context), 'a', 'data')
  assert.deepEqual(await prepareDataDirectory(path, make), [])
  assert.equal(statSync(path).mode & 0o777, 0o700)
  assert.deepEqual(await prepareDataDirectory(path, make), [])
})

test('one that others can look into is used, and said', async (context) => {
  const path = join(temporaryDirectory(context), 'data')
  mkdirSync(path)
  chmodSync(path, 0o755)
  const [warning] = await prepareDataDirectory(path, make)
  assert.match(warning ?? '', /other users .* chmod 700/)
})

test('one that everybody may write in is refused', async (context) => {
  const path = join(temporaryDirectory(context), 'data')
  mkdirSync(path)
  chmodSync(path, 0o777)
  await assert.rejects(prepareDataDirectory(path, make), {
    code: 'INVALID_CONFIGURATION',
    message: /every user/,
  })
})

test('one that cannot be made is refused', async (context) => {
  const path = join(temporaryDirectory(context), 'file')
  writeFileSync(path, '')
  await assert.rejects(prepareDataDirectory(path, make), {
    code: 'INVALID_CONFIGURATION',
    message: /cannot be made/,
  })
})

async function make(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-data-'))
  context.after(() => rmSync(directory, { recursive: true }))
  return directory
}
