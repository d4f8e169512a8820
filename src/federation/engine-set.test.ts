import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogId } from '../entry/event.ts'
import { openAheadBytes, openAheadEngines, snapshotSets, snapshotSetsMs } from '../limits.ts'
import { engineRunOf, type EngineRun } from './engine-run.ts'
import { engineSetOf, SetMemory } from './engine-set.ts'
import { RunSourceDouble } from './testing/run-source.ts'

const never = new AbortController().signal

describe('the set of all engines’ runs', () => {
  test('A3, R4: every range of it is that of the concatenation', async () => {
    const sources = ['abcdef', '', 'g', 'hij', ''].map(
      (text, k) => new RunSourceDouble(`e${k}`, Buffer.from(text)),
    )
    const whole = Buffer.concat(sources.map(({ bytes }) => bytes))
    const set = engineSetOf(sources.map((source) => runOf(source)))
    assert.equal(set.bytes, 10)
    for (let start = 0; start < 10; start++) {
      for (let end = start + 1; end <= 10; end++) {
        for (const want of [1, 4, 100]) {
          const got = await readAll(set, start, end, want)
          assert.equal(got.toString(), whole.toString('utf8', start, end))
        }
      }
    }
    // Nothing is asked of an engine that has nothing.
    assert.deepEqual([sources[1]?.opened, sources[4]?.opened], [[], []])
  })

  test('R7: so few logs are open at once that memory does not grow with the engines', async () => {
    const sources = Array.from(
      { length: 150 },
      (_, k) => new RunSourceDouble(`e${k}`, Buffer.alloc(100, 97 + (k % 26))),
    )
    const reader = engineSetOf(sources.map((source) => runOf(source))).open(0, 15_000, never)
    const opened = () => sources.filter((source) => source.opened.length > 0).length
    await reader.read(Buffer.alloc(10), 0)
    assert.equal(opened(), openAheadEngines)
    await reader[Symbol.asyncDispose]()
    const large = Array.from(
      { length: 3 },
      (_, k) => new RunSourceDouble(`e${k}`, Buffer.alloc(openAheadBytes + 1)),
    )
    const other = engineSetOf(large.map((source) => runOf(source))).open(0, 1_000_000, never)
    await other.read(Buffer.alloc(10), 0)
    assert.deepEqual(
      large.map((source) => source.opened.length),
      [1, 0, 0],
    )
    await other[Symbol.asyncDispose]()
  })

  test('I8: a run that breaks off in the middle is resumed, and the next ones are unharmed', async () => {
    const sources = ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc'].map(
      (text, k) => new RunSourceDouble(`e${k}`, Buffer.from(text)),
    )
    sources[1]?.faults.push(3)
    const got = await readAll(engineSetOf(sources.map((source) => runOf(source))), 0, 30, 100)
    assert.equal(got.toString(), 'aaaaaaaaaabbbbbbbbbbcccccccccc')
    assert.deepEqual(sources[1]?.opened, [0, 3])
  })

  test('R4: the tag is the same for the same positions of the same logs in the same order, and for no other', () => {
    const runs = ['e0', 'e1'].map((name) => runOf(new RunSourceDouble(name, Buffer.from('abc'))))
    const tag = engineSetOf(runs).tag
    const later = runs.map((run) => ({ ...run, now: run.now + 5 }))
    assert.equal(engineSetOf(later).tag, tag)
    const others = [
      [],
      runs.slice(0, 1),
      runs.toReversed(),
      runs.map((run) => ({ ...run, from: run.from + 1 })),
    ]
    const tags = others.map((other) => engineSetOf(other).tag)
    assert.equal(new Set([tag, ...tags]).size, 5)
  })

  test('R4: so many sets are remembered, for an hour', () => {
    let now = 0
    const memory = new SetMemory(() => now)
    const runs = [runOf(new RunSourceDouble('e0', Buffer.from('abc')))]
    for (let k = 0; k <= snapshotSets; k++) memory.remember({ tag: `t${k}`, runs })
    assert.equal(memory.recall('t0'), undefined)
    assert.deepEqual(memory.recall('t1'), [{ hostName: 'e0', log: 'e0-log', from: 0, to: 1 }])
    now = snapshotSetsMs / 2
    memory.remember({ tag: 't1', runs })
    now = snapshotSetsMs + 1
    assert.equal(memory.recall('t2'), undefined)
    assert.ok(memory.recall('t1') !== undefined)
  })
})

function runOf(source: RunSourceDouble): EngineRun {
  const bytes = source.bytes.length
  const log = `${source.hostName}-log` as LogId
  const fixed = { log, from: 0, to: bytes === 0 ? 0 : 1, bytes, start: 0, end: 1, now: 1, mark: 1 }
  return engineRunOf(source, fixed, 1000)
}

async function readAll(
  set: ReturnType<typeof engineSetOf>,
  start: number,
  end: number,
  want: number,
): Promise<Buffer> {
  await using reader = set.open(start, end, never)
  const got = Buffer.alloc(end - start)
  for (let filled = 0; filled < got.length;) {
    const read = await reader.read(got.subarray(filled, filled + want), start + filled)
    assert.ok(read > 0 && read <= want)
    filled += read
  }
  return got
}
