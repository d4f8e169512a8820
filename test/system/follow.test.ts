// Followed files: an engine that is killed again and again while a program writes and rotates its log.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditLine, readLine } from '../conformance/audit-line.ts'
import { ask } from '../conformance/wire.ts'
import { entriesOf, launchEngine, startEngine } from './engine-process.ts'
import { LogWriter } from './log-writer.ts'
import { temporaryDirectory, until, whenReady } from './portal-process.ts'

const kills = Number(process.env['ANNALS_FOLLOW_KILLS'] ?? 8)
const hostName = 'engine-01'

function follow(directory: string, ...args: readonly string[]) {
  const [data, file] = [join(directory, 'data'), join(directory, 'app', 'audit.log')]
  return { data, file, options: { data, hostName, args: ['--follow', file, ...args] } }
}

/** What an engine needs to follow a log, and who writes it. */
function followWriter(context: TestContext) {
  const directory = temporaryDirectory(context)
  mkdirSync(join(directory, 'app'))
  const followed = follow(directory)
  return { ...followed, writer: new LogWriter(followed.file, Math.random) }
}

/** The entries of a log that is being written, as far as they are there as a whole. */
function entriesSoFar(data: string): AuditLine[] {
  const directory = join(data, 'log', 'segments')
  if (!existsSync(directory)) return []
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().flatMap((name) => {
    const bytes = readFileSync(join(directory, name))
    const lines = bytes
      .subarray(0, bytes.lastIndexOf(0x0a) + 1)
      .toString('latin1')
      .split('\n')
      .slice(0, -1)
    return lines.map((line) => readLine(Buffer.from(line, 'latin1')))
  })
}

// Of a log of any size: reading all of its entries again and again would take the time that the engine needs.
function countFromFiles(data: string): number {
  const directory = join(data, 'log', 'segments')
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.reduce((sum, name) => {
    const text = readFileSync(join(directory, name), 'latin1')
    return sum + text.split('" via="file" by="').length - 1
  }, 0)
}

// How far the only file has been read, as it is kept for the next start.
function keptOffset(data: string): number | undefined {
  const text = readFileSync(join(data, 'follow', 'places.json'), 'utf8')
  return (JSON.parse(text) as { places: { offset: number }[] }).places[0]?.offset
}

function numbersIn(entries: readonly AuditLine[]): number[] {
  return entries
    .filter(({ audit }) => audit['via'] === 'file')
    .map(({ message }) => Number(/ number (\d+)$/.exec(message.toString())?.[1]))
}

function lossesIn(entries: readonly AuditLine[]): string[] {
  return entries.filter(({ code }) => code === '29073').map(({ message }) => message.toString())
}

test(`I4: after ${kills} kills, with rotation going on, every line of a followed file is there once, in order`, async (context) => {
  const { data, options, writer } = followWriter(context)
  // What was rotated away before it has been followed for the first time is not looked for.
  writer.write(10)
  const first = await startEngine(context, options)
  await until(() => countFromFiles(data) > 0)
  await first.kill()
  const killed = await writeAndKill(context, options, kills, (ticks) => {
    writer.write(Math.floor(Math.random() * 100))
    if (ticks % 23 === 0) writer.rotate()
    else if (ticks % 31 === 0) writer.restart()
  })
  writer.close()
  const { count, rotations } = writer
  const engine = await startEngine(context, options)
  while (countFromFiles(data) < count) await sleep(200)
  // What would be there twice has the time to come.
  await sleep(1_500)
  await engine.stop()
  const entries = entriesOf({ data })
  assert.deepEqual(lossesIn(entries), [])
  assert.deepEqual(firstDifference(numbersIn(entries), count), 'none')
  assert.equal(killed, kills, 'an engine ended by itself')
  assert.ok(rotations >= kills / 2, `only ${rotations} rotations`)
  context.diagnostic(`${count} lines, ${rotations} rotations, ${kills} kills`)
})

// Writes all the time, and kills an engine again and again. How often it was the kill that ended it.
async function writeAndKill(
  context: TestContext,
  options: Parameters<typeof launchEngine>[1],
  rounds: number,
  write: (ticks: number) => void,
): Promise<number> {
  const end = new AbortController()
  const writing = (async () => {
    for (let ticks = 1; !end.signal.aborted; ticks++) {
      write(ticks)
      await sleep(20)
    }
  })()
  context.after(async () => {
    end.abort()
    await writing
  })
  let killed = 0
  for (let round = 0; round < rounds; round++) {
    const command = launchEngine(context, options)
    // Every fourth dies while it starts.
    if (round % 4 === 3) await sleep(300 + Math.random() * 700)
    else await whenReady(command)
    await sleep(Math.random() * 600)
    command.process.kill('SIGKILL')
    if ((await command.ended).exitCode === undefined) killed += 1
  }
  end.abort()
  await writing
  return killed
}

// A difference of a hundred thousand numbers is not for reading.
function firstDifference(numbers: readonly number[], count: number): string {
  const at = numbers.findIndex((number, k) => number !== k)
  if (at !== -1) return `at ${at}: ${numbers.slice(Math.max(0, at - 3), at + 4).join(' ')}`
  return numbers.length === count ? 'none' : `${numbers.length} instead of ${count}`
}

