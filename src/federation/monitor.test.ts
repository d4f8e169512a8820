import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Contact } from './contact.ts'
import { EngineFailure, type FailureReason } from './failure.ts'
import type { Link } from './link.ts'
import { Monitor, type MonitorParts } from './monitor.ts'

test('what is kept of an engine that does not answer is why it does not answer now', async () => {
  const reasons: FailureReason[] = ['cut', 'cut', 'refused', 'refused', 'timeout']
  const link = linkThatFails(reasons.values())
  const kept: (string | undefined)[] = []
  const warnings: unknown[] = []
  const monitor = monitorOf(link, {
    registry: {
      noteContacts: async (contacts: Contact[]) => void kept.push(...contacts.map(({ failure }) => failure)),
    },
    logger: { warn: (fields: object) => warnings.push(fields), info: () => undefined },
  })
  for (const _ of reasons) {
    link.dueMs = 0
    await monitor.turn()
    await monitor.idle()
  }
  await monitor.turn()
  assert.deepEqual(
    kept,
    ['cut', 'refused', 'timeout'].map((reason) => new EngineFailure(reason as FailureReason).message),
  )
  // The operator is told once: what follows is in the list of engines.
  assert.equal(warnings.length, 1)
})

test('an engine that answers is asked again at once where a read of it failed meanwhile', async () => {
  const link = linkThatFails([].values())
  let asked = 0
  const answer = { certificates: [], holds: [], clock: 0, size: 0, bytes: 0, version: '0' }
  const describe = async () => {
    asked += 1
    // Its bulk answers come over other connections.
    if (asked === 1) link.dueMs = 0
    return answer
  }
  Object.assign(link.client, { describe })
  const monitor = monitorOf(link, {
    registry: { noteContacts: async () => undefined, noteConnected: async () => false },
    logger: { warn: () => undefined, info: () => undefined },
  })
  for (let turn = 0; turn < 4; turn += 1) {
    await monitor.turn()
    await monitor.idle()
  }
  assert.equal(asked, 2)
})

function linkThatFails(reasons: Iterator<FailureReason>): Link {
  const double = {
    hostName: 'engine-01',
    engine: { id: 1, hostName: 'engine-01', state: 'CONNECTED' },
    dueMs: 0,
    isCalled: false,
    keptMs: Number.NEGATIVE_INFINITY,
    failure: undefined,
    noteFailure: () => undefined,
    client: {
      describe: async () => {
        throw new EngineFailure(reasons.next().value ?? 'answer')
      },
    },
  }
  return double as unknown as Link
}

function monitorOf(link: Link, parts: object): Monitor {
  const all = {
    identity: { next: undefined, reload: async () => undefined },
    clock: { wallMicros: () => 1_767_225_600_000_000 },
    links: () => [link],
    ...parts,
  }
  return new Monitor(all as unknown as MonitorParts)
}
