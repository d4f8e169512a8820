import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { isAnnalsError } from '../errors.ts'
import { BodyBudget } from './body-budget.ts'

const long = 60_000

test('who finds no place waits for one, and nobody passes those who wait', async () => {
  const budget = new BodyBudget(16, long)
  await budget.take('a', 8)
  await budget.take('b', 6)
  const order: string[] = []
  const large = budget.take('c', 6).then(() => order.push('large'))
  const small = budget.take('d', 1).then(() => order.push('small'))
  budget.give('a', 8)
  await Promise.all([large, small])
  assert.deepEqual(order, ['large', 'small'])
  assert.equal(budget.used, 13)
})

test('who waits too long is told to come again, and those behind go on', async () => {
  const budget = new BodyBudget(16, 20)
  await budget.take('a', 8)
  await budget.take('b', 6)
  const large = budget.take('c', 8)
  const small = budget.take('d', 2)
  await assert.rejects(large, (error) => isAnnalsError(error, 'UNAVAILABLE'))
  await small
  budget.give('d', 2)
  budget.give('b', 6)
  budget.give('a', 8)
  assert.equal(budget.used, 0)
})

test('nobody holds more than half, and those who want more of it are in nobody’s way', async () => {
  const budget = new BodyBudget(10, long)
  await budget.take('greedy', 5)
  const order: string[] = []
  const more = budget.take('greedy', 1).then(() => order.push('greedy'))
  await budget.take('modest', 3).then(() => order.push('modest'))
  await budget.take('another', 2)
  assert.equal(budget.used, 10)
  budget.give('greedy', 5)
  await more
  assert.deepEqual(order, ['modest', 'greedy'])
  const { used } = budget
  {
    using lease = budget.lease('lessee')
    await lease.take(3)
    lease.give(1)
    assert.equal(budget.used, used + 2)
  }
  assert.equal(budget.used, used)
})

test('who may hold no more is passed also where there is too little room for it', async () => {
  const budget = new BodyBudget(10, 100)
  await budget.take('greedy', 5)
  await budget.take('another', 3)
  const more = assert.rejects(budget.take('greedy', 4))
  const modest = budget.take('modest', 1).then(() => 'taken')
  assert.equal(await Promise.race([modest, turn('waits')]), 'taken')
  await more
})
