import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EngineFailure } from './failure.ts'
import { RunReader } from './run-reader.ts'
import { RunSourceDouble } from './testing/run-source.ts'

const text = Buffer.from(Array.from({ length: 1000 }, (_, k) => 97 + (k % 26)))

describe('reading an engine’s run', () => {
  test('I8: what is cut is resumed at the byte where it stopped, as often as it takes', async () => {
    const source = new RunSourceDouble('engine-01', text)
    source.faults.push(100, 0, 1, 250)
    assert.ok((await readAll(source, 0, 1000)).equals(text))
    assert.deepEqual(source.opened, [0, 100, 100, 101, 351])
    assert.deepEqual(source.failures, ['cut', 'cut', 'cut', 'cut'])
    // The second opening brought nothing before it was cut too.
    assert.equal(source.resumes, 3)
  })

  test('a connection that is refused for a while is tried again', async () => {
    const source = new RunSourceDouble('engine-01', text)
    source.faults.push(10, new EngineFailure('refused'), new EngineFailure('timeout'))
    assert.ok((await readAll(source, 5, 995)).equals(text.subarray(5, 995)))
    assert.deepEqual(source.opened, [5, 15, 15, 15])
  })

  test('E2: an engine that does not come back in time is unreachable', async () => {
    const source = new RunSourceDouble('engine-01', text)
    source.faults.push(10, ...Array.from({ length: 100 }, () => new EngineFailure('refused')))
    await assert.rejects(readAll(source, 0, 1000, 300), {
      code: 'UNREACHABLE_ENGINE',
      engine: 'engine-01',
      message: 'the engine "engine-01" cannot be read: the connection was refused',
    })
    assert.ok(source.opened.length > 2)
  })

  test('what answers badly, or was disconnected, is not tried again', async () => {
    for (const reason of ['answer', 'disconnected'] as const) {
      const source = new RunSourceDouble('engine-01', text)
      source.faults.push(10, new EngineFailure(reason))
      await assert.rejects(readAll(source, 0, 1000), { code: 'UNREACHABLE_ENGINE' })
      assert.equal(source.opened.length, 2)
    }
  })

  test('where nobody waits any more nothing is tried again, and no failure is the engine’s', async () => {
    const source = new RunSourceDouble('engine-01', text)
    source.faults.push(10)
    const gone = new AbortController()
    const reader = new RunReader(source, sliceOf(0, 1000), gone.signal, 10_000)
    await reader.read(Buffer.alloc(10), 0)
    gone.abort()
    await assert.rejects(reader.read(Buffer.alloc(10), 10), { name: 'AbortError' })
    assert.deepEqual([source.opened.length, source.failures], [1, []])
    await reader[Symbol.asyncDispose]()
  })

  test('what is opened ahead is asked for once, and its failure shows in the first read', async () => {
    const source = new RunSourceDouble('engine-01', text)
    const reader = new RunReader(source, sliceOf(0, 1000), new AbortController().signal, 0)
    source.faults.push(new EngineFailure('refused'))
    reader.openAhead()
    reader.openAhead()
    await assert.rejects(reader.read(Buffer.alloc(10), 0), { code: 'UNREACHABLE_ENGINE' })
    assert.deepEqual(source.opened, [0])
    await reader[Symbol.asyncDispose]()
  })
})

function sliceOf(start: number, end: number) {
  return { from: 0, to: 10, bytes: text.length, start, end }
}

async function readAll(
  source: RunSourceDouble,
  start: number,
  end: number,
  resumeMs = 10_000,
): Promise<Buffer> {
  const never = new AbortController().signal
  await using reader = new RunReader(source, sliceOf(start, end), never, resumeMs)
  const got = Buffer.alloc(end - start)
  for (let filled = 0; filled < got.length;) {
    filled += await reader.read(got.subarray(filled, filled + 77), start + filled)
  }
  assert.equal(reader.left, 0)
  return got
}
