import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { isAnnalsError } from '../../errors.ts'
import { temporaryDirectory } from '../testing/annals-process.ts'
import { testSurroundings } from '../testing/surroundings.ts'
import { outputDestination } from './output-destination.ts'
import { openPartFile } from './part-file.ts'
import { fetching } from './testing/fetching.ts'
import { cut, logText, refusal, startScriptedServer, type Step, whole } from './testing/scripted-server.ts'

const log = logText(2_000)

test('R4: what breaks off goes on behind the bytes that are there, by Range and If-Range', async (context) => {
  const server = await startScriptedServer(context, cut(log, 1_000), cut(log, 30_000), whole(log))
  const file = fileIn(context)
  const account = await fetchTo(file, server.url)
  assert.deepEqual([account.resumed, account.startedOver], [2, 0])
  assert.equal(readFileSync(file, 'utf8'), log)
  assert.deepEqual(
    server.requests.map(({ headers }) => [headers.range, headers['if-range'], headers['accept-encoding']]),
    [
      [undefined, undefined, 'identity'],
      ['bytes=1000-', '"one"', 'identity'],
      ['bytes=31000-', '"one"', 'identity'],
    ],
  )
  assert.ok(!existsSync(`${file}.part`) && !existsSync(`${file}.part.json`))
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('R6: an answer that ends early is never taken for the whole, whatever its framing', async (context) => {
  const short: Record<string, Step> = {
    'a length that is not reached': cut(log, 500, {}),
    'chunks without the last one': chunks((response) => response.write('some', () => response.destroy())),
    'no framing at all': (request, response) => {
      request.socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsome')
      response.destroy()
    },
  }
  for (const [what, step] of Object.entries(short)) {
    const server = await startScriptedServer(context, step)
    const file = fileIn(context)
    await assert.rejects(
      fetchTo(file, server.url, { retries: 1 }),
      /closed the connection|broke|neither/,
      what,
    )
    assert.ok(!existsSync(file), what)
  }
})

test('a log that is not found to be resumable starts over: no entity tag, a weak one, no ranges', async (context) => {
  for (const headers of [{}, { etag: 'W/"one"' }, { etag: '"one"', 'accept-ranges': 'none' }]) {
    const server = await startScriptedServer(context, cut(log, 1_000, headers), whole(log, headers))
    const file = fileIn(context)
    const account = await fetchTo(file, server.url)
    assert.deepEqual([account.resumed, account.startedOver], [0, 1])
    assert.equal(server.requests[1]?.headers.range, undefined)
    assert.equal(readFileSync(file, 'utf8'), log)
  }
})

test('a server that has another answer by now starts the file over', async (context) => {
  const other = logText(3_000).replaceAll('entry', 'other')
  const server = await startScriptedServer(context, cut(log, 1_000), whole(other, { etag: '"two"' }))
  const file = fileIn(context)
  assert.equal((await fetchTo(file, server.url)).startedOver, 1)
  assert.equal(readFileSync(file, 'utf8'), other)
})

test('a part that does not fit is refused, and nothing of it is kept', async (context) => {
  const wrong: Record<string, string>[] = [
    { 'content-range': `bytes 999-1003/${log.length}` },
    { 'content-range': `bytes 1000-1004/${log.length + 1}` },
    { 'content-range': 'bytes 1000-1004/1002' },
    { 'content-range': `bytes 1000-1009/${log.length}` },
    { 'content-range': `bytes 1000-1004/${log.length}`, etag: '"two"' },
    { 'content-range': `bytes 1000-1004/${log.length}`, 'content-encoding': 'gzip' },
    {},
  ]
  for (const headers of wrong) {
    const part: Step = (_request, response) =>
      response.writeHead(206, { 'content-length': 5, ...headers }).end('wrong')
    const server = await startScriptedServer(context, cut(log, 1_000), part)
    const file = fileIn(context)
    await assert.rejects(fetchTo(file, server.url), /another part than was asked for/)
    assert.equal(readFileSync(`${file}.part`, 'utf8'), log.slice(0, 1_000))
  }
})

test('a part that is shorter than was asked for is followed by the next one', async (context) => {
  const part: Step = (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0])
    const end = Math.min(log.length, from + 40_000)
    const headers = {
      'content-length': end - from,
      'content-range': `bytes ${from}-${end - 1}/${log.length}`,
    }
    response.writeHead(206, headers).end(log.slice(from, end))
  }
  const server = await startScriptedServer(context, cut(log, 1_000), part)
  const file = fileIn(context)
  await fetchTo(file, server.url)
  assert.equal(readFileSync(file, 'utf8'), log)
  assert.equal(server.requests.length, 1 + Math.ceil((log.length - 1_000) / 40_000))
})

