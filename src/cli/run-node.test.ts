import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { createLogger } from '../ops/logger.ts'
import type { RunningNode } from '../server/node.ts'
import { runNode } from './run-node.ts'
import { testSurroundings } from './testing/surroundings.ts'

const logger = createLogger('silent')

/** A node that does nothing, run with signals that a test sends. */
function nodeRun(reload?: RunningNode['reload']) {
  const starting = Promise.withResolvers<void>()
  const listeners = { signal: new Set<(signal: 'SIGTERM') => void>(), reload: new Set<() => void>() }
  function listen<T>(set: Set<T>, listener: T): Disposable {
    set.add(listener)
    return { [Symbol.dispose]: () => void set.delete(listener) }
  }
  const surroundings = testSurroundings({
    onSignal: (listener) => listen(listeners.signal, listener),
    onReload: (listener) => listen(listeners.reload, listener),
  })
  const node = {
    configuration: { stopTimeoutSeconds: 1 },
    failed: new Promise(() => undefined),
    stop: async () => undefined,
    ...(reload === undefined ? {} : { reload }),
  } as unknown as RunningNode
  const ended = runNode(surroundings, logger, async () => {
    await starting.promise
    return node
  })
  return {
    started: async () => {
      starting.resolve()
      await turn()
    },
    /** How many listen to SIGHUP; where nobody does, it ends the process. */
    heard: () => listeners.reload.size,
    hangUp: async () => {
      for (const listener of listeners.reload) listener()
      await turn()
    },
    end: async () => {
      for (const listener of listeners.signal) listener('SIGTERM')
      await ended
    },
  }
}

test('SIGHUP has a node read again what may change', async () => {
  let reloads = 0
  const run = nodeRun(async () => void reloads++)
  await run.started()
  await run.hangUp()
  await run.hangUp()
  assert.equal(reloads, 2)
  await run.end()
  assert.equal(run.heard(), 0)
})

test('a SIGHUP that comes before the node has started waits for that', async () => {
  let reloads = 0
  const run = nodeRun(async () => void reloads++)
  await run.hangUp()
  assert.equal(reloads, 0)
  await run.started()
  assert.equal(reloads, 1)
  await run.end()
})

test('one reading follows the other, and what comes meanwhile is one more', async () => {
  const [began, finish] = [[] as number[], [] as (() => void)[]]
  const run = nodeRun(() => {
    began.push(finish.length)
    return new Promise((resolve) => finish.push(resolve))
  })
  await run.started()
  for (let i = 0; i < 3; i++) await run.hangUp()
  assert.equal(began.length, 1)
  finish[0]?.()
  await turn()
  assert.equal(began.length, 2)
  finish[1]?.()
  await turn()
  assert.equal(began.length, 2)
  await run.end()
})

test('a reading that fails leaves the node as it was, and another may follow', async () => {
  let reloads = 0
  const run = nodeRun(async () => {
    reloads++
    throw new Error('the file is wrong')
  })
  await run.started()
  await run.hangUp()
  await run.hangUp()
  assert.equal(reloads, 2)
  await run.end()
})

test('where there is nothing to read again, SIGHUP is left to end the process', async () => {
  const run = nodeRun()
  await run.started()
  assert.equal(run.heard(), 0)
  await run.end()
})
