import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { logText, refusal, startScriptedServer, type Step, whole } from './fetch/testing/scripted-server.ts'
import { run } from './run.ts'
import type { Surroundings } from './surroundings.ts'
import {
  runAnnals,
  startAnnals,
  startAnnalsInTerminal,
  temporaryDirectory,
} from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

const log = logText(2_000)
const password = 'Correct-horse-7'

test('S1, W1: the log goes to standard output, and what is said about it does not', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const { exitCode, output, errors } = await fetched(['portal', '--url', server.url, ...asSiem])
  assert.deepEqual([exitCode, output === log], [0, true])
  assert.match(errors, new RegExp(`^annals: fetched ${log.length} bytes, 2000 entries, \\d+\\.\\d s\n$`))
  assert.equal(server.requests[0]?.url, '/audit-trail/api/v1/portal/type/auditlog')
  const credentials = Buffer.from(`siem:${password}`).toString('base64')
  assert.equal(server.requests[0]?.headers.authorization, `Basic ${credentials}`)
  const quiet = await fetched(['portal', '--url', server.url, ...asSiem, '--quiet', '--output', '-'])
  assert.deepEqual([quiet.exitCode, quiet.errors, quiet.output === log], [0, '', true])
})

test('--output writes a file that is whole, says how it went as JSON, and never replaces one unasked', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const directory = temporaryDirectory(context)
  const file = join(directory, 'audit.log')
  const args = ['engine', 'engine-01', '--url', server.url, ...asSiem, '--output', 'audit.log']
  const first = await fetched([...args, '--json', '--elapsed-hours', '1'], { directory })
  assert.equal(first.exitCode, 0)
  const { seconds, ...account } = JSON.parse(first.output) as Record<string, unknown>
  assert.equal(typeof seconds, 'number')
  const counts = { bytes: log.length, entries: 2_000, resumed: 0, startedOver: 0 }
  assert.deepEqual(account, { file: 'audit.log', ...counts, etag: '"one"' })
  assert.equal(server.requests[0]?.url, '/audit-trail/api/v1/engine/engine-01/type/auditlog?elapsed_hours=1')
  const second = await fetched(args, { directory })
  assert.deepEqual([second.exitCode, server.requests.length], [5, 1])
  assert.match(second.errors, /audit\.log is there already: --force replaces it/)
  writeFileSync(file, 'old')
  assert.equal((await fetched([...args, '--force'], { directory })).exitCode, 0)
  assert.equal(readFileSync(file, 'utf8'), log)
  assert.deepEqual(readdirSync(directory), ['audit.log'])
})

test('what is no regular file is never replaced, and a directory that is not there is a mistake', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const directory = temporaryDirectory(context)
  mkdirSync(join(directory, 'there'))
  for (const output of ['there', '/dev/null', 'nowhere/audit.log']) {
    const args = ['portal', '--url', server.url, ...asSiem, '--force', '--output', output]
    assert.equal((await fetched(args, { directory })).exitCode, 2, output)
  }
})

test('the command line is checked before anything is asked, with exit code 2 and no secret repeated', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const url = ['--url', server.url]
  const wrong: [string[], RegExp][] = [
    [['portal'], /required option '--url <URL>'/],
    [['engine', ...url, ...asSiem], /which engine\?/],
    [['portal', 'engine-01', ...url, ...asSiem], /takes no name/],
    [['everything', ...url, ...asSiem], /Allowed choices are portal, engine, engines/],
    [['portal', ...url], /--user NAME, or --client-id ID/],
    [['portal', ...url, ...asSiem, '--client-id', 'x'], /and not both/],
    [['portal', ...url, '--user', 'a:b', '--password-file', '-'], /without a colon/],
    [['portal', ...url, '--user', 'siem', '--password-file', '/nowhere'], /password file cannot be read/],
    [['portal', ...url, '--client-id', 'x', '--client-secret-file', '/nowhere'], /client secret file cannot/],
    [['portal', ...url, '--user', 'siem'], /there is no terminal to ask for the password/],
    [['portal', ...url, ...asSiem, '--retries', 'many'], /expected a number/],
    [['portal', ...url, ...asSiem, '--json'], /give --output FILE/],
    [['portal', ...url, ...asSiem, '--ca-file', import.meta.filename], /there is no certificate in/],
    [['portal', '--url', 'http://10.1.2.3', ...asSiem], /--allow-plain-http-beyond-loopback/],
    [['portal', '--url', 'https://a:s3cret@portal', ...asSiem], /no place for credentials/],
    [
      ['portal', ...url, '--client-id', 'x', '--client-secret-file', '-', '--token-url', 'http://10.1.2.3'],
      /--token-url: this is plain HTTP/,
    ],
  ]
  for (const [args, message] of wrong) {
    const { exitCode, output, errors } = await fetched(args)
    assert.deepEqual([exitCode, output], [2, ''], args.join(' '))
    assert.match(errors, message)
    assert.doesNotMatch(errors, /s3cret|Correct/)
  }
  assert.equal(server.requests.length, 0)
})