test('E8: 416 ends a download whose length was not known when all of it is there, and else starts it over', async (context) => {
  const unfinished = chunks((response) => response.write(log, () => response.destroy()), { etag: '"one"' })
  const none = (bytes: number) => refusal(416, [], { 'content-range': `bytes */${bytes}` })
  const whole416 = await startScriptedServer(context, unfinished, none(log.length))
  const file = fileIn(context)
  await fetchTo(file, whole416.url)
  assert.equal(readFileSync(file, 'utf8'), log)
  const other = await startScriptedServer(context, unfinished, none(7), whole('shorter'))
  const otherFile = fileIn(context)
  await fetchTo(otherFile, other.url)
  assert.equal(readFileSync(otherFile, 'utf8'), 'shorter')
})

test('a chunked answer with its last chunk is whole, and an empty one is too (R3)', async (context) => {
  const server = await startScriptedServer(
    context,
    chunks((response) => response.end(log)),
  )
  const file = fileIn(context)
  await fetchTo(file, server.url)
  assert.equal(readFileSync(file, 'utf8'), log)
  const empty = await startScriptedServer(context, whole(''))
  const emptyFile = fileIn(context)
  await fetchTo(emptyFile, empty.url)
  assert.equal(readFileSync(emptyFile, 'utf8'), '')
})

test('E9, E10: a server that is busy is asked again, and a server that stays busy is given up', async (context) => {
  const busy = [429, 503, 502, 504].map((status) => refusal(status, []))
  const server = await startScriptedServer(context, ...busy, whole(log))
  const file = fileIn(context)
  const { setbacks } = await fetchTo(file, server.url, { retries: 4 })
  assert.equal(setbacks.length, 4)
  const never = await startScriptedServer(
    context,
    refusal(429, [{ code: 'TOO_MANY_REQUESTS', message: 'no' }]),
  )
  await assert.rejects(fetchTo(fileIn(context), never.url, { retries: 2 }), (error) => {
    assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS'))
    assert.match(error.message, /TOO_MANY_REQUESTS: no; given up after 3 attempts$/)
    return true
  })
  assert.equal(never.requests.length, 3)
})

test('a download that breaks at the same place each time is given up, and one that moves on is not', async (context) => {
  const server = await startScriptedServer(context, cut(log, 1_000, {}))
  const file = fileIn(context)
  await assert.rejects(fetchTo(file, server.url, { retries: 2 }), (error) => {
    assert.ok(isAnnalsError(error, 'UNAVAILABLE'))
    assert.match(error.message, new RegExp(`; 1000 of ${log.length} bytes are in .*cannot be gone on with`))
    return true
  })
  assert.equal(server.requests.length, 3)
  const slow = await startScriptedServer(context, cut(log, 20_000))
  await fetchTo(fileIn(context), slow.url, { retries: 1 })
})

test('a server that falls silent within its answer is left, and asked for the rest', async (context) => {
  const stall: Step = (request, response) => {
    if (request.headers.range !== undefined) return whole(log)(request, response)
    response.writeHead(200, { 'content-length': log.length, etag: '"one"' })
    response.write(log.slice(0, 1_000))
  }
  const server = await startScriptedServer(context, stall)
  const file = fileIn(context)
  const { setbacks } = await fetchTo(file, server.url, { stillMs: 200 })
  // On a busy machine a head may be late as well.
  const others = setbacks.filter((reason) => !reason.includes('too long to begin'))
  assert.deepEqual(others, ['the server fell silent within its answer'])
  assert.equal(readFileSync(file, 'utf8'), log)
})

