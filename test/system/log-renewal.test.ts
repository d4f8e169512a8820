// The keys of an engine's log are stolen: its log is closed, another one continues it, and the engine joins its portal again.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask } from '../conformance/wire.ts'
import { enginePath, joinArgs, joinEngine, makeToken, startEngine, untilUp } from './engine-process.ts'
import { administrator, annals, runAnnals, startPortal, temporaryDirectory } from './portal-process.ts'

const hostName = 'engine-01'

test('I10: an engine whose keys were revoked goes on with a new log that names the old one, once it has joined again', async (context) => {
  const directory = temporaryDirectory(context)
  const portal = {
    ...(await startPortal(context, { data: join(directory, 'portal') })),
    data: join(directory, 'portal'),
  }
  const data = join(directory, 'engine')
  const engine = await joinEngine(context, portal, { data, hostName })
  const beside = await runAnnals(context, ['key', 'revoke', '--yes', '--data', data])
  assert.equal(beside.exitCode, 4)
  assert.match(beside.errors, /stop the node first: .*\(annals engine\)/)
  await engine.kill()

  const told = JSON.parse(await annals(context, ['key', 'revoke', '--yes', '--json', '--data', data])) as Told
  assert.match(
    await annals(context, ['verify', told.closed.directory]),
    new RegExp(`\\nlog +${told.closed.log}\\n`),
  )
  const token = await makeToken(context, portal, ['--replace', hostName])
  await startEngine(context, { data, hostName, args: joinArgs(portal, token) })
  await untilUp(portal, hostName)
  const answer = await ask(portal, enginePath(hostName), { credentials: administrator })
  assert.equal(answer.status, 200)
  const [first = ''] = answer.body.toString().split('\n')
  assert.match(
    first,
    new RegExp(`\\|29088\\|.* This log ${told.log} continues ${told.closed.log}, closed with `),
  )
  const checkpoint = await ask(portal, `/audit-trail/api/v2/logs/${hostName}/checkpoint`)
  assert.match(checkpoint.body.toString(), new RegExp(`^engine-01/audit-trail/api/v2/logs/${told.log}\\n`))
})

interface Told {
  readonly closed: { readonly log: string; readonly directory: string }
  readonly log: string
}
