// The soak's bookkeeping: an account that cannot show a loss would prove nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, Ledger } from './ledger.ts'

const run = '0123456789ab'

test('what was acknowledged and is there once is no fault, and what nobody was told of may be there or not', () => {
  const ledger = new Ledger(run)
  const source = ledger.source('one')
  const [a, b, c, d] = [source.next(), source.next(), source.next(), source.next()]
  source.acknowledged(a, 10, true)
  source.acknowledged(b, 11, false)
  source.refused(d)
  for (const [number, position] of [
    [a, 10],
    [b, 11],
    [c, 12],
  ] as const)
    assert.ok(ledger.seenId(source.idOf(number), position))
  const [account] = ledger.accounts()
  assert.ok(account)
  assert.deepEqual(account, {
    name: 'one',
    sent: 4,
    acknowledged: 2,
    acknowledgedAgain: 1,
    refused: 1,
    unknown: 1,
    present: 3,
    unknownPresent: 1,
    doubled: 0,
    lost: 0,
    misplaced: 0,
    refusedPresent: 0,
  })
  assert.deepEqual(faultsOf(account), [])
})

test('a lost, a doubled, a misplaced and a refused event that is there are each told', () => {
  const ledger = new Ledger(run)
  const source = ledger.source('one')
  const [lost, doubled, misplaced, refused] = [source.next(), source.next(), source.next(), source.next()]
  source.acknowledged(lost, 1, true)
  source.acknowledged(doubled, 2, true)
  source.acknowledged(misplaced, 3, true)
  source.refused(refused)
  ledger.seenId(source.idOf(doubled), 2)
  ledger.seenId(source.idOf(doubled), 2)
  ledger.seenId(source.idOf(misplaced), 4)
  ledger.seenId(source.idOf(refused), 5)
  const [account] = ledger.accounts()
  assert.ok(account)
  assert.deepEqual(faultsOf(account), [
    'one: 1 acknowledged and not in the log',
    'one: 1 in the log more than once',
    'one: 1 in the log at another position than was answered',
    'one: 1 refused and in the log all the same',
  ])
})

test('ids of other runs and of nobody are not taken for events of this one', () => {
  const ledger = new Ledger(run)
  const source = ledger.source('one')
  const id = source.idOf(source.next())
  assert.equal(new Ledger('ba9876543210').seenId(id, 0), false)
  assert.equal(ledger.seenId('00000000-0001-4000-8000-0123456789ab', 0), false)
  assert.equal(ledger.seenId('9b2c5f0e-8a67-4c2b-9d0e-3f5a1b2c3d4e', 0), false)
  assert.throws(() => ledger.seenId('00000001-0000-4000-8000-0123456789ab', 0), /was never sent/)
})

test('accounts hold more events than were reckoned with', () => {
  const ledger = new Ledger(run)
  const source = ledger.source('many')
  for (let k = 0; k < 200_000; k += 1) source.acknowledged(source.next(), k, true)
  for (let k = 0; k < 200_000; k += 1) source.seen(k, k)
  const [account] = ledger.accounts()
  assert.equal(account?.present, 200_000)
  assert.equal(account?.misplaced, 0)
})
