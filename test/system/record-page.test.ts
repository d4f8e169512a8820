// The page for whoever records from an application, `docs/integrate/record.md`, is true: its blocks are run here as they stand
// there, one after the other, against a real portal and an engine of it, and are answered as the page says.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { statusOf } from '../../src/http/status.ts'
import type { AuditLine } from '../conformance/audit-line.ts'
import { ask, type Server } from '../conformance/wire.ts'
import { entriesOf, type EngineProcess, joinEngine } from './engine-process.ts'
import { untilTold } from './oauth-client.ts'
import { type Block, blocksOf, programsIn, runShell } from './page.ts'
import { type PortalProcess, startPortal, temporaryDirectory } from './portal-process.ts'
import { findProgram, run } from './sender-process.ts'
import { socketOf } from './socket-client.ts'

const root = join(import.meta.dirname, '../..')
const page = 'docs/integrate/record.md'
const url = 'https://audit.example.com'

/** Where the page is followed. */
interface Stage {
  readonly directory: string
  readonly data: string
  readonly portal: PortalProcess
  readonly engine: EngineProcess
  /** What the blocks find in their environment. */
  environment: Readonly<Record<string, string>>
}

/** What became of a block. */
interface Ran {
  readonly exitCode: number
  readonly output: string
  readonly errors: string
  /** Of its last answer; undefined where it asked nothing. */
  readonly status: number | undefined
}

test('every block of the page for applications does what it says', async (context) => {
  if (findProgram(context, 'python3') === undefined) return
  const stage = await setStage(context)
  const [first, ...blocks] = blocksOf(page)
  await addClient(context, stage, first)
  await context.test('each is answered as the page says', (context) => runAll(context, stage, blocks))
  await context.test('what the page says stands in the log, and once', () => proveEntries(stage))
  await context.test('curl’s -d makes one line of a file', (context) => joinLines(context, stage, blocks))
  await context.test('the client in Python', (context) => recordInTrouble(context, stage, blocks))
})