test('a server that never answers, or at whose address nobody listens, is out of reach', async (context) => {
  const silent = await startScriptedServer(context, () => undefined)
  await assert.rejects(
    fetchTo(fileIn(context), silent.url, { retries: 0, stillMs: 200 }),
    isOutOfReach(/too long to begin/),
  )
  await assert.rejects(
    fetchTo(fileIn(context), 'http://127.0.0.1:1', { retries: 0 }),
    isOutOfReach(/nobody listens/),
  )
})

test('R5: a compressed answer is decoded, and one that is cut within its coding is not taken for the whole', async (context) => {
  const encoders = { gzip: gzipSync, zstd: zstdCompressSync }
  for (const [coding, encode] of Object.entries(encoders)) {
    const body = encode(log)
    const headers = { 'content-encoding': coding }
    const compressed = (bytes: number) => chunks((response) => response.end(body.subarray(0, bytes)), headers)
    // The framing of HTTP is in order each time: only the coding tells.
    const cuts = [0, 1, 8, body.length >> 1, body.length - 8, body.length - 1].map(compressed)
    const server = await startScriptedServer(context, ...cuts, compressed(body.length))
    const file = fileIn(context)
    const { setbacks } = await fetchTo(file, server.url, { isCompressed: true, retries: cuts.length })
    assert.equal(setbacks.length, cuts.length, coding)
    for (const setback of setbacks) assert.match(setback, /^the compressed answer is damaged: unexpected end/)
    assert.equal(readFileSync(file, 'utf8'), log)
    assert.equal(server.requests[0]?.headers['accept-encoding'], 'zstd, gzip')
    assert.ok(server.requests.every(({ headers }) => headers.range === undefined))
  }
})

test('R5: a decoded length that the server announced must be reached, and not passed', async (context) => {
  for (const bytes of [log.length + 1, log.length - 1]) {
    const headers = { 'content-encoding': 'gzip', 'annals-content-length': String(bytes) }
    const server = await startScriptedServer(
      context,
      chunks((response) => response.end(gzipSync(log)), headers),
    )
    await assert.rejects(fetchTo(fileIn(context), server.url, { isCompressed: true, retries: 0 }), {
      message: /ended at byte|more than it had announced/,
    })
  }
})

test('a coding that nobody asked for, and a page for people, are no logs', async (context) => {
  for (const headers of [{ 'content-encoding': 'br' }, { 'content-type': 'text/html; charset=utf-8' }]) {
    const server = await startScriptedServer(context, whole('<html>', headers))
    await assert.rejects(fetchTo(fileIn(context), server.url), /not asked for|a page for people/)
    assert.equal(server.requests.length, 1)
  }
})

test('standard output gets no byte twice, whether the server resumes or starts over', async (context) => {
  for (const headers of [{ etag: '"one"' }, {}]) {
    const script = [cut(log, 40_000, headers), cut(log, 20_000, headers), whole(log, headers)]
    const server = await startScriptedServer(context, ...script)
    const surroundings = testSurroundings()
    await fetching({ url: server.url, destination: outputDestination(surroundings.output) })
    assert.equal(surroundings.outputText(), log)
  }
})

test('standard output gets nothing of another log behind the beginning of one', async (context) => {
  const others = [`x${log.slice(1)}`, log.slice(0, 900)]
  for (const other of others) {
    const server = await startScriptedServer(context, cut(log, 1_000), whole(other, { etag: '"two"' }))
    const surroundings = testSurroundings()
    const destination = outputDestination(surroundings.output)
    await assert.rejects(fetching({ url: server.url, destination }), /does not begin with what was written/)
    assert.equal(surroundings.outputText(), log.slice(0, 1_000))
  }
})

