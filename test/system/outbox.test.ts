// An auditable change and its entry are there both or neither, whoever is killed whenever (the outbox): commands
// beside a running portal, and the portal itself, ended by kill -9 at any moment while accounts are made.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/database/database.ts'
import { enqueue } from '../../src/database/outbox.ts'
import { accountCreated } from '../../src/identity/account-events.ts'
import { readLine } from '../conformance/audit-line.ts'
import {
  addAccount,
  annals,
  type Command,
  hostName,
  type Outcome,
  startAnnals,
  startPortal,
} from './portal-process.ts'
import { storedLines, temporaryDirectory } from './portal-process.ts'

const kills = 10

test('an account is there if and only if its entry is, exactly once: commands killed beside the portal', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const wholeMs = await timeOfAdding(context, data)
  const names = Array.from({ length: kills }, (_, round) => `killed-${round}`)
  for (const [round, name] of names.entries()) {
    const command = adding(context, data, name)
    await someMoment(command, round, wholeMs)
    command.process.kill('SIGKILL')
    await command.ended
  }
  assert.equal((await portal.stop()).exitCode, 0)
  const made = await demandAgreement(context, data, names)
  assert.ok(made >= kills / 2)
})

test('an account is there if and only if its entry is, exactly once: the portal killed meanwhile', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const names = Array.from({ length: kills }, (_, round) => `beside-${round}`)
  await (await startPortal(context, { data })).stop()
  const wholeMs = await timeOfAdding(context, data)
  const commands: Promise<Outcome>[] = []
  for (const [round, name] of names.entries()) {
    const portal = await startPortal(context, { data })
    const command = adding(context, data, name)
    await someMoment(command, round, wholeMs)
    await portal.kill()
    commands.push(command.ended)
  }
  // The next portal takes the change up, or the command does.
  for (const { exitCode, errors } of await Promise.all(commands)) assert.equal(exitCode, 0, errors)
  await (await startPortal(context, { data })).stop()
  const made = await demandAgreement(context, data, names)
  assert.equal(made, kills)
})

test('an account is there if and only if its entry is, exactly once: both killed', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const names = Array.from({ length: kills }, (_, round) => `both-${round}`)
  await (await startPortal(context, { data })).stop()
  const wholeMs = await timeOfAdding(context, data)
  for (const [round, name] of names.entries()) {
    const portal = await startPortal(context, { data })
    const command = adding(context, data, name)
    await someMoment(command, round, wholeMs)
    command.process.kill('SIGKILL')
    await Promise.all([portal.kill(), command.ended])
  }
  await (await startPortal(context, { data })).stop()
  await demandAgreement(context, data, names)
})

test('what waits in the outbox is recorded exactly once, though the portal is killed while it records it', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  await (await startPortal(context, { data })).stop()
  const names = Array.from({ length: waitingEvents }, (_, k) => `waiting-${k}`)
  await enqueueAll(join(data, 'annals.db'), names)
  for (let round = 0; round < kills; round++) {
    const portal = await startPortal(context, { data })
    // Some are recorded, and far from all.
    await sleep(Math.random() * 60)
    await portal.kill()
  }
  const before = storedLines(data).length
  await (await startPortal(context, { data })).stop()
  const targets = storedLines(data)
    .map((line) => readLine(Buffer.from(line)))
    .filter(({ code, event }) => code === '20201' && event['target'] !== 'admin')
    .map(({ event }) => event['target'])
  assert.deepEqual(targets, names)
  context.diagnostic(`${storedLines(data).length - before} entries were left for the last start`)
})

const waitingEvents = 2_000

async function enqueueAll(file: string, names: readonly string[]): Promise<void> {
  await using database = await openDatabase(file)
  await database.write.transaction().execute(async (transaction) => {
    for (const name of names) {
      const event = accountCreated(hostName, { actor: '*cli:test' }, name, 'user')
      await enqueue(transaction, { ...event, occurred: Date.now() * 1000 })
    }
  })
}

// Most of a command's time is the start of its process. So every other round takes the moments around the change, and
// the rest those just after it is made, while its event waits to be recorded.
async function someMoment(
  { output, process: child }: Command,
  round: number,
  wholeMs: number,
): Promise<void> {
  if (round % 2 === 0) return await sleep(wholeMs * (0.4 + (0.6 * (round + Math.random())) / kills))
  while (!output().includes('is made') && child.exitCode === null) await sleep(1)
  await sleep(Math.random() * 30 * round)
}

// Of the names, those that are accounts are those that the log says were made. Returns how many.
async function demandAgreement(
  context: TestContext,
  data: string,
  names: readonly string[],
): Promise<number> {
  const list = await annals(context, ['account', 'list', '--json', '--data', data])
  const accounts = new Set((JSON.parse(list) as { name: string }[]).map(({ name }) => name))
  const entries = storedLines(data).map((line) => readLine(Buffer.from(line)))
  for (const name of names) {
    const made = entries.filter(({ code, event }) => code === '20201' && event['target'] === name)
    assert.equal(made.length, accounts.has(name) ? 1 : 0, name)
  }
  assert.match(await annals(context, ['check', '--data', data]), /No fault was found/)
  const there = names.filter((name) => accounts.has(name)).length
  context.diagnostic(`${there} of ${names.length} accounts were made`)
  return there
}

async function timeOfAdding(context: TestContext, data: string): Promise<number> {
  const start = performance.now()
  await addAccount(context, data, { name: 'timed', password: 'Long-enough-1' }, 'user')
  return performance.now() - start
}

function adding(context: TestContext, data: string, name: string): Command {
  const args = ['account', 'add', name, '--password-file', '-', '--data', data]
  return startAnnals(context, args, { input: 'Long-enough-1\n' })
}
