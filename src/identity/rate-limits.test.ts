import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecorderDouble } from '../database/testing/recorder-double.ts'
import { isAnnalsError, type AnnalsError } from '../errors.ts'
import { clientTokenRate, nameAttemptRate, namedClientAttemptRate, networkAttemptRate } from '../limits.ts'
import { elsewhere, loopback, networkOf } from './network.ts'
import { RateLimits, type Attempt, type LimitName } from './rate-limits.ts'
import { ClockDouble } from './testing/clock-double.ts'

function fixture() {
  const [clock, recorder] = [new ClockDouble(), new RecorderDouble()]
  const limited: LimitName[] = []
  const limits = new RateLimits({
    clock,
    record: recorder.record,
    hostName: 'portal-01',
    limited: (limit) => void limited.push(limit),
  })
  return { clock, recorder, limited, limits }
}

/** How many of a number of tries are let through. */
async function passed(tries: number, attempt: (n: number) => Promise<unknown>): Promise<number> {
  let count = 0
  for (let n = 0; n < tries; n += 1) {
    const isPassed = await attempt(n).then(
      () => true,
      (error: unknown) => {
        assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS'))
        return false
      },
    )
    if (isPassed) count += 1
  }
  return count
}

async function refusal(attempt: Promise<Attempt | void>): Promise<AnnalsError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS'))
  return error
}

test('E9: from one network so many passwords are tried, whatever the names', async () => {
  const { limits, limited } = fixture()
  const tries = networkAttemptRate.burst + 7
  assert.equal(await passed(tries, (n) => limits.login(`name-${n}`, '192.0.2.1')), networkAttemptRate.burst)
  assert.deepEqual(
    limited,
    Array.from({ length: 7 }, () => 'network'),
  )
  assert.equal(await passed(1, () => limits.login('name', '192.0.2.2')), 1)
})

test('E9: whoever has a /64 of IPv6 has one network', async () => {
  const { limits } = fixture()
  const tries = networkAttemptRate.burst + 1
  const from = (n: number) => limits.login(`name-${n}`, networkOf(`2001:db8::${n.toString(16)}`))
  assert.equal(await passed(tries, from), networkAttemptRate.burst)
})

test('E9: for one name so many passwords are tried, from wherever they come', async () => {
  const { limits, limited } = fixture()
  const tries = nameAttemptRate.burst + 3
  assert.equal(await passed(tries, (n) => limits.login('admin', `192.0.2.${n}`)), nameAttemptRate.burst)
  assert.deepEqual(limited, ['name', 'name', 'name'])
  assert.equal(await passed(1, () => limits.login('other', '192.0.2.99')), 1)
})

test('S4: whoever tries a name from elsewhere does not use up what it has at home', async () => {
  const { limits } = fixture()
  await passed(nameAttemptRate.burst * 3, (n) => limits.login('admin', `198.51.100.${n}`, elsewhere))
  assert.equal(await passed(1, () => limits.login('admin', '198.51.100.250', elsewhere)), 0)
  assert.equal(await passed(1, () => limits.login('admin', '192.0.2.1', '192.0.2.1')), 1)
  assert.equal(await passed(1, () => limits.login('admin', loopback, loopback)), 1)
})

test('E9: what turned out to be right is given back, as often as it comes', async () => {
  const { limits, limited } = fixture()
  const right = async () => (await limits.login('admin', '192.0.2.1')).giveBack()
  assert.equal(await passed(1000, right), 1000)
  assert.deepEqual(limited, [])
  const wrong = () => limits.login('admin', '192.0.2.1')
  assert.equal(await passed(1000, wrong), nameAttemptRate.burst)
})

test('E9: an attempt that was right gives back once, and not more than it took', async () => {
  const { limits } = fixture()
  const wrong = () => limits.login('admin', '192.0.2.1')
  const attempt = await wrong()
  await passed(nameAttemptRate.burst, wrong)
  for (let i = 0; i < 5; i += 1) attempt.giveBack()
  assert.equal(await passed(5, wrong), 1)
})

test('E9: what one limit refuses takes nothing of the others', async () => {
  const { limits } = fixture()
  const admin = () => limits.login('admin', '192.0.2.1')
  const spent = await passed(1000, admin)
  const left = networkAttemptRate.burst - spent
  assert.equal(await passed(1000, (n) => limits.login(`name-${n}`, '192.0.2.1')), left)
})