test('I7: with copy and truncate what is there is recorded at least once, and what may be lost is an entry', async (context) => {
  const { data, options, file, writer } = followWriter(context)
  const engine = await startEngine(context, options)
  for (let round = 1; round <= 3; round++) {
    writer.write(500)
    writer.flush()
    await until(() => new Set(numbersIn(entriesSoFar(data))).size === writer.count)
    writer.copyAndTruncate()
    await until(() => lossesIn(entriesSoFar(data)).length === round)
  }
  // Truncated, and grown again, while nobody looks.
  writer.write(100)
  writer.flush()
  await until(() => new Set(numbersIn(entriesSoFar(data))).size === writer.count)
  await until(() => keptOffset(data) === statSync(file).size)
  await engine.kill()
  writer.copyAndTruncate()
  writer.write(400)
  writer.close()
  const again = await startEngine(context, options)
  await until(() => new Set(numbersIn(entriesSoFar(data))).size === writer.count)
  await again.stop()
  const losses = lossesIn(entriesOf({ data }))
  assert.equal(losses.length, 4)
  for (const loss of losses) assert.match(loss, /audit\.log may have been lost - the file was truncated/)
})

test(`I7: after ${kills} kills, with copying and truncating going on, every line is there at least once`, async (context) => {
  const { data, options, file, writer } = followWriter(context)
  writer.write(10)
  const first = await startEngine(context, options)
  await until(() => countFromFiles(data) > 0)
  await first.kill()
  const killed = await writeAndKill(context, options, kills, (ticks) => {
    writer.write(Math.floor(Math.random() * 100))
    if (ticks % 47 === 0) writer.copyAndTruncate()
  })
  writer.flush()
  const engine = await startEngine(context, options)
  await until(() => keptOffset(data) === statSync(file).size)
  // One more that is seen: whatever was copied before lies beside.
  const said = lossesIn(entriesSoFar(data)).length
  writer.copyAndTruncate()
  await until(() => lossesIn(entriesSoFar(data)).length > said)
  writer.write(10)
  writer.close()
  const { count, rotations } = writer
  while (new Set(numbersIn(entriesSoFar(data))).size < count) await sleep(500)
  await engine.stop()
  const entries = entriesOf({ data })
  const losses = lossesIn(entries)
  for (const loss of losses) assert.match(loss, /audit\.log may have been lost - the file was truncated/)
  assert.ok(losses.length <= rotations, losses.join('; '))
  assert.equal(killed, kills, 'an engine ended by itself')
  const doubled = numbersIn(entries).length - count
  context.diagnostic(`${count} lines, ${rotations} truncations, ${losses.length} entries, ${doubled} doubled`)
})

test('L5: JSON lines become what a mapping says, and the forms of syslog are read beside them', async (context) => {
  const directory = temporaryDirectory(context)
  mkdirSync(join(directory, 'app'))
  const mappings = join(directory, 'mappings.yaml')
  writeFileSync(
    mappings,
    `- pattern: app/*.json
  fields:
    code: $.event
    component: Shop
    actor: $.user.name
    message: $.msg
    occurred: $.time
  details: rest
`,
  )
  const json = { event: 7001, user: { name: 'jdoe', id: 4 }, msg: 'Order placed', time: 1_767_225_600_000 }
  writeFileSync(join(directory, 'app', 'shop.json'), `${JSON.stringify(json)}\nno JSON\n`)
  writeFileSync(
    join(directory, 'app', 'audit.log'),
    [
      '<110>1 2025-12-10T07:34:00.267655Z far app 900 10001 [origin ip="10.2.0.2"] one',
      'Dec 10 08:06:26 far app[800]: two',
      '2025-12-10T08:31:35+01:00 far app: three',
      'four',
      '',
    ].join('\n'),
  )
  const { data, options } = follow(
    directory,
    '--follow',
    join(directory, 'app', '*.json'),
    '--follow-mapping-file',
    mappings,
  )
  const engine = await startEngine(context, options)
  const ofFiles = () => entriesSoFar(data).filter(({ audit }) => audit['via'] === 'file')
  await until(() => ofFiles().length === 6)
  const { body } = await ask(engine, '/metrics')
  assert.match(body.toString(), /^annals_followed_files 2$/m)
  await engine.stop()
  const texts = ofFiles().map(({ message }) => message.toString())
  assert.deepEqual(
    texts.filter((text) => !text.includes('JSON') && !text.includes('Shop')),
    ['one', 'two', 'three', 'four'],
  )
  const shop = ofFiles().find(({ code }) => code === '7001')
  assert.equal(shop?.message.toString(), '[Shop|7001|jdoe] Order placed')
  assert.equal(shop?.audit['occurred'], '2026-01-01T00:00:00.000000Z')
  assert.deepEqual(shop?.detail, { 'user.id': '4' })
  const unreadable = ofFiles().filter(({ detail }) => detail['unreadable'] !== undefined)
  assert.deepEqual(unreadable.map(({ message }) => message.toString()).sort(), ['four', 'no JSON'])
})
