import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { resolveConfiguration } from '../config/configuration.ts'
import { readHolder } from '../log/lock.ts'
import { systemClock } from '../ops/clock.ts'
import { createLogger } from '../ops/logger.ts'
import { type Disk, type DiskFile, realDisk } from '../store/disk.ts'
import { demoEngines, type DemoOptions, startDemo } from './demo.ts'
import { openDemoDirectory } from './demo-directory.ts'
import { makeHistories } from './demo-history.ts'

const password = 'Strong-enough-1'

test('the nodes of a demo have a history each, and what an earlier attempt left is gone', async (context) => {
  const parent = temporaryDirectory(context)
  const [portal, engine] = [join(parent, 'portal'), join(parent, 'engine-01')]
  mkdirSync(portal)
  writeFileSync(join(portal, 'left'), '')
  const now = systemClock().wallMicros()
  const told: number[] = []
  await makeHistories(
    [
      { data: portal, hostName: 'portal', component: 'Portal', activity: { kind: 'portal' } },
      {
        data: engine,
        hostName: 'engine-01',
        component: 'engine-01',
        activity: { kind: 'engine', name: 'engine-01' },
      },
    ],
    now,
    (done, of) => told.push(done / of),
  )
  for (const [data, component] of [
    [portal, 'Portal'],
    [engine, 'engine-01'],
  ] as const) {
    assert.deepEqual(readdirSync(data).sort(), ['lock', 'log'])
    const lines = entries(data)
    assert.ok(lines.length > 1000)
    assert.ok(lines.every((line) => line.includes(` [${component}|`)))
    assert.match(lines.at(-1) ?? '', /\|29021\|\*system\] Imported 1 files: .*demo-activity\.log /)
  }
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  )
  assert.equal(told.at(-1), 1)
})

test('a demo fails with any of its nodes, and stops all the same', async (context) => {
  let isBroken = false
  const disk = diskThatFails((path) => isBroken && path.includes('engine-02'))
  const options = { ...(await demoOptions(context)), disk }
  const demo = await startDemo(options)
  isBroken = true
  const url = `${demo.configuration.publicUrl}/audit-trail/api/v1/engine/engine-02/type/auditlog`
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  assert.equal((await fetch(url, { headers: { authorization } })).status, 500)
  await demo.failed
  await demo.stop()
  for (const name of ['.', 'portal', 'engine-01', 'engine-02', 'engine-03'])
    assert.equal(readHolder(join(options.configuration.data, name)), undefined)
})

test('a start that fails lets everything go, and the next one goes on with what is there', async (context) => {
  const options = await demoOptions(context)
  const { data } = options.configuration
  const failing = { ...options, firstPassword: () => Promise.reject(new Error('no password')) }
  await assert.rejects(startDemo(failing), /no password/)
  for (const name of ['.', 'portal']) assert.equal(readHolder(join(data, name)), undefined)
  const [begun] = entries(join(data, 'portal'))
  const demo = await startDemo(options)
  assert.deepEqual(
    demo.engines.map(({ configuration, portal }) => [configuration.hostName, portal?.hostName]),
    demoEngines.map((name) => [name, 'portal']),
  )
  await demo.stop()
  assert.equal(entries(join(data, 'portal'))[0], begun)
})

// Of a demo that has its history, which is none.
async function demoOptions(context: TestContext): Promise<DemoOptions> {
  const directory = temporaryDirectory(context)
  const configuration = resolveConfiguration({
    flags: { data: join(directory, 'demo'), listen: '127.0.0.1:0', hostName: 'portal' },
    file: undefined,
    environment: {},
    directory,
    machineName: 'portal',
  })
  {
    using demo = await openDemoDirectory(configuration.data)
    await demo.markSeeded()
  }
  return {
    configuration,
    tls: undefined,
    logger: createLogger('silent'),
    clock: systemClock(),
    begin: () => undefined,
    progress: () => assert.fail('its history is there'),
    firstPassword: () => Promise.resolve(password),
  }
}

// The machine's, but what `fails` says cannot be written.
function diskThatFails(fails: (path: string) => boolean): Disk {
  const failing = (path: string) => {
    if (fails(path)) throw Object.assign(new Error('the disk failed'), { code: 'EIO' })
  }
  return {
    ...realDisk,
    async open(path, mode) {
      if (mode === 'create') failing(path)
      const file = await realDisk.open(path, mode)
      return {
        write: async (bytes, offset) => {
          failing(path)
          await file.write(bytes, offset)
        },
        read: (target, offset) => file.read(target, offset),
        datasync: async () => {
          failing(path)
          await file.datasync()
        },
        truncate: (length) => file.truncate(length),
        size: () => file.size(),
        close: () => file.close(),
      } satisfies DiskFile
    },
  }
}

function entries(data: string): string[] {
  const directory = join(data, 'log', 'segments')
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-demo-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