test('the help teaches: what it does, its flags, its exit codes, and examples', async () => {
  const { exitCode, output } = await fetched(['--help'])
  assert.equal(exitCode, 0)
  assert.match(output, /^Usage: annals fetch \[options\] <LOG> \[NAME\]\n/)
  for (const words of [
    '--before <DATE>',
    'FILE.part',
    'The exit code is 0 only',
    '\nExamples:\n  annals fetch portal',
  ])
    assert.ok(output.includes(words), words)
})

test('S2: with a client and its secret, a token is got from where the server gives them out', async (context) => {
  const give: Step = (_request, response) =>
    response.end(JSON.stringify({ token_type: 'Bearer', access_token: 'abc', expires_in: 900 }))
  const server = await startScriptedServer(context, give, whole(log))
  const args = ['engines', '--url', server.url, '--client-id', 'siem', '--client-secret-file', '-']
  assert.equal((await fetched(args)).output, log)
  assert.deepEqual(
    server.requests.map(({ method, url }) => `${method} ${url}`),
    ['POST /oauth2/default/v1/token', 'GET /audit-trail/api/v1/engines/type/auditlog'],
  )
  assert.equal(server.requests[1]?.headers.authorization, 'Bearer abc')
})

test('E3, E9: what the server refuses is said, and becomes an exit code that a script can act on', async (context) => {
  const element = (engine: string) => ({ code: 'UNREACHABLE_ENGINE', message: `${engine} is away`, engine })
  const unreachable = await startScriptedServer(context, refusal(500, [element('e1'), element('e2')]))
  const answer = await fetched(['engines', '--url', unreachable.url, ...asSiem])
  assert.deepEqual([answer.exitCode, answer.output, unreachable.requests.length], [4, '', 1])
  assert.match(
    answer.errors,
    /2 reasons:\n +UNREACHABLE_ENGINE: e1 is away\n +UNREACHABLE_ENGINE: e2 is away\n$/,
  )
  const busy = await startScriptedServer(context, refusal(429, [], { 'retry-after': '86400' }))
  const late = await fetched(['portal', '--url', busy.url, ...asSiem])
  assert.equal(late.exitCode, 4)
  assert.match(late.errors, /another pause of 864\d\d s would be more waiting/)
  const soon = await startScriptedServer(context, refusal(503, [], { 'retry-after': '0' }), whole(log))
  const again = await fetched(['portal', '--url', soon.url, ...asSiem])
  assert.deepEqual([again.exitCode, again.output === log], [0, true])
  assert.match(again.errors, /^annals: the server refuses \(503\); next attempt in \d\.\d s\n/)
})

test('a redirect is not followed, so that credentials go nowhere else', async (context) => {
  const elsewhere = await startScriptedServer(context, whole(log))
  const redirect: Step = (_request, response) =>
    response.writeHead(307, { location: `${elsewhere.url}/x?secret` }).end()
  const server = await startScriptedServer(context, redirect)
  const { exitCode, errors } = await fetched(['portal', '--url', server.url, ...asSiem])
  assert.deepEqual([exitCode, elsewhere.requests.length], [2, 0])
  assert.match(errors, /redirects to http:\/\/127\.0\.0\.1:\d+\/x \(307\)/)
})

