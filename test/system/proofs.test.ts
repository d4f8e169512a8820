// What a portal and its engines prove, over the wire and with real processes.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { leafHashOfBytes } from '../../src/tree/hash.ts'
import { type NoteKey, parseVkey } from '../../src/tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../../src/tree/signed-checkpoint.ts'
import { checkpointOfProof, parseTlogProof } from '../../src/tree/tlog-proof.ts'
import { NotProved } from '../../src/verify/not-proved.ts'
import { type CheckedProof, checkpointsOf, nonceIn, proofCheckOf } from '../../src/verify/proof-check.ts'
import { type AuditLine } from '../conformance/audit-line.ts'
import { type Answer, ask } from '../conformance/wire.ts'
import {
  type EngineProcess,
  enginePath,
  enginesPath,
  entriesOf,
  joinEngine,
  startEngine,
  untilUp,
} from './engine-process.ts'
import { administrator, startPortal, temporaryDirectory } from './portal-process.ts'

const credentials = administrator
const nonce = 'n-0123456789'

test('answers of a portal, of one engine and of all engines are proved complete', async (context) => {
  const data = join(temporaryDirectory(context), 'portal')
  const portal = { ...(await startPortal(context, { data })), data }
  const engines: EngineProcess[] = []
  for (const hostName of ['alpha', 'beta'])
    engines.push(await joinEngine(context, portal, { hostName, data: join(data, '..', hostName) }))
  const get = (path: string, headers: Record<string, string> = {}) =>
    ask(portal, path, { credentials, headers })
  const keys = [portal, ...engines].flatMap(keysOf)

  await context.test('windows of the portal and of an engine, and all of them at once', async () => {
    for (const path of ['/audit-trail/api/v1/portal/type/auditlog', enginePath('alpha'), enginesPath]) {
      for (const query of ['', '?elapsed_hours=1', '?elapsed_hours=0', '?before_date=2020-01-01']) {
        const answer = await get(path + query, { 'annals-nonce': nonce })
        const proof = await proofOf(get, answer)
        const checked = check(proof, answer.body)
        assert.equal(nonceIn(checked), nonce)
        for (const checkpoint of checkpointsOf(checked)) {
          const own = keys.filter(({ name }) => name === checkpoint.origin)
          assert.equal(verifySignatures(checkpoint, own)?.length, 2, checkpoint.origin)
        }
      }
    }
  })

  await context.test(
    'what all engines are is in the portal’s own entry: another manifest is found',
    async () => {
      const answer = await get(enginesPath, {})
      const proof = await proofOf(get, answer)
      const { of, answer: checked } = check(proof, answer.body)
      assert.ok(of === 'engines')
      assert.deepEqual(
        checked.manifest.engines.map(({ log }) => log),
        engines.map((engine) => logOf(engine)),
      )
      // The last change of the registry is where the manifest says, and none is behind it.
      const changes = entriesOf(portal).filter(({ code }) => /^2070[1-4]$/.test(code))
      assert.equal(checked.manifest.registry, Number(changes.at(-1)?.audit['pos']))
      const swapped = proof.replace(/^(registry \d*)(\d)$/m, (_line, head: string, digit: string) => {
        return `${head}${digit === '1' ? 2 : 1}`
      })
      assert.notEqual(swapped, proof)
      assert.throws(() => check(swapped, answer.body), isContradicted)
      const body = Buffer.from(answer.body)
      body[100] = (body[100] ?? 0) ^ 1
      assert.throws(() => check(proof, body), isContradicted)
      const lines = answer.body.toString().split('\n')
      assert.throws(() => check(proof, Buffer.from(lines.toSpliced(1, 1).join('\n'))), isContradicted)
    },
  )

  await context.test('an engine shows its checkpoint past its portal, and nothing else', async () => {
    const [alpha] = engines
    assert.ok(alpha !== undefined)
    const path = `/audit-trail/api/v2/logs/${logOf(alpha)}`
    const [direct, through] = [
      await ask(alpha, `${path}/checkpoint`),
      await ask(portal, `${path}/checkpoint`),
    ]
    for (const { status, body } of [direct, through]) {
      assert.equal(status, 200)
      assert.match(parseSignedCheckpoint(body.toString())?.origin ?? '', /^alpha\//)
    }
    assert.equal((await ask(alpha, `${path}/tile/0/000.p/1`, { credentials })).status, 404)
    assert.equal((await ask(portal, `${path}/tile/0/000.p/1`)).status, 401)
    assert.equal((await get(`${path}/tile/0/000.p/1`)).body.length, 32)
    assert.equal((await get(`${path}/tile/0/000`)).status, 404)
  })

  await context.test('I2, I10: what was proved before a kill is proved after it', async () => {
    const [alpha] = engines
    assert.ok(alpha !== undefined)
    const path = `/audit-trail/api/v2/logs/alpha/entries/0/proof`
    const before = entryIn(await get(path))
    await alpha.kill()
    await startEngine(context, { hostName: 'alpha', data: alpha.data })
    await untilUp(portal, 'alpha')
    const after = entryIn(await get(path))
    assert.deepEqual(after.line, before.line)
    assert.ok(after.checkpoint.size >= before.checkpoint.size)
    const read = await get(enginePath('alpha'))
    check(await proofOf(get, read), read.body)
  })
})

function entryIn({ status, body }: Answer) {
  assert.equal(status, 200)
  const proof = parseTlogProof(body.toString())
  assert.ok(proof?.extra !== undefined)
  const checkpoint = checkpointOfProof(proof, leafHashOfBytes(proof.extra, 0, proof.extra.length))
  assert.ok(checkpoint !== undefined)
  return { line: proof.extra, checkpoint }
}

async function proofOf(get: (path: string) => Promise<Answer>, answer: Answer): Promise<string> {
  assert.equal(answer.status, 200)
  const url = new URL(String(answer.headers['annals-proof']))
  const proof = await get(url.pathname)
  assert.equal(proof.status, 200, proof.body.toString())
  return proof.body.toString()
}

function check(proof: string, body: Buffer): CheckedProof {
  const checking = proofCheckOf(proof)
  for (let start = 0; start < body.length;) {
    const end = body.indexOf(0x0a, start)
    checking.line(body, start, end)
    start = end + 1
  }
  return checking.end()
}

function isContradicted(error: unknown): boolean {
  return error instanceof NotProved && error.reason === 'contradicted'
}

// What each log says of itself in its first entry.
function keysOf(node: Parameters<typeof entriesOf>[0]): NoteKey[] {
  const [first] = entriesOf(node)
  return (first?.event['keys'] ?? '').split(' ').map((vkey) => parseVkey(vkey) ?? assert.fail(vkey))
}

function logOf(node: Parameters<typeof entriesOf>[0]): string {
  const [first]: readonly AuditLine[] = entriesOf(node)
  return String(first?.audit['log'])
}
