// `annals serve --demo` as a process: a portal and three engines, started as somebody does who tries Annals out.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Credentials } from '../conformance/wire.ts'
import {
  annals,
  type Command,
  startAnnals,
  storedLines,
  temporaryDirectory,
  until,
} from './portal-process.ts'

const engines = ['engine-01', 'engine-02', 'engine-03']

test('a demo serves a month of three engines, stops as it should, and goes on with what is there', async (context) => {
  const data = join(temporaryDirectory(context), 'demo')
  const first = await startDemo(context, data)
  const [, said = ''] = first.output().split('THIS IS A DEMO')
  assert.match(said, new RegExp(`The demo's data is in ${data}\\.`))
  const portal = join(data, 'portal')
  const credentials = { name: 'admin', password: readFileSync(join(portal, 'admin-password'), 'utf8').trim() }
  assert.ok(!first.output().includes(credentials.password))
  const connected = engines.map((name) => `${name} CONNECTED`).join()
  await until(async () => (await statesOf(context, portal)).join() === connected)

  const urls = [...first.output().matchAll(/^ {2}curl -u admin '([^']+)'$/gm)].map(([, url = '']) => url)
  assert.equal(urls.length, 3)
  for (const url of urls) assert.ok((await read(url, credentials)).length > 0)

  // A window that lies in the past stays as it is (I11).
  const { origin } = new URL(urls[0] ?? '')
  const before = new Date().toISOString().slice(0, 19)
  const readAll = (from: string) => Promise.all(paths(before).map((path) => read(from + path, credentials)))
  const [all, ...each] = await readAll(origin)
  assert.ok(each.every((log) => linesOf(log) > 1000))
  assert.ok(all !== undefined && all.equals(Buffer.concat(each)))
  const sum = each.reduce((lines, log) => lines + linesOf(log), 0)
  assert.equal(linesOf(all), sum)

  assert.equal(await stop(first), 0)
  const stopped = ['portal', ...engines].map((name) => storedLines(join(data, name)).at(-1) ?? '')
  for (const [k, code] of ['20004', '10003', '10003', '10003'].entries())
    assert.match(stopped[k] ?? '', new RegExp(`\\|${code}\\|`))
  // The engines after the portal.
  assert.deepEqual(stopped.map(timeOf).sort()[0], timeOf(stopped[0] ?? ''))

  const second = await startDemo(context, data)
  assert.match(second.output(), /THIS IS A DEMO/)
  const [, from = ''] = /^ {2}address +(\S+)$/m.exec(second.output()) ?? []
  assert.deepEqual(await readAll(from), [all, ...each])
  assert.equal(await stop(second), 0)
  const { errors } = await second.ended
  assert.doesNotMatch(errors, /does not answer/)
  for (const name of engines) {
    const codes = storedLines(join(data, name)).filter((line) => line.includes('via="self"'))
    assert.ok(!codes.some((line) => line.includes('|10002|')), 'stopped abnormally')
  }
})

test('a first start that is killed is finished by the next one, with the flags of any portal', async (context) => {
  const directory = temporaryDirectory(context)
  const [data, file] = [join(directory, 'demo'), join(directory, 'password')]
  const credentials = { name: 'admin', password: 'Correct-horse-7' }
  writeFileSync(file, `${credentials.password}\n`, { mode: 0o600 })
  const args = ['--host-name', 'front', '--time-zone', 'Europe/Zurich', '--admin-password-file', file]
  // What is imported is removed again, and may not be seen: the log that it becomes stays.
  const steps = [['portal/demo-activity.log', 'portal/log'], ['engine-02/log'], ['engine-02/tls/current.pem']]
  for (const step of steps) {
    const demo = start(context, data, args)
    while (!step.some((path) => existsSync(join(data, path)))) await sleep(1)
    demo.process.kill('SIGKILL')
    await demo.ended
  }
  const demo = await startDemo(context, data, args)
  assert.match(demo.output(), /^ {2}time zone +Europe\/Zurich$/m)
  assert.match(demo.output(), /^ {2}log +front-/m)
  const [, url = ''] = /'([^']+\/engines\/[^']+)'/.exec(demo.output()) ?? []
  assert.ok(linesOf(await read(url, credentials)) > 0)
  assert.equal(await stop(demo), 0)
  assert.ok(!existsSync(join(data, 'portal', 'admin-password')))
  for (const name of ['portal', ...engines]) {
    const lines = storedLines(join(data, name))
    assert.equal(lines.filter((line) => line.includes('|29021|')).length, 1, name)
    assert.ok(!existsSync(join(data, name, 'demo-activity.log')))
  }
  const joined = storedLines(join(data, 'portal')).filter((line) => line.includes('] [Portal|20701|*system]'))
  for (const name of engines)
    assert.ok(
      joined.some((line) => line.includes(`target="engine/${name}"`)),
      name,
    )
})

function start(context: TestContext, data: string, args: readonly string[] = []): Command {
  return startAnnals(context, ['serve', '--demo', '--data', data, '--listen', '127.0.0.1:0', ...args])
}

async function startDemo(context: TestContext, data: string, args: readonly string[] = []): Promise<Command> {
  const demo = start(context, data, args)
  let isEnded = false
  void demo.ended.then(() => (isEnded = true))
  await until(() => isEnded || demo.output().includes('This is a demo: its activity is made up.'))
  if (isEnded) assert.fail(JSON.stringify(await demo.ended))
  return demo
}

async function stop(demo: Command): Promise<number | undefined> {
  demo.process.kill('SIGTERM')
  return (await demo.ended).exitCode
}

async function statesOf(context: TestContext, data: string): Promise<string[]> {
  const list = JSON.parse(await annals(context, ['engines', 'list', '--json', '--data', data])) as {
    hostName: string
    state: string
  }[]
  return list.map(({ hostName, state }) => `${hostName} ${state}`)
}

function paths(before: string): string[] {
  return ['engines', ...engines.map((name) => `engine/${name}`)].map(
    (node) => `/audit-trail/api/v1/${node}/type/auditlog?before_date=${before}`,
  )
}

async function read(url: string, credentials: Credentials): Promise<Buffer> {
  const { origin, pathname, search } = new URL(url)
  const { status, body } = await ask({ baseUrl: origin }, pathname + search, { credentials })
  assert.equal(status, 200, body.toString())
  return body
}

function linesOf(log: Buffer): number {
  return log.toString().split('\n').length - 1
}

function timeOf(line: string): string {
  return line.split(' ')[1] ?? ''
}
