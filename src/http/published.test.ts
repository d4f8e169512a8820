import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { formatVkey } from '../tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../tree/signed-checkpoint.ts'
import { parseLogKeys } from '../tree/key-rotation.ts'
import { leafHashOfBytes } from '../tree/hash.ts'
import { parseBundle } from '../tree/tile.ts'
import { checkpointOfProof, parseTlogProof } from '../tree/tlog-proof.ts'
import { AnswerCheck, type CheckedAnswer } from '../verify/answer-check.ts'
import { parseAnswerProof } from '../verify/answer-proof.ts'
import { admin, startPortal, type PortalServer } from './testing/portal-server.ts'

const headers = { authorization: admin }

function get(
  { port }: PortalServer,
  path: string,
  more: Record<string, string> = headers,
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/audit-trail/api/${path}`, { headers: more })
}

/** Records some reads, which are entries themselves. */
async function readOften(portal: PortalServer, times: number): Promise<void> {
  for (let k = 0; k < times; k += 1) await (await get(portal, 'v1/portal/type/auditlog')).arrayBuffer()
}

function checked(proof: string, body: string): CheckedAnswer {
  const parsed = parseAnswerProof(proof)
  assert.ok(parsed !== undefined)
  const check = new AnswerCheck(parsed)
  for (const line of body.split('\n').slice(0, -1)) {
    const bytes = Buffer.from(line)
    check.line(bytes, 0, bytes.length)
  }
  return check.end()
}

describe('what a log publishes', () => {
  test('the checkpoint is for everybody, by the id of the log or the name of its host, and is never kept', async () => {
    await using portal = await startPortal()
    await readOften(portal, 3)
    for (const name of [portal.log.id, 'portal-01', 'PORTAL-01']) {
      const answer = await get(portal, `v2/logs/${name}/checkpoint`, {})
      assert.deepEqual(
        [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
        [200, 'text/plain; charset=utf-8', 'no-cache'],
      )
      const checkpoint = parseSignedCheckpoint(await answer.text())
      assert.ok(checkpoint !== undefined)
      assert.deepEqual([checkpoint.origin, checkpoint.size], [portal.log.origin, 3])
      assert.equal(verifySignatures(checkpoint, portal.log.keys)?.length, 1)
    }
    assert.equal((await get(portal, 'v2/logs/engine-01/checkpoint', {})).status, 500)
  })

  test('the keys that sign it, and how they follow from the first ones, are for everybody too', async () => {
    await using portal = await startPortal()
    const answer = await get(portal, `v2/logs/${portal.log.id}/keys`, {})
    assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-cache'])
    const told = parseLogKeys(await answer.text())
    assert.deepEqual([told?.origin, told?.statements], [portal.log.origin, []])
    assert.deepEqual(told?.keys.map(formatVkey), portal.log.keys.map(formatVkey))
  })

  test('tiles and entries are for whoever may read the log, and may be kept', async () => {
    await using portal = await startPortal()
    await readOften(portal, 3)
    const path = `v2/logs/${portal.log.id}/tile`
    assert.equal((await get(portal, `${path}/0/000.p/3`, {})).status, 401)
    assert.equal((await get(portal, `${path}/0/000.p/3`, { authorization: 'Bearer expired' })).status, 401)
    const tile = await get(portal, `${path}/0/000.p/3`)
    assert.match(tile.headers.get('cache-control') ?? '', /private.*immutable/)
    assert.equal(tile.headers.get('content-type'), 'application/octet-stream')
    const hashes = Buffer.from(await tile.arrayBuffer())
    const bundle = await get(portal, `${path}/entries/000.p/3`)
    const entries = parseBundle(Buffer.from(await bundle.arrayBuffer())) ?? []
    assert.deepEqual(
      Buffer.concat(entries.map((entry) => Buffer.from(leafHashOfBytes(entry, 0, entry.length), 'latin1'))),
      hashes,
    )
    for (const absent of ['0/000', '0/000.p/9', '0/001', 'entries/000.p/9', '0/0', 'x', '', '0/000.p/0'])
      assert.equal((await get(portal, `${path}/${absent}`)).status, 404, absent)
  })

  test('bundles are compressed where the caller can read it, and hashes are not', async () => {
    await using portal = await startPortal()
    await readOften(portal, 5)
    const { port } = portal
    const raw = async (path: string, coding: string) => {
      const { request } = await import('node:http')
      const headers = { authorization: admin, 'accept-encoding': coding }
      return await new Promise<{ coding: string | undefined; body: Buffer }>((resolve, reject) => {
        request({ port, path: `/audit-trail/api/v2/logs/portal-01/tile/${path}`, headers }, (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () =>
            resolve({ coding: answer.headers['content-encoding'], body: Buffer.concat(chunks) }),
          )
        })
          .on('error', reject)
          .end()
      })
    }
    const plain = await raw('entries/000.p/5', 'identity')
    const zstd = await raw('entries/000.p/5', 'zstd')
    const gzip = await raw('entries/000.p/5', 'gzip')
    assert.deepEqual([plain.coding, zstd.coding, gzip.coding], [undefined, 'zstd', 'gzip'])
    assert.deepEqual([zstdDecompressSync(zstd.body), gunzipSync(gzip.body)], [plain.body, plain.body])
    assert.equal((await raw('0/000.p/5', 'zstd')).coding, undefined)
  })

  test('the proof of an entry leads from its stored line to the checkpoint', async () => {
    await using portal = await startPortal()
    await readOften(portal, 6)
    const answer = await get(portal, 'v2/logs/portal-01/entries/4/proof')
    const proof = parseTlogProof(await answer.text())
    assert.ok(proof?.extra !== undefined)
    assert.equal(`${proof.extra.toString()}\n`, portal.log.recorded[4])
    const leaf = leafHashOfBytes(proof.extra, 0, proof.extra.length)
    assert.equal(checkpointOfProof(proof, leaf)?.origin, portal.log.origin)
    const path = 'v2/logs/portal-01/entries/4/proof'
    assert.equal((await get(portal, `${path}?witnessed=true`)).status, 200)
    for (const query of ['?witnessed=yes', '?witnesed=true', '?witnessed=true&x=1'])
      assert.equal((await get(portal, path + query)).status, 400, query)
    for (const absent of ['99', '04', '-1', 'x', '4x'])
      assert.equal((await get(portal, `v2/logs/portal-01/entries/${absent}/proof`)).status, 404, absent)
  })

  test('R4: an answer says where the proof is that it is complete, and the proof holds', async () => {
    await using portal = await startPortal()
    await readOften(portal, 4)
    for (const query of [
      '',
      '?elapsed_hours=0.0005',
      '?elapsed_hours=0',
      '?before_date=2026-01-01T00:00:02',
    ]) {
      const answer = await get(portal, `v1/portal/type/auditlog${query}`, {
        ...headers,
        'annals-nonce': 'once-1.~_',
      })
      const body = await answer.text()
      const url = answer.headers.get('annals-proof') ?? ''
      assert.match(
        url,
        /^https:\/\/portal\/audit-trail\/api\/v2\/logs\/portal-01-abcdefghijklmnop\/reads\/\d+\/proof$/,
      )
      await readOften(portal, 2)
      const proof = await (await get(portal, url.slice('https://portal/audit-trail/api/'.length))).text()
      const { from, to, read, checkpoint } = checked(proof, body)
      assert.equal(`${from}-${to}`, answer.headers.get('annals-positions'))
      assert.equal(read.nonce, 'once-1.~_')
      assert.equal(checkpoint.origin, portal.log.origin)
    }
  })

  test('the rest of an earlier answer has the proof of that answer, and says of none', async () => {
    await using portal = await startPortal()
    await readOften(portal, 2)
    const plain = { ...headers, 'accept-encoding': 'identity' }
    const first = await get(portal, 'v1/portal/type/auditlog', plain)
    await first.arrayBuffer()
    const rest = { ...plain, range: 'bytes=5-', 'if-range': first.headers.get('etag') ?? '' }
    const second = await get(portal, 'v1/portal/type/auditlog', rest)
    assert.deepEqual([second.status, second.headers.get('annals-proof')], [206, null])
    await second.arrayBuffer()
  })

  test('W7: a nonce that cannot stand in an entry is refused, and nothing is read', async () => {
    await using portal = await startPortal()
    for (const nonce of ['a b', '', 'x'.repeat(65), '"']) {
      const answer = await get(portal, 'v1/portal/type/auditlog', { ...headers, 'annals-nonce': nonce })
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /Annals-Nonce: expected/)
    }
    assert.equal(portal.log.reads, 0)
  })

  test('there is no proof of a read where there is no read', async () => {
    await using portal = await startPortal()
    await readOften(portal, 1)
    await get(portal, 'v1/engine/engine-01/type/auditlog')
    for (const absent of ['1', '2', '99'])
      assert.equal((await get(portal, `v2/logs/portal-01/reads/${absent}/proof`)).status, 404, absent)
  })
})
