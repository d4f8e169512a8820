// What holds for one reader holds for many at once, also where there is not enough for all (R2, E9, E10, S7).

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { linesOf, readLines } from './audit-line.ts'
import { portalPath, type Prober, rangeOf, type Test } from './prober.ts'
import { refusal } from './refusal.ts'
import { dial, requestText } from './wire.ts'

/** The tests with many readers. They use up what is left of the failed calls that are recorded one by one. */
export function manyReaderTests(prober: Prober): Test[] {
  return [
    [
      'S7, R2: a hundred readers at once each get their snapshot, and are each one entry',
      async () => {
        const before = readLines(await prober.body('')).length + 1
        const { query } = prober.day
        const answers = await Promise.all(Array.from({ length: 100 }, () => prober.read(query)))
        assert.ok(
          answers.every(({ status, body }) => status === 200 && body.equals(answers[0]?.body ?? body)),
        )
        const lines = readLines(await prober.body('')).slice(before - 1)
        assert.equal(
          lines.filter(({ event }) => event['bytes'] === String(answers[0]?.body.length)).length,
          100,
        )
      },
    ],
    [
      'R2, E10: a hundred readers of the whole log get it whole, or are told to come again',
      async () => {
        const answers = await Promise.all(Array.from({ length: 100 }, () => prober.read('')))
        const { body } = await prober.read('')
        assert.ok(answers.some(({ status }) => status === 200))
        for (const answer of answers) {
          if (answer.status === 200) {
            assert.ok(body.subarray(0, answer.body.length).equals(answer.body))
            assert.equal(linesOf(answer.body).length, rangeOf(answer).to)
          } else {
            refusal(answer, 503, 'UNAVAILABLE')
            assert.match(String(answer.headers['retry-after']), /^\d+$/)
          }
        }
      },
    ],
    [
      'E9: too many passwords at once are refused with Retry-After, and not hashed',
      async () => {
        const answers = await Promise.all(
          Array.from({ length: 25 }, (_, k) =>
            prober.ask(portalPath, { credentials: { name: `crowd-${k}`, password: 'x' } }),
          ),
        )
        const busy = answers.filter(({ status }) => status === 429)
        assert.ok(busy.length > 0 && busy.length < answers.length)
        for (const answer of answers) {
          if (answer.status !== 429) refusal(answer, 401, 'UNAUTHENTICATED')
          else {
            refusal(answer, 429, 'TOO_MANY_REQUESTS')
            assert.match(String(answer.headers['retry-after']), /^\d+$/)
          }
        }
      },
    ],
    [
      'a client that leaves half-way is an entry, and leaves the portal as it was',
      async () => {
        const before = readLines(await prober.body('')).length
        const socket = await dial(prober.target)
        socket.write(requestText(`${portalPath}?${prober.day.query}`, prober.target.reader))
        socket.destroy()
        await sleep(50)
        const { body } = await prober.read(prober.day.query)
        prober.sameEntries(readLines(body), prober.day.entries)
        assert.ok(readLines(await prober.body('')).length >= before + 2)
      },
    ],
  ]
}
