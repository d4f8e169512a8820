import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Attempt, failedAttempt } from './attempt.ts'
import { AuditTrailError } from './errors.ts'
import { Lane } from './lane.ts'

// When a lane tries an event that always fails: milliseconds since the try before.
async function pauses(
  context: TestContext,
  { random, tries, attempt }: { readonly random: number; readonly tries: number; readonly attempt: Attempt },
): Promise<readonly number[]> {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let [nowMs, lastMs] = [0, 0]
  const pauses: number[] = []
  const lane = new Lane({
    post: async () => {
      pauses.push(nowMs - lastMs)
      lastMs = nowMs
      return attempt
    },
    settings: {
      batch: { events: 10, bytes: 1_000, lingerMs: 5, inFlight: 1 },
      retry: { firstMs: 50, mostMs: 400 },
    },
    giveUpAfterMs: Infinity,
    isPatient: false,
    makeId: () => '',
    monotonicMs: () => nowMs,
    random: () => random,
    moved: () => undefined,
    failed: () => undefined,
  })
  lane.add({ id: '', line: '{}', bytes: 2, hasOwnId: true, sinceMs: 0, wasSent: false, settle: assert.fail })
  while (pauses.length <= tries) {
    for (let k = 0; k < 3; k++) await turn()
    nowMs += 1
    context.mock.timers.tick(1)
  }
  lane.stop()
  context.mock.timers.reset()
  return pauses.slice(1)
}

const unreachable = new AuditTrailError('UNREACHABLE', 'nobody answers')

test('the pause before another try doubles up to the longest, and chance shortens it', async (context) => {
  const attempt = failedAttempt(unreachable)
  const longest = await pauses(context, { random: 1, tries: 5, attempt })
  assert.deepEqual(longest, [50, 100, 200, 400, 400])
  assert.deepEqual(await pauses(context, { random: 0.5, tries: 5, attempt }), [25, 50, 100, 200, 200])
  assert.deepEqual(await pauses(context, { random: 0.02, tries: 2, attempt }), [1, 2])
})

test('those who were told the same by Retry-After come back one after the other, and none before that', async (context) => {
  const attempt = { ...failedAttempt(unreachable), retryAfterMs: 1_000 }
  for (const [random, pause] of [
    [0, 1_000],
    [0.5, 1_250],
    [1, 1_500],
  ] as const)
    assert.deepEqual(await pauses(context, { random, tries: 1, attempt }), [pause])
})

test('an event that would get another id when the lane is stopped is given up, as one that was never sent', async () => {
  const { promise, resolve } = Promise.withResolvers<Attempt>()
  const lane = new Lane({
    post: () => promise,
    settings: {
      batch: { events: 10, bytes: 1_000, lingerMs: 5, inFlight: 1 },
      retry: { firstMs: 50, mostMs: 400 },
    },
    giveUpAfterMs: Infinity,
    isPatient: false,
    makeId: assert.fail,
    monotonicMs: () => 0,
    random: () => 0,
    moved: () => undefined,
    failed: () => undefined,
  })
  const settled = new Promise<readonly [unknown, boolean]>((settle) =>
    lane.add({
      id: '',
      line: '{}',
      bytes: 2,
      hasOwnId: true,
      sinceMs: 0,
      wasSent: false,
      settle: (outcome, item) =>
        settle([outcome instanceof AuditTrailError && outcome.code, item.hasOwnId && !item.wasSent]),
    }),
  )
  await turn()
  assert.deepEqual(lane.stop(), [])
  const tooOld = new AuditTrailError('ID_TOO_OLD', 'too old')
  resolve({ outcomes: [], rest: { error: tooOld, mayPass: false, isWhole: false, leftNoTrace: true } })
  assert.deepEqual(await settled, ['GIVEN_UP', true])
  assert.equal(lane.waiting, 0)
})
