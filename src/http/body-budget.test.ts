import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { BodyBudget } from './body-budget.ts'

const long = 60_000

test('who finds no place waits for one, and nobody passes those who wait', async () => {
  const budget = new BodyBudget(10)
  await budget.take(8, long)
  const order: string[] = []
  const large = budget.take(6, long).then(() => order.push('large'))
  const small = budget.take(1, long).then(() => order.push('small'))
  assert.equal(budget.tryTake(1), false)
  budget.give(8)
  await Promise.all([large, small])
  assert.deepEqual(order, ['large', 'small'])
  assert.equal(budget.used, 7)
})

test('who waits too long is told to come again, and those behind go on', async () => {
  const budget = new BodyBudget(10)
  await budget.take(8, long)
  const large = budget.take(10, 20)
  const small = budget.take(2, long)
  await assert.rejects(large, (error) => isAnnalsError(error, 'UNAVAILABLE'))
  await small
  budget.give(2)
  budget.give(8)
  assert.equal(budget.used, 0)
})
