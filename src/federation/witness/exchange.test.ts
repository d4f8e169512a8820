import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditLog } from '../../log/audit-log.ts'
import { openTestLog, recordEach } from '../../log/testing/log-under-test.ts'
import { realDisk } from '../../store/disk.ts'
import { parseSignedCheckpoint, verifySignatures } from '../../tree/signed-checkpoint.ts'
import { askAtStart } from './ask-at-start.ts'
import { WitnessExchange } from './exchange.ts'
import { openWitnessKeys } from './witness-keys.ts'
import type { WitnessPeer, WitnessReply } from './witness-peer.ts'
import { originHash, WitnessState } from './witness-state.ts'
import { Witness, type WitnessAnswer } from './witness.ts'

const quiet = { info: () => undefined, warn: () => undefined }

// A witness of a log, without a network between.
async function witnessOf(log: AuditLog, intervalMs = 0) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'annals-exchange-'))
  const witness = await Witness.open({
    state: await WitnessState.open(realDisk, directory.path),
    signers: await openWitnessKeys(realDisk, directory.path, 'w.example'),
    logOf: async () => ({ owner: 'log', keys: log.keys }),
    seconds: () => 1_800_000_000,
    record: async () => undefined,
    node: { hostName: 'w.example', component: 'Portal' },
    logger: quiet,
    metrics: { asked: () => undefined },
    intervalMs,
  })
  const peer: WitnessPeer = {
    name: 'w.example',
    keys: witness.keys,
    addCheckpoint: async (body) => replyOf(await witness.addCheckpoint(body)),
    latest: (hash) => witness.latest(hash),
  }
  const dispose = async () => {
    witness[Symbol.dispose]()
    await directory[Symbol.asyncDispose]()
  }
  return { witness, peer, [Symbol.asyncDispose]: dispose }
}

function replyOf(answer: WitnessAnswer): WitnessReply {
  if (answer.verdict === 'cosigned') return { status: 200, body: Buffer.from(answer.lines) }
  if (answer.verdict === 'conflict') return { status: 409, body: Buffer.from(`${answer.size}\n`) }
  if (answer.verdict === 'too soon')
    return { status: 429, body: Buffer.alloc(0), retryAfterSeconds: answer.retryAfterSeconds }
  return { status: answer.verdict === 'inconsistent' ? 422 : 403, body: Buffer.alloc(0) }
}

function exchangeOf(log: AuditLog, ...peers: readonly WitnessPeer[]) {
  const failures: string[] = []
  const metrics = { cosigned: () => undefined, failed: (reason: string) => void failures.push(reason) }
  const exchange = new WitnessExchange({
    log,
    peers: () => peers,
    logger: quiet,
    metrics,
    intervalMs: 20,
    lookMs: 5,
  })
  exchange.start()
  return { exchange, failures }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5)
}

function cosigners(log: AuditLog, { keys }: WitnessPeer): number {
  const checkpoint = parseSignedCheckpoint(log.proofs.checkpoint()?.note ?? '')
  return (checkpoint && verifySignatures(checkpoint, keys)?.length) ?? 0
}