test('a private certificate is trusted where --ca-file names it, and nothing is sent where it is not', async (context) => {
  const directory = temporaryDirectory(context)
  const [cert, key] = [join(directory, 'crt.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'pipe' })
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_request, response) =>
    response.end(log),
  )
  context.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const at = (host: string, ...args: string[]) =>
    fetched(['portal', '--url', `https://${host}:${port}`, ...asSiem, ...args])
  assert.equal((await at('localhost', '--ca-file', cert)).output, log)
  const untrusted = await at('localhost')
  assert.equal(untrusted.exitCode, 5)
  assert.match(untrusted.errors, /cannot be trusted: .*--ca-file/)
  assert.equal((await at('127.0.0.1', '--ca-file', cert)).exitCode, 5)
})

test('SIGINT and SIGTERM end it at once with 130 and 143; the same command then goes on, also after kill -9', async (context) => {
  const server = await startScriptedServer(
    context,
    stalled(1_000),
    stalled(2_000),
    stalled(3_000),
    whole(log),
  )
  const directory = temporaryDirectory(context)
  const [file, secret] = [join(directory, 'audit.log'), join(directory, 'password')]
  writeFileSync(secret, `${password}\n`)
  const args = ['fetch', 'portal', '--url', server.url, '--user', 'siem', '--password-file', secret]
  const signals: [NodeJS.Signals, number | undefined][] = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', undefined],
  ]
  let bytes = 0
  for (const [signal, exitCode] of signals) {
    bytes += 1_000
    const running = startAnnals(context, [...args, '--output', file])
    while (!existsSync(`${file}.part`) || statSync(`${file}.part`).size < bytes) await sleep(10)
    running.process.kill(signal)
    const outcome = await running.ended
    assert.equal(outcome.exitCode, exitCode, signal)
    if (exitCode !== undefined)
      assert.match(outcome.errors, /ended; \d+ of \d+ bytes are in .*goes on from there/)
    assert.ok(!existsSync(file))
  }
  const last = await runAnnals(context, [...args, '--output', file])
  assert.equal(last.exitCode, 0)
  assert.match(last.errors, /^annals: going on: 3000 of \d+ bytes .*\nannals: fetched .*, resumed once\n$/)
  assert.equal(readFileSync(file, 'utf8'), log)
})

test('SIGTERM ends it also where a connection is only being made', async (context) => {
  const secret = join(temporaryDirectory(context), 'password')
  writeFileSync(secret, `${password}\n`)
  // It accepts, and never says a word of TLS.
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const args = ['--user', 'siem', '--password-file', secret, '--retries', '0']
  const running = startAnnals(context, ['fetch', 'portal', '--url', url, ...args])
  const [socket] = (await once(silent, 'connection')) as [Socket]
  context.after(() => {
    socket.destroy()
    silent.close()
  })
  running.process.kill('SIGTERM')
  // Given up by itself it would be 4.
  assert.equal((await running.ended).exitCode, 143)
})

test('at a terminal the password is asked for, not shown, and a bar shows how far it is', async (context) => {
  let finish = (): void => undefined
  const slow: Step = (_request, response) => {
    response.writeHead(200, { etag: '"one"', 'content-length': log.length })
    response.write(log.slice(0, log.length / 2))
    finish = () => response.end(log.slice(log.length / 2))
  }
  const server = await startScriptedServer(context, slow)
  const file = join(temporaryDirectory(context), 'audit.log')
  const args = ['fetch', 'portal', '--url', server.url, '--user', 'siem', '--output', file]
  const terminal = startAnnalsInTerminal(context, args)
  await terminal.says('Password for siem: ')
  terminal.process.stdin.write(`${password}\r`)
  await terminal.says('] 50 %')
  finish()
  const { exitCode, output } = await terminal.ended
  assert.equal(exitCode, 0, output)
  assert.match(output, /\rfetching \[=+ +\] 50 %/)
  assert.match(output, /annals: fetched/)
  assert.doesNotMatch(output, /Correct/)
  assert.equal(readFileSync(file, 'utf8'), log)
})

test('a full disk is exit code 6', async (context) => {
  const server = await startScriptedServer(context, whole(log))
  const output = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
  })
  output.on('error', () => undefined)
  const { exitCode, errors } = await fetched(['portal', '--url', server.url, ...asSiem], { output })
  assert.deepEqual([exitCode, errors], [6, 'annals: standard output cannot be written: no space\n'])
})

