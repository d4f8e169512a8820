// Attacks on logs, by whoever has their files or even their keys: who notices, and how fast. Each prints a row of the table of
// docs/spec/attacks.md.

import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseSignedCheckpoint } from '../../src/tree/signed-checkpoint.ts'
import { ask, type Server } from '../conformance/wire.ts'
import {
  type EngineProcess,
  enginePath,
  entriesOf,
  joinArgs,
  joinEngine,
  makeToken,
  startEngine,
  untilUp,
} from './engine-process.ts'
import {
  administrator,
  annals,
  type PortalProcess,
  runAnnals,
  startPortal,
  temporaryDirectory,
  until,
} from './portal-process.ts'

const credentials = administrator
const portalPath = '/audit-trail/api/v1/portal/type/auditlog'

describe('attacks', { concurrency: true }, () => {
  test('an engine that is rolled back to a backup opens for reading only: its portal has seen more', async (context) => {
    const { directory, portal, engine } = await pair(context)
    await recordMany(engine, 5)
    await untilCosigned(engine, 'alpha', 1)
    await engine.stop()
    cpSync(engine.data, join(directory, 'backup'), { recursive: true })
    const more = await startEngine(context, engine)
    await untilUp(portal, 'alpha')
    await recordMany(more, 5)
    const seen = await untilCosigned(more, 'alpha', sizeIn(join(directory, 'backup')) + 1)
    await more.stop()
    rmSync(engine.data, { recursive: true })
    cpSync(join(directory, 'backup'), engine.data, { recursive: true })

    const began = performance.now()
    const restored = await startEngine(context, engine)
    row(context, 'engine rolled back to a backup', 'its portal, when the engine starts: read-only', began)
    await demandReadOnly(restored)
    assert.ok(sizeIn(engine.data) < seen)
    await untilUp(portal, 'alpha')
    const { status, body } = await ask(portal, enginePath('alpha'), { credentials })
    assert.deepEqual([status, body.length > 0], [200, true])
    await restored.stop()
    const closedAt = sizeIn(engine.data)

    const renewed = await annals(context, ['log', 'renew', '--yes', '--data', engine.data])
    assert.match(renewed, /alpha-/)
    const token = await makeToken(context, portal, ['--replace', 'alpha'])
    const next = await startEngine(context, { ...engine, args: joinArgs(portal, token) })
    await recordMany(next, 1)
    const [first] = entriesOf(next)
    const { old, size } = first?.event ?? {}
    assert.deepEqual([first?.code, old, size], ['29088', logIn(join(directory, 'backup')), String(closedAt)])
  })

  test('a portal that is rolled back opens for reading only: its engine has seen more', async (context) => {
    const { directory, portal, engine } = await pair(context)
    await untilCosigned(portal, 'portal-01', 1)
    await portal.stop()
    cpSync(portal.data, join(directory, 'backup'), { recursive: true })
    const more = await startPortal(context, { data: portal.data })
    await untilUp(more, 'alpha')
    for (let k = 0; k < 5; k += 1) await ask(more, portalPath, { credentials })
    await untilCosigned(more, 'portal-01', sizeIn(join(directory, 'backup')) + 1)
    await more.stop()
    rmSync(portal.data, { recursive: true })
    cpSync(join(directory, 'backup'), portal.data, { recursive: true })

    const began = performance.now()
    const restored = await startPortal(context, { data: portal.data })
    row(context, 'portal rolled back to a backup', 'its engine, when the portal starts: read-only', began)
    await demandReadOnly({ ...restored, data: portal.data, hostName: 'portal-01' })
    assert.equal((await ask(restored, portalPath, { credentials })).status, 200)
    await engine.stop()
  })

  test('a log that is rolled back while nobody who has seen more is asked goes on; a witness outside stops it', async (context) => {
    const directory = temporaryDirectory(context)
    const [data, outsideData] = [join(directory, 'portal'), join(directory, 'outside')]
    const first = await startPortal(context, { data })
    const keys = (await ask(first, '/audit-trail/api/v2/logs/portal-01/keys')).body.toString()
    await first.stop()
    const logs = join(directory, 'logs.policy')
    writeFileSync(logs, `${lines(keys.split('\n').slice(2, 4), 'log')}quorum none\n`)
    const args = ['--host-name', 'outside', '--witness-policy-file', logs]
    const outside = await startPortal(context, { data: outsideData, args })
    const url = `${outside.baseUrl}/audit-trail/api/v2/witness`
    const vkeys = (await ask(outside, '/audit-trail/api/v2/witness/vkeys')).body.toString().trim().split('\n')
    const policy = join(directory, 'witness.policy')
    const named = vkeys.map((vkey, k) => `witness outside-${k} ${vkey} ${url}\n`)
    writeFileSync(policy, `${named.join('')}quorum none\n`)
    const start = () => startPortal(context, { data, args: ['--witness-policy-file', policy] })

    const portal = await start()
    await untilCosigned(portal, 'portal-01', 1)
    await portal.stop()
    cpSync(data, join(directory, 'backup'), { recursive: true })
    const more = await start()
    for (let k = 0; k < 5; k += 1) await ask(more, portalPath, { credentials })
    await untilCosigned(more, 'portal-01', sizeIn(join(directory, 'backup')) + 1)
    await more.stop()
    rmSync(data, { recursive: true })
    cpSync(join(directory, 'backup'), data, { recursive: true })

    // As if its peers had been restored with it: nobody but the witness outside is asked.
    const unnoticed = await startPortal(context, { data })
    assert.equal((await health(unnoticed)).recording, 'accepting')
    await unnoticed.stop()
    rmSync(data, { recursive: true })
    cpSync(join(directory, 'backup'), data, { recursive: true })
    const began = performance.now()
    const restored = await start()
    row(
      context,
      'all nodes rolled back together',
      'a witness outside, when the node starts: read-only',
      began,
    )
    await demandReadOnly({ ...restored, data, hostName: 'portal-01' })
  })

  test('entries rewritten with the log’s own key are not cosigned, and are evidence', async (context) => {
    const { directory, portal, engine } = await pair(context)
    await recordMany(engine, 3)
    await engine.stop()
    const forged = join(directory, 'forged')
    cpSync(engine.data, forged, { recursive: true })
    const honest = await startEngine(context, engine)
    await untilUp(portal, 'alpha')
    await recordMany(honest, 6)
    // All of it: what is still to be cosigned would be asked for while the forgery is made.
    const seen = await untilCosigned(honest, 'alpha', entriesOf(honest).length)

    // Whoever has the key keeps the witnesses away from the forgery: it has joined nobody.
    for (const name of ['portal.json', 'portal-port']) rmSync(join(forged, name))
    const forger = await startEngine(context, { data: forged, hostName: 'alpha' })
    await recordMany(forger, seen - entriesOf(forger).length)
    while (sizeIn(forged) < seen) await sleep(50)
    const began = performance.now()
    const answer = await ask(portal, '/audit-trail/api/v2/witness/add-checkpoint', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: `old ${seen}\n\n${readFileSync(join(forged, 'log/head'), 'utf8')}`,
    })
    assert.equal(sizeIn(forged), seen)
    assert.equal(answer.status, 422)
    row(context, 'the latest entries rewritten with the key', 'the witness, when it is shown: refused', began)
    const { problems } = await health(portal)
    assert.match(problems.join('\n'), /alpha-\S+ contradicts what this witness saw of it/)
    assert.ok(entriesOf(portal).some(({ code }) => code === '29083'))
    const metrics = (await ask(portal, '/metrics', { credentials })).body.toString()
    assert.match(metrics, /^annals_witness_contradictions 1$/m)
    const evidence = readdirSync(join(portal.data, 'witness/evidence'))
    // Both notes: what was seen and what is shown.
    assert.equal(evidence.length, 2)

    // Two histories: whoever asks for a cosignature believes one of them.
    const vkeys = (await ask(portal, '/audit-trail/api/v2/witness/vkeys')).body.toString().split('\n')
    const keys = (await ask(honest, '/audit-trail/api/v2/logs/alpha/keys')).body
      .toString()
      .split('\n')
      .slice(2, 4)
    const policy = join(directory, 'policy')
    writeFileSync(policy, `${lines(keys, 'log')}witness portal ${vkeys[0]}\nquorum portal\n`)
    await Promise.all([honest.stop(), forger.stop()])
    const verify = (data: string, ...more: readonly string[]) =>
      runAnnals(context, ['verify', join(data, 'log'), '--policy', policy, ...more])
    const honestly = await verify(engine.data, '--checkpoint', join(engine.data, 'log/witnessed'))
    assert.equal(honestly.exitCode, 0, honestly.errors)
    assert.equal((await verify(forged)).exitCode, 9)
    // Nor does a cosignature of the one fit the other.
    const mixed = await verify(forged, '--checkpoint', join(engine.data, 'log/witnessed'))
    assert.equal(mixed.exitCode, 7, mixed.errors)
    row(
      context,
      'two histories shown to two clients',
      'the client whose policy asks for a cosignature: exit code 9',
      began,
    )
  })
})