test('E9: the answer says after how long there is room again, and then there is', async () => {
  const { limits, clock } = fixture()
  const attempt = () => limits.login('admin', '192.0.2.1')
  await passed(nameAttemptRate.burst, attempt)
  const { retryAfterSeconds = 0 } = await refusal(attempt())
  assert.equal(retryAfterSeconds, 60 / nameAttemptRate.perMinute)
  clock.pass(retryAfterSeconds * 1000 - 1)
  await refusal(attempt())
  clock.pass(1)
  assert.equal(await passed(1, attempt), 1)
})

test('E9: nobody uses up what a client has by naming it from another network', async () => {
  const { limits, limited } = fixture()
  const tries = namedClientAttemptRate.burst + 4
  const stranger = () => limits.client('siem-1', '198.51.100.1')
  assert.equal(await passed(tries, stranger), namedClientAttemptRate.burst)
  assert.deepEqual(new Set(limited), new Set(['client']))
  assert.equal(await passed(1, () => limits.client('siem-1', '192.0.2.1')), 1)
})

test('E9: a client that guesses ids is stopped by its network', async () => {
  const { limits } = fixture()
  const tries = networkAttemptRate.burst + 1
  const guess = (n: number) => limits.client(`client-${n}`, `2001:db8::${n.toString(16)}`)
  assert.equal(await passed(tries, guess), networkAttemptRate.burst)
})

test('E9: tokens of one client are limited, however right it is', async () => {
  const { limits, limited, clock } = fixture()
  const tries = clientTokenRate.burst + 2
  assert.equal(await passed(tries, () => limits.token('siem-1')), clientTokenRate.burst)
  assert.deepEqual(limited, ['token', 'token'])
  assert.equal(await passed(1, () => limits.token('siem-2')), 1)
  clock.pass(60_000)
  assert.equal(await passed(tries, () => limits.token('siem-1')), clientTokenRate.perMinute)
})

test('S7: that a limit refuses is one entry a minute, whoever it is and however many', async () => {
  const { limits, recorder, limited, clock } = fixture()
  const flood = () => passed(2000, (n) => limits.login(`name-${n}`, `192.0.2.${n % 8}`))
  await flood()
  assert.ok(limited.length > 1000)
  const [event] = recorder.events
  assert.match(
    String(event?.message),
    /^\[Portal\|AUDIT\|29058\|\*system\] Too many attempts refused for 1 seconds - network$/,
  )
  assert.deepEqual(recorder.codes, ['29058'])
  clock.pass(59_999)
  await flood()
  assert.deepEqual(recorder.codes, ['29058'])
  clock.pass(1)
  await flood()
  assert.deepEqual(recorder.codes, ['29058', '29058'])
})

test('S7: one limit does not keep another from being recorded, and neither tells whom it met', async () => {
  const { limits, recorder } = fixture()
  await passed(networkAttemptRate.burst + 1, (n) => limits.login(`secret-${n}`, '192.0.2.1'))
  await passed(nameAttemptRate.burst + 1, (n) => limits.login('secret', `198.51.100.${n}`))
  await passed(namedClientAttemptRate.burst + 1, () => limits.client('secret', '203.0.113.1'))
  await passed(clientTokenRate.burst + 1, () => limits.token('secret'))
  const told = recorder.events.map(({ eventParams }) => eventParams?.find(([name]) => name === 'limit')?.[1])
  assert.deepEqual(told, ['network', 'name', 'client', 'token'])
  assert.doesNotMatch(JSON.stringify(recorder.events), /secret/)
})

test('I9: where there is no room to record it, a limit refuses all the same', async () => {
  const { limits, recorder } = fixture()
  recorder.refusesWith = 'STORAGE_FULL'
  await passed(nameAttemptRate.burst, () => limits.login('admin', '192.0.2.1'))
  await refusal(limits.login('admin', '192.0.2.1'))
  assert.deepEqual(recorder.events, [])
})

test('S6: a limit refuses in the same words whatever it is that is limited', async () => {
  const { limits } = fixture()
  await passed(networkAttemptRate.burst, (n) => limits.login(`name-${n}`, '192.0.2.1'))
  await passed(nameAttemptRate.burst, (n) => limits.login('name', `198.51.100.${n}`))
  const refusals = [limits.login('x', '192.0.2.1'), limits.login('name', '203.0.113.1')]
  const errors = await Promise.all(refusals.map(async (attempt) => refusal(attempt)))
  assert.equal(new Set(errors.map(({ message, detail }) => `${message} ${detail}`)).size, 1)
})