test('a later run goes on with what an earlier one left, only where it is of the same URL', async (context) => {
  const server = await startScriptedServer(context, cut(log, 1_000), whole(log))
  const file = fileIn(context)
  await assert.rejects(
    fetchTo(file, server.url, { retries: 0 }),
    /1000 of \d+ bytes are in .*goes on from there/,
  )
  assert.equal(statSync(`${file}.part`).mode & 0o777, 0o600)
  const note = JSON.parse(readFileSync(`${file}.part.json`, 'utf8')) as object
  assert.deepEqual(note, { url: server.url, etag: '"one"', length: log.length })
  assert.deepEqual(await fetchTo(file, server.url), { resumed: 1, startedOver: 0, setbacks: [] })
  assert.equal(readFileSync(file, 'utf8'), log)
  const other = await startScriptedServer(context, cut(log, 1_000), whole(log))
  const otherFile = fileIn(context)
  await assert.rejects(fetchTo(otherFile, other.url, { retries: 0 }))
  assert.equal((await fetchTo(otherFile, `${other.url}/?elapsed_hours=1`)).resumed, 0)
  assert.equal(readFileSync(otherFile, 'utf8'), log)
})

test('what was whole but not yet renamed when a run was ended is finished without another download', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const file = fileIn(context)
  writeFileSync(`${file}.part`, log)
  writeFileSync(`${file}.part.json`, JSON.stringify({ url: server.url, etag: '"one"', length: log.length }))
  await fetchTo(file, server.url)
  assert.deepEqual([readFileSync(file, 'utf8'), server.requests.length], [log, 0])
})

test('a note that is damaged, or a part that is longer than its log, is not gone on with', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const note = (fields: object) => JSON.stringify({ url: server.url, etag: '"one"', length: 10, ...fields })
  for (const text of ['', '{', 'null', '[]', note({ etag: 1 }), note({ length: -1 }), note({})]) {
    const file = fileIn(context)
    writeFileSync(`${file}.part`, 'longer than ten bytes')
    writeFileSync(`${file}.part.json`, text)
    assert.equal((await fetchTo(file, server.url)).resumed, 0, text)
    assert.equal(readFileSync(file, 'utf8'), log)
  }
})

test('of two downloads to one file the slower one fails, and harms nothing', async (context) => {
  let finish = (): void => undefined
  const slow: Step = (_request, response) => {
    response.writeHead(200, { 'content-length': log.length, etag: '"slow"' })
    response.write(log.slice(0, 1_000))
    finish = () => response.end('x'.repeat(log.length - 1_000))
  }
  const server = await startScriptedServer(context, slow, whole(log))
  const file = fileIn(context)
  const slower = fetchTo(file, server.url)
  while (!existsSync(`${file}.part.json`)) await new Promise((resolve) => setTimeout(resolve, 5))
  await fetchTo(file, `${server.url}/?another`)
  finish()
  await assert.rejects(slower, /another process has changed .*\.part/)
  assert.equal(readFileSync(file, 'utf8'), log)
})

test('a signal ends a download at once, and what came before it stays', async (context) => {
  const stall: Step = (_request, response) => {
    response.writeHead(200, { 'content-length': log.length, etag: '"one"' })
    response.write(log.slice(0, 1_000))
  }
  const server = await startScriptedServer(context, stall)
  const file = fileIn(context)
  const abort = new AbortController()
  const ended = fetchTo(file, server.url, { signal: abort.signal })
  while (!existsSync(`${file}.part`) || statSync(`${file}.part`).size < 1_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  abort.abort(new Error('enough'))
  await assert.rejects(ended, /enough/)
  assert.equal(readFileSync(`${file}.part`, 'utf8'), log.slice(0, 1_000))
})

function chunks(
  end: (response: ServerResponse) => void,
  headers: Readonly<Record<string, string>> = {},
): Step {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', ...headers })
    response.flushHeaders()
    end(response)
  }
}

function fileIn(context: TestContext): string {
  return join(temporaryDirectory(context), 'audit.log')
}

async function fetchTo(
  file: string,
  url: string,
  options: Omit<Partial<Parameters<typeof fetching>[0]>, 'destination' | 'url'> = {},
) {
  const destination = await openPartFile({ file, url, isForced: false })
  return await fetching({ url, destination, ...options })
}

function isOutOfReach(pattern: RegExp) {
  return (error: unknown) => isAnnalsError(error, 'UNAVAILABLE') && pattern.test(error.message)
}
