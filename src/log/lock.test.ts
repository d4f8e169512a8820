import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { lockData, readHolder } from './lock.ts'

test('I5: a data directory has one holder, who is named to the next one', (context) => {
  const directory = temporaryDirectory(context)
  const lock = lockData(directory, 'annals serve')
  const message = refusal(directory)
  assert.match(
    message,
    new RegExp(`process ${process.pid} \\(annals serve\\) since \\d{4}-.*: a log has one writer`),
  )
  lock[Symbol.dispose]()
  lock[Symbol.dispose]()
  lockData(directory, 'annals serve')[Symbol.dispose]()
  assert.equal(readHolder(directory), undefined)
})

test('I5: another process finds the directory locked, and gets it once the holder is killed', async (context) => {
  const directory = temporaryDirectory(context)
  const holder = await startHolder(context, directory)
  assert.match(refusal(directory), new RegExp(`process ${holder.pid} \\(annals test\\)`))
  await kill(holder)
  using _lock = lockData(directory, 'annals serve')
  assert.equal(readHolder(directory)?.pid, process.pid)
})

test('I5: a child of the holder does not keep the lock when the holder is killed', async (context) => {
  const directory = temporaryDirectory(context)
  const holder = await startHolder(context, directory, 'withChild')
  await kill(holder)
  lockData(directory, 'annals serve')[Symbol.dispose]()
})

test('I5: a lock that is refused leaves the one that is held in place', async (context) => {
  const directory = temporaryDirectory(context)
  const holder = await startHolder(context, directory)
  for (let i = 0; i < 3; i++) refusal(directory)
  await assert.rejects(startHolder(context, directory), /LOG_LOCKED/)
  await kill(holder)
})

test('a holder that has died is not named, nor is one who left nonsense', async (context) => {
  const directory = temporaryDirectory(context)
  const holder = await startHolder(context, directory)
  await kill(holder)
  assert.equal(readHolder(directory), undefined)
  writeFileSync(join(directory, 'lock.holder'), '{"pid":')
  assert.equal(readHolder(directory), undefined)
})

test('the lock leaves nothing but its own files, for the owner alone', (context) => {
  const directory = temporaryDirectory(context)
  using _lock = lockData(directory, 'annals serve')
  assert.deepEqual(readdirSync(directory).sort(), ['lock', 'lock.holder'])
  for (const name of ['lock', 'lock.holder'])
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
})

test('a directory that cannot be locked at all is a failure, and not a lock', () => {
  assert.throws(() => lockData('/nowhere', 'annals serve'), /cannot be locked/)
})

function refusal(directory: string): string {
  try {
    lockData(directory, 'annals serve')[Symbol.dispose]()
  } catch (error) {
    if (isAnnalsError(error, 'LOG_LOCKED')) return error.message
    throw error
  }
  return assert.fail('the directory was not locked')
}

// Resolves once the child holds the lock; rejects with what it says where it does not get it.
async function startHolder(context: TestContext, directory: string, mode = ''): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['--input-type=module-typescript', '--no-warnings', '-e', program, directory, mode],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  context.after(() => child.kill('SIGKILL'))
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')])) as [Buffer]
  const text = said.toString().trim()
  if (!text.startsWith('held')) throw new Error(text)
  const [, grandchild] = text.split(' ')
  if (grandchild !== undefined) context.after(() => process.kill(Number(grandchild), 'SIGKILL'))
  return child
}

const program = `
  import { spawn } from 'node:child_process'
  import { lockData } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
  const [directory, mode] = process.argv.slice(1)
  try {
    globalThis.lock = lockData(directory, 'annals test')
    const child = mode === 'withChild' ? spawn('sleep', ['60'], { stdio: 'ignore', detached: true }) : undefined
    console.log(child === undefined ? 'held' : 'held ' + child.pid)
    setInterval(() => undefined, 1000)
  } catch (error) {
    console.error(error.code, error.message)
  }
`

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-lock-'))
  context.after(() => rmSync(directory, { recursive: true }))
  return directory
}
