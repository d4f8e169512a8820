// `annals import`, killed at any moment: there is no log or the whole one, and it can be done again (W9).

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readLine, readLines } from '../conformance/audit-line.ts'
import { ask } from '../conformance/wire.ts'
import { fixtureEntries, writeLargeLog } from './fixture.ts'
import { administrator, annals, hostName, runAnnals, startAnnals, startPortal } from './portal-process.ts'
import { storedLines, temporaryDirectory } from './portal-process.ts'

const kills = 10
const lines = 8_000

test('W9: an import killed at any moment leaves no log or the whole one, and can be repeated', async (context) => {
  const directory = temporaryDirectory(context)
  const file = writeLargeLog(join(directory, 'history.log'), lines)
  const wholeMs = await timeOfImport(context, join(directory, 'timed'), file)
  let [data, unfinished, whole] = [join(directory, 'data-0'), 0, 0]
  for (let round = 0; round < kills; round++) {
    // Spread over the import's length, its beginning included: each tenth of it is met.
    await killImport(context, data, file, (wholeMs * (round + Math.random())) / kills)
    if (!existsSync(join(data, 'log'))) {
      unfinished += 1
      continue
    }
    await demandWhole(context, data, file)
    whole += 1
    data = join(directory, `data-${round + 1}`)
  }
  context.diagnostic(`${unfinished} imports left nothing, ${whole} were whole`)
  assert.ok(unfinished > 0, 'a test that was always too late would prove nothing')
  // Over whatever the last ones left.
  if (!existsSync(join(data, 'log'))) await annals(context, importing(data, file))
  await demandWhole(context, data, file)
  assert.ok(!existsSync(join(data, 'log.new')))
  const expected = fixtureEntries(file)
  const portal = await startPortal(context, { data })
  const answer = await ask(portal, `/audit-trail/api/v1/portal/type/auditlog`, { credentials: administrator })
  const pulled = readLines(answer.body)
  assert.equal(pulled[lines]?.code, '29021')
  for (const [index, { time, message }] of expected.entries()) {
    assert.ok(pulled[index]?.time === time && pulled[index].message.equals(message))
  }
  assert.equal((await portal.stop()).exitCode, 0)
})

async function killImport(context: TestContext, data: string, file: string, afterMs: number): Promise<void> {
  const { process: child, ended } = startAnnals(context, importing(data, file))
  await sleep(afterMs)
  child.kill('SIGKILL')
  await ended
}

async function demandWhole(context: TestContext, data: string, file: string): Promise<void> {
  const found = storedLines(data)
  assert.equal(found.length, lines + 1)
  assert.equal(readLine(Buffer.from(found.at(-1) ?? '')).code, '29021')
  assert.match(await annals(context, ['check', '--data', data]), /No fault was found/)
  const again = await runAnnals(context, importing(data, file))
  assert.equal(again.exitCode, 5)
  assert.match(again.errors, /has entries already/)
  assert.deepEqual(storedLines(data), found)
}

async function timeOfImport(context: TestContext, data: string, file: string): Promise<number> {
  const start = performance.now()
  await annals(context, importing(data, file))
  return performance.now() - start
}

function importing(data: string, file: string): string[] {
  return ['import', '--data', data, '--host-name', hostName, file]
}
