import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnnalsError } from '../errors.ts'
import { leafHashOfBytes } from '../tree/hash.ts'
import { verifySignatures } from '../tree/signed-checkpoint.ts'
import { checkpointOfProof, parseTlogProof } from '../tree/tlog-proof.ts'
import { ask } from './testing/client.ts'
import { admin, type PortalServer, startPortal } from './testing/portal-server.ts'

const event = { code: 20101, component: 'Portal', actor: 'jdoe', session: 's-1' }

interface Result {
  readonly position: number
  readonly proof?: string | null
}

async function post(portal: PortalServer, query: string, value: unknown, type = 'application/json') {
  return await ask(portal.port, `/audit-trail/api/v2/logs/portal-01/entries${query}`, {
    method: 'POST',
    headers: { authorization: admin, 'content-type': type },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  })
}

function assertProof({ log }: PortalServer, { position, proof }: Result): void {
  const parsed = parseTlogProof(proof ?? '')
  assert.ok(parsed?.extra !== undefined)
  assert.equal(parsed.index, position)
  assert.equal(`${parsed.extra.toString()}\n`, log.recorded[position])
  const checkpoint = checkpointOfProof(parsed, leafHashOfBytes(parsed.extra, 0, parsed.extra.length))
  assert.ok(checkpoint !== undefined)
  assert.equal(verifySignatures(checkpoint, log.keys)?.length, 1)
}

test('with receipt=true every event is answered with the proof that it is in the log', async () => {
  await using portal = await startPortal()
  const one = JSON.parse((await post(portal, '?receipt=true', event)).body.toString()) as Result
  assertProof(portal, one)
  for (const query of ['?receipt=true', '?receipt=true&atomic=true', '?atomic=false&receipt=true']) {
    const list = JSON.parse((await post(portal, query, [event, event])).body.toString()) as Result[]
    assert.equal(list.length, 2)
    for (const result of list) assertProof(portal, result)
  }
  const lines = `${JSON.stringify(event)}\n`.repeat(3)
  const answer = await post(portal, '?receipt=true', lines, 'application/x-ndjson')
  const results = answer.body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Result)
  assert.equal(results.length, 3)
  for (const result of results) assertProof(portal, result)
})

test('without a checkpoint in time, or with a fault, the event is recorded, and its proof is null', async () => {
  await using portal = await startPortal()
  for (const error of [new AnnalsError('UNAVAILABLE', 'as the test wants'), new Error('a fault')]) {
    portal.log.proofs.covering = () => Promise.reject(error)
    for (const body of [event, [event, event]]) {
      const answer = await post(portal, '?receipt=true', body)
      assert.ok(answer.status < 300)
      for (const { proof } of [JSON.parse(answer.body.toString()) as Result].flat()) assert.equal(proof, null)
    }
  }
  assert.equal(portal.log.recorded.length, 6)
  assert.deepEqual(
    portal.logged.map(({ message }) => message),
    Array.from({ length: 2 }, () => 'receipts could not be made'),
  )
})

test('W7: without receipt=true there is none, and a typing error is refused', async () => {
  await using portal = await startPortal()
  const plain = JSON.parse((await post(portal, '?receipt=false', event)).body.toString()) as Result
  assert.ok(!('proof' in plain))
  for (const query of [
    '?reciept=true',
    '?receipt=yes',
    '?receipt',
    '?receipt=true&receipt=true',
    '?receipt=true&x=1',
  ])
    assert.equal((await post(portal, query, event)).status, 400, query)
  assert.equal(portal.log.recorded.length, 1)
})
