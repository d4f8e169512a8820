// What limits of attempts do to logins. How logins go otherwise is in `identity.test.ts`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError, type AnnalsError } from '../errors.ts'
import { nameAttemptRate, networkAttemptRate, waitingHashes, waitingStrangersHashes } from '../limits.ts'
import { basic, by, identityFixture, password, type IdentityFixture } from './testing/identity-fixture.ts'

const good = basic('admin', password)
const wrong = basic('admin', 'Wrong-Horse-7')
const home = '192.0.2.1'
const lockout = { failures: 1_000_000, minutes: 15 }

/** The error that a login ends with; undefined where it succeeds. */
async function errorOf(
  { identity }: IdentityFixture,
  authorization: string,
  source: string,
): Promise<AnnalsError | undefined> {
  const error: unknown = await identity.authenticate({ authorization, source }).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(error === undefined || isAnnalsError(error))
  return error
}

async function codesOf(
  fixture: IdentityFixture,
  times: number,
  authorization: (n: number) => string,
  source: (n: number) => string,
): Promise<Record<string, number>> {
  const codes: Record<string, number> = {}
  for (let n = 0; n < times; n += 1) {
    const { code = 'admitted' } = (await errorOf(fixture, authorization(n), source(n))) ?? {}
    codes[code] = (codes[code] ?? 0) + 1
  }
  return codes
}

function reasonsOf({ recorder }: IdentityFixture): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { code, eventParams = [] } of recorder.events) {
    const told = eventParams.filter(([name]) => name === 'reason')
    if (code === '20103') for (const [, reason] of told) counts[reason] = (counts[reason] ?? 0) + 1
  }
  return counts
}

test('E9: an attempt beyond a limit is refused before anything is hashed, and recorded as such', async () => {
  await using fixture = await identityFixture({ lockout })
  const tries = nameAttemptRate.burst + 5
  const codes = await codesOf(
    fixture,
    tries,
    () => wrong,
    (n) => `198.51.100.${n}`,
  )
  assert.deepEqual(codes, { UNAUTHENTICATED: nameAttemptRate.burst, TOO_MANY_REQUESTS: 5 })
  assert.equal(fixture.hasher.verified.length, nameAttemptRate.burst)
  assert.deepEqual(reasonsOf(fixture), { 'wrong-password': nameAttemptRate.burst, 'rate-limited': 5 })
  const error = await errorOf(fixture, wrong, '203.0.113.1')
  assert.ok((error?.retryAfterSeconds ?? 0) > 0)
  fixture.clock.pass((error?.retryAfterSeconds ?? 0) * 1000)
  assert.equal((await errorOf(fixture, wrong, '203.0.113.1'))?.code, 'UNAUTHENTICATED')
})

test('E9: what a limit refuses does not count as a failed login', async () => {
  await using fixture = await identityFixture({ lockout })
  await codesOf(
    fixture,
    nameAttemptRate.burst + 30,
    () => wrong,
    (n) => `198.51.100.${n}`,
  )
  const [admin] = await fixture.identity.accounts.list()
  assert.equal(admin?.failures, nameAttemptRate.burst)
})

test('E9: credentials that are remembered are no attempt, however often they come', async () => {
  await using fixture = await identityFixture({ lockout })
  await errorOf(fixture, good, home)
  // All that the network may try is used up by others there.
  const guess = (n: number) => basic(`nobody-${n}`, 'x')
  await codesOf(fixture, networkAttemptRate.burst, guess, () => home)
  assert.equal((await errorOf(fixture, guess(0), home))?.code, 'TOO_MANY_REQUESTS')
  const codes = await codesOf(
    fixture,
    300,
    () => good,
    () => home,
  )
  assert.deepEqual(codes, { admitted: 300 })
})

test('E9: logins that succeed use nothing up', async () => {
  await using fixture = await identityFixture({ lockout })
  for (let n = 0; n < 2 * nameAttemptRate.burst; n += 1) {
    assert.equal(await errorOf(fixture, good, home), undefined)
    // It is remembered no longer, and no token has come back by itself.
    await fixture.identity.accounts.setPassword('admin', password, by)
  }
  assert.equal(fixture.hasher.verified.length, 2 * nameAttemptRate.burst)
})

test('S4: an account that is tried from elsewhere beyond all limits can sign in where it is at home', async () => {
  await using fixture = await identityFixture({ lockout })
  await errorOf(fixture, good, home)
  fixture.clock.pass(10 * 60_000)
  const flood = () =>
    codesOf(
      fixture,
      nameAttemptRate.burst * 3,
      () => wrong,
      (n) => `198.51.100.${n}`,
    )
  await flood()
  assert.equal((await errorOf(fixture, good, '203.0.113.1'))?.code, 'TOO_MANY_REQUESTS')
  for (const source of [home, '127.0.0.1', '::1'])
    assert.equal(await errorOf(fixture, good, source), undefined)
})

test('S4: of a locked account no limit tells whether a password is the right one', async () => {
  const tries = nameAttemptRate.burst + 10
  const codes: Record<string, number>[] = []
  for (const header of [good, wrong]) {
    await using fixture = await identityFixture()
    await codesOf(
      fixture,
      5,
      (n) => basic('admin', `Wrong-Horse-${n}`),
      () => '203.0.113.9',
    )
    codes.push(
      await codesOf(
        fixture,
        tries,
        () => header,
        () => '203.0.113.9',
      ),
    )
  }
  assert.deepEqual(codes[0], { UNAUTHENTICATED: nameAttemptRate.burst - 5, TOO_MANY_REQUESTS: 15 })
  assert.deepEqual(codes[1], codes[0])
})

test('S6: limits treat a name that is no account as they treat one that is, on the machine itself too', async () => {
  for (const source of ['198.51.100.1', '127.0.0.1']) {
    const codes: Record<string, number>[] = []
    for (const name of ['admin', 'nobody', 'ann@example.com']) {
      await using fixture = await identityFixture({ lockout })
      // Somebody else has tried the name from elsewhere before.
      await codesOf(
        fixture,
        nameAttemptRate.burst,
        () => basic(name, 'x'),
        (n) => `203.0.113.${n}`,
      )
      codes.push(
        await codesOf(
          fixture,
          nameAttemptRate.burst + 5,
          () => basic(name, 'x'),
          () => source,
        ),
      )
    }
    assert.deepEqual(codes[1], codes[0], source)
    assert.deepEqual(codes[2], codes[0], source)
  }
})

test('E9: strangers leave places in the queue to those at home, and what was not hashed is given back', async () => {
  await using fixture = await identityFixture({ lockout })
  await errorOf(fixture, good, home)
  fixture.clock.pass(10 * 60_000)
  const strangers = Array.from({ length: 40 }, (_, n) =>
    errorOf(fixture, basic('reader', `Guess-${n}`), `198.51.100.${n % 200}`),
  )
  const athome = errorOf(fixture, good, home)
  const codes = (await Promise.all(strangers)).map((error) => error?.code)
  assert.equal(await athome, undefined)
  const compared = codes.filter((code) => code === 'UNAUTHENTICATED').length
  // One is hashed while the others wait.
  assert.equal(compared, 1 + waitingStrangersHashes)
  assert.ok(waitingStrangersHashes < waitingHashes)
  assert.deepEqual(reasonsOf(fixture), { busy: 40 - compared, 'wrong-password': compared })
  const next = await codesOf(
    fixture,
    40,
    (n) => basic('reader', `Guess-${n}`),
    (n) => `203.0.113.${n}`,
  )
  assert.equal(next['UNAUTHENTICATED'], nameAttemptRate.burst - compared)
})