interface Pair {
  readonly directory: string
  readonly portal: PortalProcess & { readonly data: string }
  readonly engine: EngineProcess
}

async function pair(context: TestContext): Promise<Pair> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const portal = { ...(await startPortal(context, { data })), data }
  const engine = await joinEngine(context, portal, { hostName: 'alpha', data: join(directory, 'alpha') })
  return { directory, portal, engine }
}

function row(context: TestContext, attack: string, noticed: string, began: number): void {
  context.diagnostic(`${attack} | ${noticed} | ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

function lines(keys: readonly string[], word: string): string {
  return keys.map((key) => `${word} ${key}\n`).join('')
}

/** Waits until a node shows a checkpoint of at least so many entries that a witness has cosigned, and returns its size. */
async function untilCosigned(node: Server, log: string, size: number): Promise<number> {
  for (;;) {
    const { body } = await ask(node, `/audit-trail/api/v2/logs/${log}/checkpoint`)
    const checkpoint = parseSignedCheckpoint(body.toString())
    if (checkpoint !== undefined && checkpoint.size >= size && checkpoint.signatures.length > 2)
      return checkpoint.size
    await sleep(200)
  }
}

function logIn(data: string): string {
  const { id } = JSON.parse(readFileSync(join(data, 'log/log.json'), 'utf8')) as { id: string }
  return id
}

function sizeIn(data: string): number {
  return parseSignedCheckpoint(readFileSync(join(data, 'log/head'), 'utf8'))?.size ?? assert.fail('a head')
}

async function health(
  node: Server,
): Promise<{ readonly recording: string; readonly problems: readonly string[] }> {
  const { body } = await ask(node, '/readyz')
  return JSON.parse(body.toString()) as { recording: string; problems: string[] }
}

async function demandReadOnly(
  node: PortalProcess & { readonly data: string; readonly hostName: string },
): Promise<void> {
  // A witness that was too late for the start is heard when it is shown a checkpoint.
  if (node.errors().includes('no answer in time'))
    await until(async () => (await health(node)).recording === 'read-only')
  const { recording, problems } = await health(node)
  assert.equal(recording, 'read-only')
  assert.match(problems.join('\n'), /older copy of itself/)
  const size = sizeIn(node.data)
  const { status, body } = await record(node)
  assert.ok(status >= 400, body)
  assert.match(body, /annals log renew/)
  assert.equal(sizeIn(node.data), size)
}

async function recordMany(node: Pick<EngineProcess, 'data' | 'hostName'>, count: number): Promise<void> {
  for (let k = 0; k < count; k += 1) {
    const { status, body } = await record(node)
    assert.equal(status, 201, body)
  }
}

/** Records an event at a node's record socket. */
async function record({ data, hostName }: Pick<EngineProcess, 'data' | 'hostName'>) {
  const event = { code: 10_006, component: hostName, actor: 'jdoe', message: 'something was done' }
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const asked = request({
    socketPath: join(data, 'record.sock'),
    path: `/audit-trail/api/v2/logs/${hostName}/entries`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  asked.on('error', reject)
  asked.on('response', (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () =>
      resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
    )
  })
  asked.end(JSON.stringify(event))
  return await promise
}
