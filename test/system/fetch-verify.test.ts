// `annals fetch --verify` against servers that change what they answer, or show another history than they have shown before.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { formatVkey, noteKey, publicBytes } from '../../src/tree/note-key.ts'
import { parseSignedCheckpoint } from '../../src/tree/signed-checkpoint.ts'
import { ask } from '../conformance/wire.ts'
import { joinEngine } from './engine-process.ts'
import {
  administrator,
  type Outcome,
  startAnnals,
  startPortal,
  temporaryDirectory,
} from './portal-process.ts'

const credentials = administrator

test('what is fetched is proved, and goes on from what was seen before', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const client = clientIn(context, directory)
  const portal = { ...(await startPortal(context, { data })), data }
  const alpha = await joinEngine(context, portal, { hostName: 'alpha', data: join(directory, 'alpha') })

  await context.test(
    'the portal, an engine and all engines are complete, and each is said in one line',
    async () => {
      const first = await client.fetches(portal.baseUrl, 'portal')
      assert.match(
        first.errors,
        /complete, entries 0 to \d+ of portal-01-\S+, from its beginning to \S+; signed by the log, with keys that came along with it; witnessed by nobody you named/,
      )
      const engine = await client.fetches(portal.baseUrl, 'engine', 'alpha')
      assert.match(engine.errors, /complete, entries 0 to \d+ of alpha-\S+.*never seen before/)
      const again = await client.fetches(portal.baseUrl, 'engines', '--elapsed-hours', '1')
      assert.match(
        again.errors,
        /complete, \d+ entries of 1 engines; signed by the log; witnessed by nobody you named\n$/,
      )
    },
  )

  await context.test('R8: with no entry in the window that too is proved', async () => {
    const { errors } = await client.fetches(portal.baseUrl, 'portal', '--before', '2020-01-01T00:00:00Z')
    assert.match(errors, /complete, no entry of portal-01-\S+, from its beginning to 2020-01-01T00:00:00/)
  })

  await context.test(
    'with a policy it is proved once the witnesses have cosigned that it names, and not before',
    async () => {
      const policy = join(directory, 'policy')
      const keys = (await ask(portal, '/audit-trail/api/v2/logs/portal-01/keys')).body
        .toString()
        .split('\n')
        .slice(2, 4)
      const [vkey = ''] = (await ask(alpha, '/audit-trail/api/v2/witness/vkeys')).body.toString().split('\n')
      writeFileSync(
        policy,
        `${keys.map((key) => `log ${key}\n`).join('')}witness alpha ${vkey}\nquorum alpha\n`,
      )
      const { errors } = await client.fetches(portal.baseUrl, 'portal', '--policy', policy, '--retries', '5')
      // Whom a policy names goes before what was seen.
      const origin = (keys[0] ?? '').split('+')[0] ?? ''
      const { privateKey } = generateKeyPairSync('ed25519')
      const other = formatVkey(noteKey(origin, 0x01, publicBytes(privateKey)))
      writeFileSync(`${policy}-other`, `log ${other}\nquorum none\n`)
      const refused = await client.fetch(portal.baseUrl, 'portal', '--policy', `${policy}-other`)
      assert.equal(refused.exitCode, 7, refused.errors)
      assert.match(refused.errors, /is not signed by the keys that are known of it/)
      assert.match(errors, /signed by the log and cosigned by: alpha\S* \(quorum of your policy reached\)\n$/)
    },
  )

  await context.test('the proof and the hashes are kept for later', async () => {
    const proof = join(directory, 'kept.proof')
    const tiles = join(directory, 'tiles')
    await client.fetches(portal.baseUrl, 'portal', '--save-proof', proof, '--save-tiles', tiles)
    assert.match(readFileSync(proof, 'utf8'), /^annals\/answer-proof@v1\n/)
    const checkpoint = parseSignedCheckpoint(readFileSync(join(tiles, 'checkpoint'), 'utf8'))
    const tile = readFileSync(join(tiles, `tile/0/000.p/${checkpoint?.size}`))
    assert.equal(tile.length, 32 * (checkpoint?.size ?? 0))
  })

  await context.test('an answer that is changed on its way, by one byte or one line, is found', async () => {
    for (const change of [flipped, withoutLine]) {
      const liar = await startLiar(context, portal.baseUrl, change)
      const { exitCode, errors } = await client.fetch(liar, 'portal')
      assert.equal(exitCode, 7, errors)
      assert.match(errors, /does not lead to the root|is expected|are missing/)
    }
  })

  await context.test('an answer for another window is found', async () => {
    const liar = await startLiar(context, portal.baseUrl, undefined, (path) =>
      path.replace('elapsed_hours=2', 'elapsed_hours=1'),
    )
    const { exitCode, errors } = await client.fetch(liar, 'portal', '--elapsed-hours', '2')
    assert.equal(exitCode, 7, errors)
    assert.match(errors, /another window than was asked for/)
  })

  await context.test('the proof of an earlier answer is not taken for that of this one', async () => {
    const { headers } = await ask(portal, '/audit-trail/api/v1/portal/type/auditlog', { credentials })
    const old = new URL(String(headers['annals-proof'])).pathname
    const liar = await startLiar(context, portal.baseUrl, undefined, (path) =>
      path.endsWith('/proof') ? old : path,
    )
    const { exitCode, errors } = await client.fetch(liar, 'portal', '--before', '2026-01-01T00:00:00Z')
    assert.equal(exitCode, 7, errors)
  })

  await context.test('without the proof the file is there, and nothing is proved', async () => {
    const liar = await startLiar(context, portal.baseUrl, undefined, undefined, true)
    const { exitCode, errors } = await client.fetch(liar, 'portal')
    assert.equal(exitCode, 7)
    assert.match(errors, /does not say where the proof of this answer is: nothing is proved/)
  })
})