test('whoever reads standard output and leaves ends it, and not as if all had been read', async (context) => {
  const large: Step = (_request, response) => response.end(Buffer.alloc(8 * 1024 * 1024, 'x\n'))
  const server = await startScriptedServer(context, large)
  const args = ['fetch', 'portal', '--url', server.url, '--user', 'siem', '--password-file', '-']
  const running = startAnnals(context, args)
  running.process.stdin.end(`${password}\n`)
  running.process.stdout.once('data', () => running.process.stdout.destroy())
  const { exitCode, errors } = await running.ended
  assert.equal(exitCode, 6)
  assert.match(errors, /standard output cannot be written/)
})

test('R2, R4: the log of a real portal comes whole and byte for byte, after kill -9 in the middle, and compressed', async (context) => {
  const directory = temporaryDirectory(context)
  const [data, secret, history] = ['data', 'password', 'history.log'].map((name) => join(directory, name))
  assert.ok(data !== undefined && secret !== undefined && history !== undefined)
  writeFileSync(secret, `${password}\n`)
  const line = (k: number) =>
    `2025-01-01T00:00:00Z portal annals: [Portal|USER|20203|admin] ${k} ${'x'.repeat(150)}\n`
  writeFileSync(history, Array.from({ length: 6_000 }, (_, k) => line(k)).join(''))
  assert.equal((await runAnnals(context, ['import', '--data', data, history])).exitCode, 0)
  const environment = { ANNALS_ADMIN_PASSWORD_FILE: secret }
  const portal = startAnnals(context, ['serve', '--data', data, '--listen', '127.0.0.1:0'], environment)
  await portal.says('address')
  const address = new URL(/address +(\S+)/.exec(portal.output())?.[1] ?? '')
  const url = await startStallingRelay(context, Number(address.port), 400_000)
  const args = ['portal', '--url', url, '--user', 'admin', '--password-file', secret]
  const file = join(directory, 'audit.log')
  const killed = startAnnals(context, ['fetch', ...args, '--output', file])
  while (!existsSync(`${file}.part`) || statSync(`${file}.part`).size < 100_000) await sleep(10)
  killed.process.kill('SIGKILL')
  await killed.ended
  const resumed = await fetched([...args, '--output', file, '--json'], { directory })
  const account = JSON.parse(resumed.output) as { resumed: number; bytes: number; etag: string }
  assert.deepEqual([resumed.exitCode, account.resumed], [0, 1])
  // Each read is an entry: the log is longer by now, and begins with what was fetched.
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const path = '/audit-trail/api/v1/portal/type/auditlog'
  const direct = await (await fetch(`${address.origin}${path}`, { headers: { authorization } })).text()
  const whole = readFileSync(file, 'utf8')
  assert.ok(direct.startsWith(whole) && direct.length > whole.length)
  assert.equal(whole.split('\n').length - 1, Number(/-(\d+)"$/.exec(account.etag)?.[1]))
  const compressed = await fetched([...args, '--compress', '--before', '2025-01-01T00:00:01+00:00'])
  assert.equal(compressed.exitCode, 0)
  assert.equal(compressed.output, whole.split('\n').slice(0, 6_000).join('\n') + '\n')
})

const asSiem = ['--user', 'siem', '--password-file', '-']

async function fetched(args: readonly string[], different: Partial<Surroundings> = {}) {
  const isTyped = args.includes('-')
  const input = isTyped ? Readable.from([`${password}\n`]) : new PassThrough()
  const surroundings = testSurroundings({ input, ...different })
  const exitCode = await run(['fetch', ...args], surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

// Answers up to a byte of the log, and then no more.
function stalled(end: number): Step {
  return (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
    const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${log.length - 1}/${log.length}` }
    response.writeHead(from === 0 ? 200 : 206, {
      etag: '"one"',
      'content-length': log.length - from,
      ...range,
    })
    response.write(log.slice(from, end))
  }
}

// Passes the first connection on only as far as a byte, as a network does that swallows packets.
async function startStallingRelay(context: TestContext, port: number, stallBytes: number): Promise<string> {
  const sockets = new Set<Socket>()
  let isFirst = true
  const relay = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.pipe(server)
    if (!isFirst) return void server.pipe(client)
    isFirst = false
    let passed = 0
    server.on('data', (bytes: Buffer) => {
      passed += bytes.length
      if (passed < stallBytes) client.write(bytes)
      else server.pause()
    })
  })
  context.after(() => {
    relay.close()
    for (const socket of sockets) socket.destroy()
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return `http://127.0.0.1:${(relay.address() as AddressInfo).port}`
}
