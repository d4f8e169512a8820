import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SingleFlight } from './single-flight.ts'

test('who asks for the same while it is under way shares it', async () => {
  const flights = new SingleFlight<number>()
  const gate = Promise.withResolvers<void>()
  let runs = 0
  const work = async () => {
    await gate.promise
    return (runs += 1)
  }
  const answers = ['a', 'a', 'b', 'a'].map((key) => flights.share(key, work))
  gate.resolve()
  assert.deepEqual(await Promise.all(answers), [1, 1, 2, 1])
  assert.equal(await flights.share('a', work), 3)
})

test('an error is shared too, and not remembered', async () => {
  const flights = new SingleFlight<number>()
  const fail = async () => {
    await Promise.resolve()
    throw new Error('failed')
  }
  await Promise.all([1, 2].map(async () => assert.rejects(flights.share('a', fail), /failed/)))
  assert.equal(await flights.share('a', async () => 1), 1)
})