test('I10: a log that was rolled back, forked or made anew is found by whoever has seen it, with both notes', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const client = clientIn(context, directory)
  let portal = await startPortal(context, { data })
  await client.fetches(portal.baseUrl, 'portal')
  await portal.stop()
  cpSync(data, join(directory, 'backup'), { recursive: true })
  portal = await startPortal(context, { data })
  for (let k = 0; k < 40; k += 1)
    await ask(portal, '/audit-trail/api/v1/portal/type/auditlog', { credentials })
  await client.fetches(portal.baseUrl, 'portal')
  await portal.stop()

  const restored = await startPortal(context, { data: join(directory, 'backup') })
  const smaller = await client.fetch(restored.baseUrl, 'portal')
  assert.equal(smaller.exitCode, 7, smaller.errors)
  assert.match(smaller.errors, /is smaller than the \d+ entries that were seen before/)
  for (let k = 0; k < 60; k += 1)
    await ask(restored, '/audit-trail/api/v1/portal/type/auditlog', { credentials })
  const forked = await client.fetch(restored.baseUrl, 'portal')
  assert.equal(forked.exitCode, 7, forked.errors)
  assert.match(forked.errors, /does not begin with the \d+ that were seen before: another history is shown/)
  await restored.stop()

  const evidence = readdirSync(directory).filter((name) => name.startsWith('seen.json.evidence-'))
  assert.equal(evidence.length, 2)
  for (const name of evidence) {
    const text = readFileSync(join(directory, name), 'utf8')
    assert.equal(text.match(/^portal-01\/audit-trail\/api\/v2\/logs\/portal-01-\S+$/gm)?.length, 2)
  }
})

/** A client with a state of its own, and a new file for each fetch. */
function clientIn(context: TestContext, directory: string) {
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, administrator.password)
  let files = 0
  const fetch = async (baseUrl: string, ...what: readonly string[]): Promise<Outcome> => {
    const file = join(directory, `fetched-${(files += 1)}.log`)
    const state = join(directory, 'seen.json')
    const [log = '', ...rest] = what
    const login = ['--user', administrator.name, '--password-file', passwordFile]
    const args = ['fetch', log, '--retries', '0', ...rest, '--url', baseUrl, ...login, '--output', file]
    const outcome = await startAnnals(context, [...args, '--verify', '--state', state], {}).ended
    assert.ok(outcome.exitCode !== 0 || existsSync(file))
    return outcome
  }
  return {
    fetch,
    /** The same where it has to succeed. */
    async fetches(baseUrl: string, ...what: readonly string[]): Promise<Outcome> {
      const outcome = await fetch(baseUrl, ...what)
      assert.equal(outcome.exitCode, 0, outcome.errors)
      return outcome
    },
  }
}

function flipped(body: Buffer): Buffer {
  const changed = Buffer.from(body)
  const at = changed.lastIndexOf('logged')
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

function withoutLine(body: Buffer): Buffer {
  return Buffer.from(body.toString().split('\n').toSpliced(1, 1).join('\n'))
}

/** A server that passes everything on to a portal, and lies. */
async function startLiar(
  context: TestContext,
  baseUrl: string,
  change: ((body: Buffer) => Buffer) | undefined,
  rewrite: (path: string) => string = (path) => path,
  isSilent = false,
): Promise<string> {
  const server: Server = createServer((asked, answer) => {
    const path = rewrite(asked.url ?? '')
    request(new URL(path, baseUrl), { headers: asked.headers, method: asked.method }, (told) => {
      const chunks: Buffer[] = []
      told.on('data', (chunk: Buffer) => chunks.push(chunk))
      told.on('end', () => {
        const whole = Buffer.concat(chunks)
        const body = path.includes('/v1/') && change !== undefined ? change(whole) : whole
        const headers: Record<string, string | string[] | undefined> = {
          ...told.headers,
          'content-length': String(body.length),
        }
        if (isSilent) delete headers['annals-proof']
        answer.writeHead(told.statusCode ?? 500, headers).end(body)
      })
    }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