describe('a log and its witnesses', () => {
  test('each new checkpoint is cosigned with both keys, and a witness that has caught up is not behind', async () => {
    const { log, clock } = await openTestLog()
    await using other = await witnessOf(log)
    const { exchange, failures } = exchangeOf(log, other.peer)
    for (const text of ['a', 'b']) {
      await recordEach(log, clock, [text])
      const { note } = await log.proofs.covering(log.status().size, { witnessed: true })
      const checkpoint = parseSignedCheckpoint(note)
      assert.ok(checkpoint !== undefined)
      assert.equal(verifySignatures(checkpoint, other.peer.keys)?.length, 2)
    }
    assert.deepEqual(exchange.lags(), [{ name: 'w.example', entries: 0, seconds: 0 }])
    await exchange[Symbol.asyncDispose]()
    // Another run of the node: the witness says where it was.
    await recordEach(log, clock, ['c'])
    const again = exchangeOf(log, other.peer)
    await log.proofs.covering(log.status().size, { witnessed: true })
    await again.exchange[Symbol.asyncDispose]()
    assert.deepEqual([failures, again.failures], [[], []])
    await log.close()
  })

  test('what somebody else has shown the witness is taken from there', async () => {
    const { log, clock } = await openTestLog()
    await using other = await witnessOf(log, 600_000)
    await recordEach(log, clock, ['a'])
    const { note } = await log.proofs.covering(log.status().size)
    assert.equal((await other.witness.addCheckpoint(`old 0\n\n${note}`)).verdict, 'cosigned')
    await recordEach(log, clock, ['b'])
    await log.proofs.covering(log.status().size)
    const { exchange, failures } = exchangeOf(log, other.peer)
    await until(() => log.proofs.witnessed() !== undefined)
    assert.equal(log.proofs.witnessed()?.size, parseSignedCheckpoint(note)?.size)
    await until(() => failures.includes('too soon'))
    assert.equal(exchange.lags()[0]?.entries, 1)
    await exchange[Symbol.asyncDispose]()
    await log.close()
  })

  test('one that does not answer, signs with another key, or has none that is known, holds up no other', async () => {
    const { log, clock } = await openTestLog()
    await using good = await witnessOf(log)
    await using bad = await witnessOf(log)
    const silent = { ...bad.peer, name: 'silent', addCheckpoint: () => Promise.reject(new Error('gone')) }
    const swapped = { ...bad.peer, name: 'swapped', keys: good.peer.keys }
    const unknown = { ...bad.peer, name: 'unknown', keys: [] }
    const { exchange, failures } = exchangeOf(log, silent, swapped, unknown, good.peer)
    await recordEach(log, clock, ['a'])
    await until(() => cosigners(log, good.peer) === 2)
    assert.equal(cosigners(log, bad.peer), 0)
    await until(() => new Set(failures).size === 3)
    assert.deepEqual([...new Set(failures)].sort(), ['keys unknown', 'no answer', 'not signed'])
    await exchange[Symbol.asyncDispose]()
    await log.close()
  })

  test('I10: a witness that holds what the log does not continue makes it read-only', async () => {
    const { log, disk, clock } = await openTestLog()
    await using other = await witnessOf(log)
    await recordEach(log, clock, ['a'])
    await log.proofs.covering(log.status().size)
    const copy = disk.powerLoss()
    const before = exchangeOf(log, other.peer)
    await recordEach(log, clock, ['b'])
    await log.proofs.covering(log.status().size, { witnessed: true })
    await before.exchange[Symbol.asyncDispose]()
    await log.close()
    const { log: again } = await openTestLog({ disk: copy, clock })
    await recordEach(again, clock, ['other', 'entries', 'now'])
    const { exchange, failures } = exchangeOf(again, other.peer)
    await until(() => again.status().recording === 'read-only')
    await until(() => failures.includes('contradicted'))
    await exchange[Symbol.asyncDispose]()
    await again.close()
  })
})

test('a log that is opened asks all of its witnesses at once, and waits for none too long', async () => {
  const { log, clock } = await openTestLog()
  await using other = await witnessOf(log)
  await recordEach(log, clock, ['a'])
  const { note } = await log.proofs.covering(log.status().size)
  await other.witness.addCheckpoint(`old 0\n\n${note}`)
  // At once, however late the disk is.
  const seen = await other.witness.latest(originHash(log.origin))
  const there = { ...other.peer, latest: async () => seen }
  const told: object[] = []
  const logger = { info: () => undefined, warn: (fields: object) => void told.push(fields) }
  const never = { ...other.peer, name: 'never', latest: () => new Promise<undefined>(() => undefined) }
  const broken = { ...other.peer, name: 'broken', latest: () => Promise.reject(new Error('gone')) }
  const fresh = { ...other.peer, name: 'fresh', latest: async () => undefined }
  const held = await askAtStart([never, broken, fresh, there], log.origin, logger, 300)
  assert.deepEqual(
    held.map(({ witness }) => witness),
    ['w.example'],
  )
  assert.deepEqual(told, [
    { witness: 'never', reason: 'no answer in time' },
    { witness: 'broken', reason: 'gone' },
  ])
  await log.close()
})
