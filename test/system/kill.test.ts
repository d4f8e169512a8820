// kill -9, again and again, at any moment while entries are being recorded: I1, I2, I4, I11.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { draftOf, parseLine } from '../../src/entry/line.ts'
import { checkLog } from '../../src/log/check.ts'
import { openLog } from '../../src/log/open.ts'
import { systemClock } from '../../src/ops/clock.ts'

const kills = Number(process.env['ANNALS_KILLS'] ?? 20)
const recorder = join(import.meta.dirname, 'recorder.ts')

interface Said {
  readonly entries: Map<number, string>
  readonly windows: { before: number; from: number; to: number; digest: string }[]
  rounds: number
}

/** Runs the recorder and kills it some time after it has opened the log, or while it does. */
async function killRound(data: string, round: number, said: Said): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', recorder, data, String(round)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const chunks: Buffer[] = []
  let killing = false
  const kill = (afterMs: number) => {
    if (killing) return
    killing = true
    setTimeout(() => child.kill('SIGKILL'), afterMs)
  }
  // Every fifth round dies while it starts.
  if (round % 5 === 4) kill(100 + Math.random() * 150)
  // Every other one may die before anything is recorded. The rest have something to lose, however slow the machine is.
  const least = round % 2 === 0 ? 0 : 400
  let saidLines = 0
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    saidLines += chunk.toString('latin1').split('\n').length - 1
    if (saidLines > least) kill(Math.random() * 400)
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]))
  })
  assert.equal(signal, 'SIGKILL', `the recorder ended by itself with ${code}`)
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
  if (lines.length > 0) said.rounds += 1
  for (const line of lines) {
    const [what, ...words] = line.split(' ')
    if (what === 'entry') said.entries.set(Number(words[0]), words[1] ?? '')
    const [before, from, to] = words.map(Number)
    if (what === 'window')
      said.windows.push({ before: before ?? 0, from: from ?? 0, to: to ?? 0, digest: words[3] ?? '' })
  }
}

test(`I1, I2, I4, I11: after ${kills} kills every acknowledged entry is there, in order, unchanged, and none twice`, async (context) => {
  const data = await mkdtemp(join(tmpdir(), 'annals-kill-'))
  const said: Said = { entries: new Map(), windows: [], rounds: 0 }
  for (let round = 0; round < kills; round++) await killRound(data, round, said)

  const log = await openLog({
    data,
    hostName: 'portal-01',
    component: 'Portal',
    clock: systemClock(),
    segmentBytes: 1024 * 1024,
  })
  const describe = () =>
    draftOf(
      { id: randomUUID(), via: 'http', by: 'x', code: '-', severity: 6, hostName: 'h', message: 'read' },
      log.id,
    )
  const snapshot = await log.read({}, describe)
  const bytes = Buffer.alloc(snapshot.bytes)
  await using reader = snapshot.open()
  for (let done = 0; done < bytes.length;) done += await reader.read(bytes.subarray(done), done)
  const entries = bytes
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => parseLine(Buffer.from(line)))

  for (const [position, id] of said.entries) assert.equal(entries[position]?.id, id, `position ${position}`)
  assert.equal(new Set(entries.map((entry) => entry.id)).size, entries.length, 'an event is there twice')
  for (const [position, entry] of entries.entries()) assert.equal(entry.position, position)

  for (const { before, from, to, digest } of said.windows) {
    const again = await log.read({ before, elapsed: 50_000 }, describe)
    assert.deepEqual([again.from, again.to], [from, to])
    const window = Buffer.alloc(again.bytes)
    await using windowReader = again.open()
    for (let done = 0; done < window.length;) done += await windowReader.read(window.subarray(done), done)
    assert.equal(createHash('sha256').update(window).digest('hex'), digest)
  }
  await log.close()
  const report = await checkLog({ data })
  assert.deepEqual(report.faults, [])
  // A test that was always too early or too late would prove nothing.
  assert.ok(said.rounds >= kills / 2 && said.entries.size > 100 * said.rounds)
  context.diagnostic(
    `${said.entries.size} acknowledged of ${entries.length} entries, ${said.windows.length} windows`,
  )
  await rm(data, { recursive: true })
})
