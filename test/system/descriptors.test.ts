// What clients that misbehave cost: those that leave in the middle of an answer, and those that stop reading it.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditLine, readLines } from '../conformance/audit-line.ts'
import { ask, dial, requestText } from '../conformance/wire.ts'
import { writeLargeLog } from './fixture.ts'
import { administrator, annals, hostName, type PortalProcess } from './portal-process.ts'
import { startPortal, temporaryDirectory, until } from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'

test('two hundred downloads that are left half-way leave no descriptor open, and are entries', async (context) => {
  const portal = await largePortal(context)
  // The log's files are open, and the account is remembered.
  await ask(portal, path, { credentials: administrator, method: 'HEAD' })
  await settled(portal)
  const before = descriptors(portal.pid)
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 20 }, async (_, k) => {
        const socket = await begin(portal, k % 4 === 3 ? ['Accept-Encoding: zstd'] : [])
        socket.destroy()
      }),
    )
  }
  await until(async () => (await brokenTransfers(portal)) >= 200)
  assert.equal(await brokenTransfers(portal), 200)
  // A connection that a client has left is closed a moment later.
  await until(() => descriptors(portal.pid) <= before)
  const [last] = (await lastEntries(portal)).filter(({ code }) => code === '29003')
  assert.ok(Number(last?.event['sent']) < Number(last?.event['bytes']))
  assert.equal((await portal.stop()).exitCode, 0)
})

test('R7: clients that stop reading cost a bounded amount of memory, and are cut off', async (context) => {
  const portal = await largePortal(context, ['--answer-stall-seconds', '3'])
  await ask(portal, path, { credentials: administrator, method: 'HEAD' })
  const before = residentBytes(portal.pid)
  let peak = before
  const watching = setInterval(() => (peak = Math.max(peak, residentBytes(portal.pid))), 50)
  context.after(() => clearInterval(watching))
  const sockets = await Promise.all(
    Array.from({ length: 20 }, (_, k) => begin(portal, k % 4 === 3 ? ['Accept-Encoding: gzip'] : [])),
  )
  await until(async () => (await brokenTransfers(portal)) >= 20)
  clearInterval(watching)
  // Two buffers of 1 MiB for each, and what the process itself may breathe: not the 20 × 38 MB that they asked for.
  context.diagnostic(`${Math.round((peak - before) / mebibyte)} MiB for 20 stalled clients`)
  assert.ok(peak - before < 20 * 2 * mebibyte + 120 * mebibyte, `${peak - before} bytes more`)
  // They see that something is missing.
  for (const received of await Promise.all(sockets.map(drain))) assert.ok(received < 30 * mebibyte)
  const broken = (await lastEntries(portal)).filter(({ code }) => code === '29003')
  assert.deepEqual(new Set(broken.map(({ event }) => event['reason'])), new Set(['stalled']))
  assert.equal(broken.length, 20)
  assert.equal((await portal.stop()).exitCode, 0)
})

const mebibyte = 1024 * 1024

async function largePortal(context: TestContext, args: readonly string[] = []): Promise<PortalProcess> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'data')
  const file = writeLargeLog(join(directory, 'large.log'), 40_000)
  await annals(context, ['import', '--data', data, '--host-name', hostName, file])
  return await startPortal(context, { data, args })
}

// Asks for the whole log, takes the first bytes, and no more.
async function begin(portal: PortalProcess, lines: readonly string[]): Promise<Socket> {
  const socket = await dial(portal)
  // Being cut off may come as a reset.
  socket.on('error', () => undefined)
  socket.write(requestText(path, administrator, lines))
  await new Promise<void>((resolve) => {
    socket.once('data', () => {
      socket.pause()
      resolve()
    })
  })
  return socket
}

async function drain(socket: Socket): Promise<number> {
  socket.resume()
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return socket.bytesRead
}

// Connections of earlier requests are closed, and their files with them.
async function settled({ pid }: PortalProcess): Promise<void> {
  let before = -1
  await until(async () => {
    const now = descriptors(pid)
    const isSame = now === before
    before = now
    if (!isSame) await sleep(200)
    return isSame
  })
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

async function brokenTransfers(portal: PortalProcess): Promise<number> {
  const { body } = await ask(portal, '/metrics')
  const counts = body.toString().matchAll(/^annals_http_broken_transfers_total\{.*\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

async function lastEntries(portal: PortalProcess): Promise<AuditLine[]> {
  const { body } = await ask(portal, `${path}?elapsed_hours=1`, { credentials: administrator })
  return readLines(body)
}
