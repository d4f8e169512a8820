// Rows A: which resources there are, and by which methods they are read.

import assert from 'node:assert/strict'
import { readLines } from './audit-line.ts'
import { enginePath, enginesPath, portalPath, type Prober, type Test, withoutTimes } from './prober.ts'
import { refusal } from './refusal.ts'

/** The tests of rows A. */
export function resourceTests(prober: Prober): Test[] {
  return [
    [
      'A1: the portal’s path returns the log of the portal, from its first entry',
      async () => {
        const lines = readLines(await prober.body(''))
        prober.sameEntries(lines.slice(0, prober.known.length), prober.known)
        assert.deepEqual(
          lines.map(({ position }) => position),
          lines.map((_, index) => index),
        )
        assert.equal(new Set(lines.map(({ audit }) => audit['log'])).size, 1)
      },
    ],
    [
      'A3: with no engine connected, all engines’ logs are empty',
      async () => {
        const answer = await prober.get(enginesPath)
        assert.deepEqual([answer.status, answer.body.length, answer.headers['content-length']], [200, 0, '0'])
      },
    ],
    [
      'A5: HEAD is answered as GET without a body',
      async () => {
        const got = await prober.read(prober.day.query)
        const head = await prober.read(prober.day.query, { method: 'HEAD' })
        assert.deepEqual([head.status, head.body.length], [200, 0])
        assert.deepEqual(withoutTimes(head), withoutTimes(got))
      },
    ],
    [
      'A5: any other method is refused with Allow, before credentials are asked for',
      async () => {
        for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
          for (const path of [portalPath, enginesPath, enginePath]) {
            const answer = await prober.ask(path, { method })
            refusal(answer, 405, 'METHOD_NOT_ALLOWED')
            assert.match(String(answer.headers.allow), /^GET, ?HEAD$/)
          }
        }
      },
    ],
  ]
}
