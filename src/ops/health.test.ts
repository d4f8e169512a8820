import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHealth, type Recording } from './health.ts'

test('a node is ready only while it runs', () => {
  const health = createHealth(() => 'accepting')
  assert.equal(health.isReady(), false)
  assert.deepEqual(health.report().problems, ['this node is starting'])
  health.enter('running')
  assert.equal(health.isReady(), true)
  assert.deepEqual(health.report(), { ready: true, phase: 'running', recording: 'accepting', problems: [] })
  health.enter('stopping')
  assert.equal(health.isReady(), false)
  health.enter('running')
  assert.equal(health.isReady(), false, 'a node that stops does not come back')
})

test('I9: a node that refuses to record is ready, and says so', () => {
  const health = createHealth(() => 'refusing')
  health.enter('running')
  const report = health.report()
  assert.equal(report.ready, true)
  assert.equal(report.recording, 'refusing')
  assert.equal(report.problems.length, 1)
})

test('a node whose log has failed is not ready', () => {
  let recording: Recording | undefined = 'accepting'
  const health = createHealth(() => recording)
  health.enter('running')
  recording = 'failed'
  assert.equal(health.isReady(), false)
  assert.equal(health.report().phase, 'failed')
  recording = 'closed'
  assert.equal(health.isReady(), false)
})

test('damage that the background check found is said with its place, and the node stays ready', () => {
  let faults: { place: string; reason: string }[] = []
  let lastFull: number | undefined
  const health = createHealth(
    () => 'accepting',
    () => [],
    () => ({ lastFull, faults }),
  )
  health.enter('running')
  assert.deepEqual([health.report().lastFullCheck, health.report().faults], [null, 0])
  faults = [{ place: 'segment 512', reason: 'its file is missing' }]
  lastFull = 1_767_225_600_000_000
  const { ready, problems, lastFullCheck, faults: count } = health.report()
  assert.deepEqual([ready, lastFullCheck, count], [true, '2026-01-01T00:00:00.000000Z', 1])
  assert.deepEqual(problems, ['the audit log is damaged: segment 512: its file is missing'])
})
