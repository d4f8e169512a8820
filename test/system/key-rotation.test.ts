// The keys of a log are replaced beside a running portal, which is killed meanwhile: whoever knows the old ones follows.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { followRotations, parseLogKeys } from '../../src/tree/key-rotation.ts'
import { formatVkey, type NoteKey } from '../../src/tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../../src/tree/signed-checkpoint.ts'
import { annals, type PortalProcess, startPortal, temporaryDirectory } from './portal-process.ts'

test('I10: a portal that runs takes up the order, publishes who signs, and keeps it through kill -9', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const known = (await keysOf(portal)).keys
  const output = await annals(context, ['key', 'rotate', 'log', '--json', '--data', data])
  const { state, keys } = JSON.parse(output) as { state: string; keys: string[] }
  assert.equal(state, 'rotated')
  await portal.kill()

  const again = await startPortal(context, { data })
  const told = await keysOf(again)
  const followed = followRotations(known, told.statements)
  assert.ok(typeof followed !== 'string')
  assert.deepEqual(followed.map(formatVkey), keys)
  assert.deepEqual(told.keys.map(formatVkey), [...known, ...followed].map(formatVkey))
  const signed = parseSignedCheckpoint(await published(again, 'checkpoint'))
  assert.ok(signed !== undefined)
  assert.equal(verifySignatures(signed, told.keys)?.length, 4)
  await again.stop()
  const segments = readFileSync(join(data, 'log/segments/00000000000000000000.log'), 'utf8')
  assert.equal(segments.match(/\|29086\|/g)?.length, 1)
  await annals(context, ['check', '--data', data])
})

async function keysOf(
  portal: PortalProcess,
): Promise<{ keys: readonly NoteKey[]; statements: readonly string[] }> {
  const keys = parseLogKeys(await published(portal, 'keys'))
  assert.ok(keys !== undefined)
  return keys
}

async function published({ baseUrl }: PortalProcess, file: string): Promise<string> {
  const answer = await fetch(new URL(`/audit-trail/api/v2/logs/portal-01/${file}`, baseUrl))
  assert.equal(answer.status, 200)
  return await answer.text()
}
