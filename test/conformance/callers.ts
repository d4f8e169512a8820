// Rows S: who may read, and what is recorded of it.

import assert from 'node:assert/strict'
import { microsOf, readLines, timeOf } from './audit-line.ts'
import {
  enginePath,
  entryAt,
  microsPerHour,
  portalPath,
  type Prober,
  rangeOf,
  type Test,
  withoutTimes,
} from './prober.ts'
import { refusal } from './refusal.ts'
import { basic } from './wire.ts'

/** The tests of rows S. */
export function callerTests(prober: Prober): Test[] {
  const { reader, user } = prober.target
  return [
    [
      'S1: Basic takes a login name and password in UTF-8, whatever the scheme’s case',
      async () => {
        const authorization = basic(reader).replace('Basic', 'bAsIc')
        const path = `${portalPath}?${prober.day.query}`
        assert.equal((await prober.ask(path, { headers: { authorization } })).status, 200)
      },
    ],
    [
      'S6, S3: unknown, external and wrong get the same answer',
      async () => {
        const answers = await Promise.all(
          [
            { name: 'nobody-at-all', password: reader.password },
            { name: `${reader.name}@example.com`, password: reader.password },
            { name: user.name, password: `${user.password}x` },
          ].map((credentials) => prober.ask(portalPath, { credentials })),
        )
        for (const answer of answers) {
          refusal(answer, 401, 'UNAUTHENTICATED')
          assert.deepEqual(withoutTimes(answer), withoutTimes(answers[0] ?? answer))
          assert.ok(answer.body.equals(answers[0]?.body ?? answer.body))
        }
      },
    ],
    [
      'S7: every read is one entry, with who, which window and which positions, outside its own snapshot',
      async () => {
        const answer = await prober.read(prober.day.query)
        const { from, to } = rangeOf(answer)
        const entry = entryAt(readLines(await prober.body('')), -1)
        const end = microsOf(prober.day.query.slice('before_date='.length).split('&')[0] ?? '')
        assert.equal(entry.event['actor'], reader.name)
        assert.equal(entry.audit['via'], 'self')
        assert.deepEqual(
          [entry.event['start'], entry.event['end'], entry.event['from'], entry.event['to']],
          [timeOf(end - 24 * microsPerHour), timeOf(end), String(from), String(to)],
        )
        for (const read of [{ method: 'HEAD' }, { headers: { 'if-none-match': '*' } }]) {
          const before = readLines(await prober.body('')).length
          await prober.read('elapsed_hours=1', read)
          const { body } = await prober.read('')
          assert.equal(readLines(body).length, before + 2)
        }
      },
    ],
    [
      'S7: refusals of valid credentials, and calls without, are entries',
      async () => {
        const before = readLines(await prober.body('')).length
        await prober.get(`${portalPath}?elapsed_hours=x&secret=typed`)
        await prober.get(enginePath)
        await prober.ask(portalPath, { credentials: user })
        await prober.ask(portalPath)
        const secret = 'Typed-a-password-1'
        await prober.ask(portalPath, { credentials: { name: secret, password: 'x' } })
        const answer = await prober.read('')
        const lines = readLines(answer.body).slice(before + 1)
        assert.deepEqual(
          lines.map(({ code, event }) => [code, event['actor'], event['outcome'], event['reason']]),
          [
            ['29002', reader.name, 'failure', 'INVALID_PARAMETER'],
            ['29002', reader.name, 'failure', 'UNKNOWN_ENGINE'],
            ['29002', user.name, 'failure', 'FORBIDDEN'],
            ['20103', '*system', 'failure', 'no-credentials'],
            ['20103', '*system', 'failure', 'unknown'],
          ],
        )
        assert.match(String(lines.at(-1)?.event['target']), /^\(unknown\) [0-9a-f]{8}$/)
        for (const typed of [secret, 'typed', reader.password, user.password]) {
          assert.ok(!answer.body.includes(typed), 'what was typed is not recorded')
        }
      },
    ],
    [
      'S7: health, metrics and the version are not recorded',
      async () => {
        const before = readLines(await prober.body('')).length
        for (const path of ['/healthz', '/readyz', '/metrics', '/version']) {
          assert.equal((await prober.ask(path)).status, 200)
        }
        assert.equal(readLines(await prober.body('')).length, before + 1)
      },
    ],
  ]
}
