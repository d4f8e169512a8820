// Rows E: refusals, each an array with a code and a message for the caller.

import assert from 'node:assert/strict'
import { enginePath, enginesPath, portalPath, type Prober, type Test } from './prober.ts'
import { elementsOf, refusal } from './refusal.ts'
import { converse, requestText } from './wire.ts'

/** The tests of rows E. */
export function errorTests(prober: Prober): Test[] {
  return [
    [
      'E1: an engine that is not connected is unknown',
      async () => {
        refusal(await prober.get(enginePath), 500, 'UNKNOWN_ENGINE')
        const [element] = refusal(await prober.get(`${enginePath}?elapsed_hours=1`), 500, 'UNKNOWN_ENGINE')
        assert.equal(element?.['engine'], 'engine-01')
        refusal(await prober.get(`${enginePath}?elapsed_hours=x`), 400, 'INVALID_PARAMETER')
      },
    ],
    [
      'E5: without valid credentials the answer is 401, and names Basic and Bearer',
      async () => {
        const answer = await prober.ask(portalPath)
        refusal(answer, 401, 'UNAUTHENTICATED')
        const challenges = String(answer.headers['www-authenticate'])
        assert.match(challenges, /\bBasic\b/)
        assert.match(challenges, /\bBearer\b/)
      },
    ],
    [
      'E5: malformed credentials and other schemes are 401 too',
      async () => {
        for (const authorization of [
          'Basic',
          'Basic !!!',
          'Basic bm9jb2xvbg==',
          'Digest x="y"',
          'Bearer x.y.z',
        ]) {
          refusal(await prober.ask(portalPath, { headers: { authorization } }), 401, 'UNAUTHENTICATED')
        }
      },
    ],
    [
      'E6: right credentials without administrator rights are 403, before the engine is looked up',
      async () => {
        const credentials = prober.target.user
        for (const path of [portalPath, enginePath, enginesPath, `${portalPath}?elapsed_hours=x`]) {
          refusal(await prober.ask(path, { credentials }), 403, 'FORBIDDEN')
        }
      },
    ],
    [
      'E7: what is not there is 404, with credentials or without',
      async () => {
        for (const path of [
          '/audit-trail/api/v1',
          '/audit-trail/api/v1/portal/type/auditlog/',
          '/audit-trail/api/v1/portal/type/Auditlog',
          '/audit-trail/api/v9/portal/type/auditlog',
          '/audit-trail/api/v1/portal/type/../type/auditlog',
        ]) {
          refusal(await prober.ask(path), 404, 'NOT_FOUND')
          refusal(await prober.get(path), 404, 'NOT_FOUND')
        }
      },
    ],
    [
      'E7: Accept is ignored, and Accept-Encoding that refuses all we have is 406',
      async () => {
        const { query } = prober.day
        const json = await prober.read(query, { headers: { accept: 'application/json' } })
        assert.deepEqual([json.status, json.headers['content-type']], [200, 'text/plain; charset=utf-8'])
        for (const encoding of ['br, identity;q=0', '*;q=0']) {
          refusal(
            await prober.read(query, { headers: { 'accept-encoding': encoding } }),
            406,
            'NOT_ACCEPTABLE',
          )
        }
        assert.equal((await prober.read(query, { headers: { 'accept-encoding': 'br' } })).status, 200)
      },
    ],
    [
      'E8: a range behind the end is 416, and says how long the answer is',
      async () => {
        const { query } = prober.day
        const { length } = (await prober.read(query)).body
        for (const range of [`bytes=${length}-`, 'bytes=-0']) {
          const answer = await prober.read(query, { headers: { range } })
          refusal(answer, 416, 'RANGE_NOT_SATISFIABLE')
          assert.equal(answer.headers['content-range'], `bytes */${length}`)
        }
      },
    ],
    [
      'E: what HTTP itself refuses is an array too, and the connection is closed',
      async () => {
        const { reader } = prober.target
        for (const [text, status] of [
          ['nonsense\r\n\r\n', 400],
          [requestText(portalPath, reader, [`X-Long: ${'x'.repeat(100_000)}`]), 431],
          [requestText(portalPath, reader, ['Content-Length: 1', 'Content-Length: 2']), 400],
          [requestText(`${portalPath}#x`, reader, ['Connection: close']), 400],
        ] as const) {
          const bytes = await converse(prober.target, text)
          const head = bytes.toString('latin1', 0, bytes.indexOf('\r\n\r\n'))
          assert.match(head, new RegExp(`^HTTP/1.1 ${status} `))
          assert.match(head, /^content-type: application\/json$/im)
          elementsOf(bytes.subarray(head.length + 4))
        }
      },
    ],
  ]
}