test('the errors on the page have their statuses', () => {
  const rows = readFileSync(join(root, page), 'utf8').matchAll(/^\| (\d{3}) +\| (`[^|]+) \|/gm)
  const codes = [...rows].flatMap(([, status, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, code = '']) => [code, Number(status)] as const),
  )
  assert.ok(codes.length > 15)
  const statuses: Readonly<Record<string, number>> = statusOf
  for (const [code, status] of codes) assert.equal(statuses[code], status, code)
})

async function setStage(context: TestContext): Promise<Stage> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const portal = await startPortal(context, { data, args: ['--host-name', 'portal'] })
  const engineData = { data: join(directory, 'engine'), hostName: 'engine-01' }
  const engine = await joinEngine(context, { ...portal, data }, engineData)
  programsIn(directory)
  // What each command was answered is told beside what it prints.
  writeFileSync(join(directory, '.curlrc'), 'write-out = "%{stderr}HTTP %{http_code}\\n"\n')
  return { directory, data, portal, engine, environment: { ANNALS_DATA: data, CURL_HOME: directory } }
}

/** The first block makes the client. */
async function addClient(context: TestContext, stage: Stage, block: Block | undefined): Promise<void> {
  const { directory, engine, environment } = stage
  assert.match(block?.text ?? '', /annals client add/)
  const { exitCode, output, errors } = await runShell(context, directory, block?.text ?? '', environment)
  assert.equal(exitCode, 0, errors)
  const [, id = '', secret = ''] = /client id +(\S+)\n +client secret +(\S+)\n/.exec(output) ?? []
  stage.environment = { ...environment, CLIENT_ID: id, CLIENT_SECRET: secret }
  await untilTold(engine, { clientId: id })
}

async function runAll(context: TestContext, stage: Stage, blocks: readonly Block[]): Promise<void> {
  const commands = blocks.filter(({ language }) => language !== 'http')
  assert.ok(commands.length >= 9)
  const all = await runTogether(
    context,
    stage,
    commands.map((block) => commandOf(stage, block)),
  )
  for (const [k, ran] of all.entries()) {
    const { language, text } = commands[k] ?? { language: '', text: '' }
    const told = `${text}\n${ran.output}${ran.errors}`
    const answer = blocks[blocks.findIndex((block) => block.text === text) + 1]
    if (answer?.language === 'http') checkAnswer(ran, answer.text)
    else assert.equal(ran.exitCode, 0, told)
    if (language === 'python') assert.match(ran.output, /'position': \d+, .*'new': True/, told)
  }
}

function checkAnswer({ exitCode, output, errors, status }: Ran, answer: string): void {
  const [, shown, body = ''] = /^HTTP\/1\.1 (\d{3}) .+\n\n([\s\S]+)$/.exec(answer) ?? []
  assert.equal(status, Number(shown), output + errors)
  assert.match(withoutPlace(output).trim(), likeOnPage(withoutPlace(body).trim()))
  assert.equal(exitCode, Number(shown) < 400 ? 0 : 22)
}

// Which log it was, where in it and when, is another one here.
function withoutPlace(answer: string): string {
  return answer
    .replaceAll(/"log":"portal-[^"]+"/g, '"log":"LOG"')
    .replaceAll(/"position":\d+/g, '"position":0')
    .replaceAll(/"time":"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/g, '"time":"TIME"')
}

// An ellipsis stands for anything.
function likeOnPage(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}

/** Runs commands one after the other in one shell, as a person does. */
async function runTogether(
  context: TestContext,
  { directory, environment }: Stage,
  commands: readonly string[],
): Promise<Ran[]> {
  const marked = commands.map((command) => `${command}\nprintf '%s\\036' $?; printf '\\036' >&2\n`)
  const { output, errors } = await runShell(context, directory, marked.join(''), environment)
  const [outputs, told] = [output.split('\x1e'), errors.split('\x1e')]
  return commands.map((_, k) => {
    const errors = told[k] ?? ''
    const [, printed = '', exitCode] = /^([\s\S]*?)(\d+)$/.exec(outputs[k] ?? '') ?? []
    const status = [...errors.matchAll(/^HTTP (\d{3})$/gm)].at(-1)?.[1]
    return {
      exitCode: Number(exitCode),
      output: printed,
      errors,
      status: status === undefined ? undefined : Number(status),
    }
  })
}

/** The command that runs a block. */
function commandOf(stage: Stage, { language, text }: Block): string {
  const { directory, data, portal, engine } = stage
  const here = text
    .replaceAll(url, portal.baseUrl)
    .replaceAll('https://engine-01.example.com:8443', engine.baseUrl)
    .replaceAll('/var/lib/annals/record.sock', socketOf({ data }))
  if (language === 'sh') return here
  const file = join(directory, language === 'ts' ? 'record.ts' : 'record.py')
  writeFileSync(file, here)
  if (language === 'python') return `python3 ${file}`
  assert.equal(language, 'ts')
  checkTypes(directory, file)
  return `'${process.execPath}' --disable-warning=ExperimentalWarning ${file}`
}

/** Makes the library as it is published, and checks an application of it. */
function checkTypes(directory: string, file: string): void {
  const library = join(directory, 'node_modules/annals-client')
  mkdirSync(library, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  writeFileSync(join(library, 'package.json'), readFileSync(join(root, 'client/package.json')))
  const tsc = (...args: string[]) =>
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args])
  tsc('--project', join(root, 'client/tsconfig.build.json'), '--outDir', join(library, 'dist'))
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const how = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'esnext',
    '--module',
    'nodenext',
  ]
  tsc(...how, ...types, file)
}

function proveEntries({ data, engine, environment }: Stage): void {
  const client = `client:${environment['CLIENT_ID']}`
  const recorded = recordedIn(data)
  assert.deepEqual(
    recorded.map(({ message, audit }) => [message.toString(), audit['by']]),
    [
      ['[Billing|40001|jdoe] Invoice 4711 is paid', client],
      ['[Portal|LOGIN|20101|jdoe] User jdoe logged with session id f3c9a7', client],
      ['[Billing|40002|jdoe] Invoice 4712 is sent', client],
      ['[Billing|40001|jdoe] Invoice 4715 is paid', '*local'],
      ['[Billing|40001|jdoe] Invoice 4716 is paid', client],
      ['[Billing|40001|jdoe] Invoice 4717 is paid', client],
      ['[Portal|LOGIN|20101|jdoe] User jdoe logged with session id f3c9a7', client],
    ],
  )
  assert.deepEqual(
    recordedIn(engine.data).map(({ message, audit }) => [message.toString(), audit['by']]),
    [['[Billing|40001|jdoe] Invoice 4714 is paid', client]],
  )
  const messages = new Set(recorded.map(({ message }) => message.toString()))
  const quoted = readFileSync(join(root, page), 'utf8').matchAll(/`(\[[^`\]]+\|\d+\|[^`\]]+\] [^`]+)`/g)
  const promised = [...quoted].map(([, message = '']) => message)
  assert.equal(promised.length, 2)
  for (const message of promised) assert.ok(messages.has(message), message)
}

function recordedIn(data: string): AuditLine[] {
  return entriesOf({ data }).filter(({ audit }) => audit['via'] === 'http')
}

async function joinLines(context: TestContext, stage: Stage, blocks: readonly Block[]): Promise<void> {
  const before = recordedIn(stage.data).length
  const asked = (text: string) =>
    blocks.find((block) => block.text.includes(text)) ?? { language: 'sh', text: '' }
  const [token, entries, file] = [asked('token()'), asked('ENTRIES=h'), asked('--data-binary @events')]
  const joined = { ...file, text: file.text.replace('--data-binary', '-d') }
  const spaced = { ...file, text: file.text.replace('\n{"id"', '\n\n{"id"').replace('\nEND', '\n\nEND') }
  const commands = [token, entries, joined, spaced].map((block) => commandOf(stage, block))
  const [, , one, all] = await runTogether(context, stage, commands)
  assert.equal(one?.status, 422, one?.errors)
  assert.match(one.output, /^\{"index":0,"error":\{"code":"INVALID_EVENT".*\}\n$/)
  assert.equal(all?.status, 207, all?.errors)
  assert.match(all.output, /^\{"index":0,.*"new":false\}\n\{"index":1,"error":.*\}\n$/)
  assert.equal(recordedIn(stage.data).length, before)
}

/** What befalls a request: an answer, or an answer that gets lost, or none. */
type Trouble = { readonly status: number; readonly retryAfter?: string } | 'lost' | 'reset' | 'none'

// Time that passes where Python sleeps, and nowhere else.
const clock = `
import sys, time
real, ahead = time.monotonic, 0
def sleep(seconds):
    global ahead
    ahead += seconds
    print("SLEEP", seconds, file=sys.stderr)
time.sleep, time.monotonic = sleep, lambda: real() + ahead
`

async function recordInTrouble(context: TestContext, stage: Stage, blocks: readonly Block[]): Promise<void> {
  const block = blocks.find(({ language }) => language === 'python')
  const modules = join(stage.directory, 'modules')
  mkdirSync(modules)
  writeFileSync(join(modules, 'sitecustomize.py'), clock)
  const follow = async (context: TestContext, troubles: Iterator<Trouble>, code = 40_001) => {
    const before = recordedIn(stage.data).length
    const front = await startFront(context, stage.portal, troubles)
    const text = (block?.text ?? '').replaceAll(url, front.url).replaceAll('40001', String(code))
    writeFileSync(join(stage.directory, 'record.py'), text)
    const environment = { ...stage.environment, PYTHONPATH: modules }
    const { output, errors } = await runShell(context, stage.directory, 'python3 record.py', environment)
    const pauses = [...errors.matchAll(/^SLEEP (\S+)$/gm)].map(([, seconds]) => Number(seconds))
    return { output, errors, pauses, asked: front.asked, recorded: recordedIn(stage.data).length - before }
  }

  await context.test('records an event once, whatever befalls its requests', async (context) => {
    const troubles: Trouble[] = [
      { status: 503, retryAfter: '3' },
      'none',
      { status: 429, retryAfter: '7' },
      'lost',
      { status: 401 },
      'none',
      'reset',
    ]
    const { output, errors, pauses, asked, recorded } = await follow(context, troubles.values())
    assert.match(output, /'new': False/, errors)
    assert.equal(recorded, 1)
    const [token, entries] = ['/oauth2/default/v1/token', '/audit-trail/api/v2/logs/portal/entries']
    assert.deepEqual(asked, [token, token, entries, entries, entries, token, entries, entries])
    const most = [3.1, 7.2, 0.4, 0.8]
    assert.equal(pauses.length, most.length)
    assert.ok(
      pauses.every((pause, k) => pause <= (most[k] ?? 0)),
      String(pauses),
    )
    assert.ok((pauses[0] ?? 0) > 3 && (pauses[1] ?? 0) > 7, String(pauses))
  })
  await context.test('gives up after a minute, and says why', async (context) => {
    const always = Iterator.from({
      next: (): IteratorResult<Trouble> => ({ value: { status: 503, retryAfter: '25' } }),
    })
    const { errors, pauses, recorded } = await follow(context, always)
    assert.match(errors, /Refused: \(503, 'the front'\)\n$/)
    assert.deepEqual([pauses.length, recorded], [2, 0])
  })
  await context.test('does not repeat what is refused for good', async (context) => {
    const { errors, pauses, asked } = await follow(context, Iterator.from<Trouble>([]), 50_001)
    assert.match(errors, /Refused: \(403, .*FORBIDDEN.*\)\n$/)
    assert.deepEqual([pauses.length, asked.length], [0, 2])
  })
}

/** Something between an application and a portal that makes trouble of a kind for each request, and passes the others on. */
async function startFront(
  context: TestContext,
  portal: Server,
  troubles: Iterator<Trouble>,
): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { method = '', url: path = '', socket } = request
    const { authorization = '', 'content-type': type = '' } = request.headers
    asked.push(path)
    const { value: trouble = 'none' } = troubles.next() as { value?: Trouble }
    const answer = async (): Promise<void> => {
      const body = await text(request)
      if (typeof trouble === 'object') {
        const { status, retryAfter } = trouble
        const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
        return void response.writeHead(status, headers).end('the front')
      }
      if (trouble === 'reset') return void socket.resetAndDestroy()
      const passed = await ask(portal, path, {
        method,
        headers: { authorization, 'content-type': type },
        body,
      })
      if (trouble === 'lost') return void socket.destroy()
      response.writeHead(passed.status).end(passed.body)
    }
    void answer()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  context.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
