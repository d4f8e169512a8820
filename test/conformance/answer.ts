// Rows R: the answer, its bytes, its length, its parts and its codings; and connections that carry several of them.

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { linesOf, readLines, timeOf } from './audit-line.ts'
import { entryAt, portalPath, type Prober, type Test } from './prober.ts'
import { refusal } from './refusal.ts'
import { converse, requestText, splitAnswers } from './wire.ts'

/** The tests of rows R. */
export function answerTests(prober: Prober): Test[] {
  const { query } = prober.day
  return [
    [
      'R1: lines as stored, each ended by one newline, as UTF-8 text',
      async () => {
        const answer = await prober.read(query)
        assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
        assert.equal(answer.body.at(-1), 0x0a)
        assert.ok(linesOf(answer.body).every(({ length }) => length > 0 && length <= 65_535))
        new TextDecoder('utf-8', { fatal: true }).decode(answer.body)
      },
    ],
    [
      'R2: Content-Length is exact, and the same window is the same bytes',
      async () => {
        const first = await prober.read(query)
        await prober.read('')
        const second = await prober.read(query)
        assert.equal(first.headers['content-length'], String(first.body.length))
        assert.ok(second.body.equals(first.body))
        assert.equal(second.headers.etag, first.headers.etag)
      },
    ],
    [
      'R2: a window that ended in the past gains nothing, though it was asked for as it ended',
      async () => {
        const whole = await prober.read('')
        const now = (await prober.entryOf(whole)).time
        const first = await prober.read(`before_date=${timeOf(now)}`)
        const second = await prober.read(`before_date=${timeOf(now)}`)
        assert.ok(first.body.equals(whole.body))
        assert.ok(second.body.equals(whole.body))
      },
    ],
    [
      'R3: no entry in the window is 200 and an empty body',
      async () => {
        for (const query of [
          'before_date=1999-01-01',
          'elapsed_hours=0',
          'before_date=0001-01-01T00:00:00Z',
        ]) {
          const answer = await prober.read(query)
          assert.deepEqual([answer.status, answer.headers['content-length']], [200, '0'])
          assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
        }
      },
    ],
    [
      'R4: a strong ETag names the log and the positions, and the answer may be kept by its reader alone',
      async () => {
        const { headers, body } = await prober.read(query)
        const lines = readLines(body)
        const log = lines[0]?.audit['log']
        const [from, to] = [entryAt(lines, 0).position, entryAt(lines, -1).position + 1]
        assert.equal(headers.etag, `"${log}.${from}-${to}"`)
        assert.equal(headers['accept-ranges'], 'bytes')
        assert.equal(headers['cache-control'], 'private, no-cache')
        assert.equal(headers.vary, 'Authorization, Accept-Encoding')
      },
    ],
    [
      'R4: If-None-Match is answered with 304, to those who may read',
      async () => {
        const { headers } = await prober.read(query)
        const etag = String(headers.etag)
        for (const held of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
          const answer = await prober.read(query, { headers: { 'if-none-match': held } })
          assert.deepEqual([answer.status, answer.body.length, answer.headers.etag], [304, 0, etag])
        }
        assert.equal((await prober.read(query, { headers: { 'if-none-match': '"x"' } })).status, 200)
        const credentials = prober.target.user
        refusal(
          await prober.read(query, { credentials, headers: { 'if-none-match': etag } }),
          403,
          'FORBIDDEN',
        )
      },
    ],
    [
      'R4: a range is that part of the answer',
      async () => {
        const { body } = await prober.read(query)
        const { length } = body
        for (const [range, start, end] of [
          ['0-0', 0, 1],
          ['100-299', 100, 300],
          [`${length - 1}-`, length - 1, length],
          ['-57', length - 57, length],
          [`5-${length * 2}`, 5, length],
          [`-${length * 2}`, 0, length],
        ] as const) {
          const answer = await prober.read(query, { headers: { range: `bytes=${range}` } })
          assert.equal(answer.status, 206)
          assert.equal(answer.headers['content-range'], `bytes ${start}-${end - 1}/${length}`)
          assert.ok(answer.body.equals(body.subarray(start, end)))
        }
      },
    ],
    [
      'R4: If-Range resumes from its own snapshot while recording goes on',
      async () => {
        const whole = await prober.read('')
        const half = Math.floor(whole.body.length / 2)
        await prober.read(query)
        await prober.read(query)
        const rest = await prober.read('', {
          headers: { range: `bytes=${half}-`, 'if-range': String(whole.headers.etag) },
        })
        assert.equal(rest.status, 206)
        assert.equal(rest.headers.etag, whole.headers.etag)
        assert.equal(
          rest.headers['content-range'],
          `bytes ${half}-${whole.body.length - 1}/${whole.body.length}`,
        )
        assert.ok(rest.body.equals(whole.body.subarray(half)))
      },
    ],
    [
      'R4: If-Range with anything else is answered with the whole of the window as it is now',
      async () => {
        const first = await prober.read('')
        const etag = String(first.headers.etag)
        for (const other of ['"x"', `W/${etag}`, new Date().toUTCString(), etag.replace('.0-', '.0-9')]) {
          const answer = await prober.read('', { headers: { range: 'bytes=5-', 'if-range': other } })
          assert.equal(answer.status, 200, other)
          assert.ok(answer.body.length > first.body.length)
        }
      },
    ],
    [
      'R5: zstd and gzip decode to the same bytes, and say how many they are',
      async () => {
        const { body, headers } = await prober.read(query)
        const etag = String(headers.etag)
        for (const [accept, coding] of [
          ['zstd', 'zstd'],
          ['gzip', 'gzip'],
          ['gzip, zstd', 'zstd'],
          ['gzip;q=1, zstd;q=0.5', 'gzip'],
        ] as const) {
          const answer = await prober.read(query, { headers: { 'accept-encoding': accept } })
          assert.deepEqual([answer.status, answer.headers['content-encoding']], [200, coding])
          assert.equal(answer.headers['annals-content-length'], String(body.length))
          assert.equal(answer.headers['content-length'], undefined)
          assert.equal(answer.headers['transfer-encoding'], 'chunked')
          assert.equal(answer.headers['accept-ranges'], 'none')
          assert.match(String(answer.headers.vary), /Accept-Encoding/)
          assert.equal(answer.headers.etag, `${etag.slice(0, -1)}-${coding}"`)
          assert.ok(answer.body.length < body.length)
          assert.ok(decode(coding, answer.body).equals(body))
        }
      },
    ],
    [
      'R5: a range and HTTP/1.0 are answered uncompressed',
      async () => {
        const { body } = await prober.read(query)
        const part = await prober.read(query, { headers: { 'accept-encoding': 'zstd', range: 'bytes=0-9' } })
        assert.deepEqual([part.status, part.headers['content-encoding']], [206, undefined])
        assert.ok(part.body.equals(body.subarray(0, 10)))
        const lines = ['Accept-Encoding: zstd, gzip']
        const text = requestText(`${portalPath}?${query}`, prober.target.reader, lines, '1.0')
        const [old, ...more] = splitAnswers(await converse(prober.target, text))
        assert.equal(more.length, 0)
        assert.doesNotMatch(String(old?.head), /content-encoding|transfer-encoding/i)
        assert.ok(old?.body.equals(body))
      },
    ],
    [
      'R6: what is compressed ends with the last chunk, and so does the stream in it',
      async () => {
        const text = requestText(portalPath, prober.target.reader, [
          'Accept-Encoding: zstd',
          'Connection: close',
        ])
        const bytes = await converse(prober.target, text)
        assert.equal(bytes.toString('latin1', bytes.length - 7), '\r\n0\r\n\r\n')
        const length = /^annals-content-length: (\d+)$/im.exec(bytes.toString('latin1', 0, 2000))?.[1]
        const start = bytes.indexOf('\r\n\r\n') + 4
        assert.equal(zstdDecompressSync(unchunk(bytes.subarray(start))).length, Number(length))
      },
    ],
    [
      'connections are kept, and carry one answer after the other',
      async () => {
        const isTls = prober.target.baseUrl.startsWith('https:')
        const agent = isTls
          ? new TlsAgent({ keepAlive: true, maxSockets: 1, ca: prober.target.ca })
          : new Agent({ keepAlive: true, maxSockets: 1 })
        const { body } = await prober.read(query)
        let connections = 0
        const createConnection = agent.createConnection.bind(agent)
        agent.createConnection = (...args) => {
          connections += 1
          return createConnection(...args)
        }
        for (const path of [
          `${portalPath}?${query}`,
          `${portalPath}?x=1`,
          '/nothing',
          `${portalPath}?${query}`,
        ]) {
          const { status, body: got } = await prober.get(path, { agent })
          if (status === 200) assert.ok(got.equals(body))
        }
        assert.equal(connections, 1)
        agent.destroy()
      },
    ],
    [
      'pipelined requests are answered in their order',
      async () => {
        const { reader } = prober.target
        const { body } = await prober.read(query)
        const texts = [
          requestText(`${portalPath}?${query}`, reader),
          requestText(`${portalPath}?elapsed_hours=x`, reader),
          requestText(portalPath, reader),
          requestText(`${portalPath}?${query}`, reader, ['Range: bytes=10-19']),
          requestText(`${portalPath}?${query}`, reader, ['Connection: close']),
        ]
        const answers = splitAnswers(await converse(prober.target, texts.join('')))
        assert.deepEqual(
          answers.map(({ head }) => head.slice(9, 12)),
          ['200', '400', '200', '206', '200'],
        )
        const [first, , whole, part, last] = answers
        assert.ok(first?.body.equals(body) === true && last?.body.equals(body) === true)
        assert.ok(part?.body.equals(body.subarray(10, 20)))
        assert.ok(readLines(whole?.body ?? Buffer.alloc(0)).length > prober.known.length)
      },
    ],
  ]
}

function decode(coding: 'zstd' | 'gzip', body: Buffer): Buffer {
  return coding === 'zstd' ? zstdDecompressSync(body) : gunzipSync(body)
}

function unchunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}
