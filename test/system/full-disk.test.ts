// A disk that is really full: a small tmpfs, which only root can mount. In CI it must be there; elsewhere the test
// says loudly that it did not run.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { draftOf } from '../../src/entry/line.ts'
import type { AuditLog } from '../../src/log/audit-log.ts'
import { checkLog } from '../../src/log/check.ts'
import { openLog } from '../../src/log/open.ts'
import { systemClock } from '../../src/ops/clock.ts'
import { until } from './portal-process.ts'

const isRoot = process.getuid?.() === 0
const reason = 'NOT RUN: it mounts a tmpfs, which needs root'

function mount(megabytes: number): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'annals-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', path])
      rmSync(path, { recursive: true })
    },
  }
}

function draft(log: AuditLog, text: string) {
  return draftOf(
    {
      id: randomUUID(),
      via: 'http',
      by: 'test',
      code: '1',
      severity: 6,
      hostName: 'h',
      message: `[A|B|1|c] ${text}`,
    },
    log.id,
  )
}

async function textOf(log: AuditLog): Promise<{ text: string; recorded: boolean }> {
  const snapshot = await log.read({}, () => draft(log, 'read'))
  await using reader = snapshot.open()
  const bytes = Buffer.alloc(snapshot.bytes)
  for (let done = 0; done < bytes.length;) done += await reader.read(bytes.subarray(done), done)
  return { text: bytes.toString(), recorded: snapshot.mark !== undefined }
}

async function fill(log: AuditLog): Promise<string[]> {
  const acknowledged: string[] = []
  for (let k = 0; ; k++) {
    const text = `event ${k} ${'x'.repeat(20_000)}`
    try {
      await log.record(draft(log, text))
      acknowledged.push(`event ${k} x`)
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'STORAGE_FULL')
      return acknowledged
    }
  }
}

for (const [name, minFreeBytes] of [
  ['I9: below the low mark', 4 * 1024 * 1024],
  ['I9: at ENOSPC itself', 0],
] as const) {
  test(
    `${name}, recording is refused, the entry that says so is in the log, reading goes on, and recording resumes`,
    { skip: !isRoot && process.env['CI'] === undefined ? reason : false },
    async () => {
      using disk = mount(24)
      const ballast = join(disk.path, 'ballast')
      writeFileSync(ballast, Buffer.alloc(12 * 1024 * 1024))
      const data = join(disk.path, 'data')
      const log = await openLog({
        data,
        hostName: 'portal-01',
        component: 'Portal',
        clock: systemClock(),
        minFreeBytes,
        roomCheckMs: 20,
      })
      const acknowledged = await fill(log)
      assert.ok(acknowledged.length > 100)
      await assert.rejects(log.record(draft(log, `refused ${'x'.repeat(20_000)}`)), { code: 'STORAGE_FULL' })
      const full = await textOf(log)
      // Without a low mark, what is small may find room where what is large did not, and recording resumes for it.
      if (minFreeBytes > 0) assert.equal(full.recorded, false)
      for (const text of acknowledged) assert.ok(full.text.includes(text))
      if (minFreeBytes > 0) assert.match(full.text, /\|29016\|/)

      rmSync(ballast)
      await until(() => log.status().recording === 'accepting')
      await log.record(draft(log, 'after'))
      const { text, recorded } = await textOf(log)
      assert.equal(recorded, true)
      for (const each of acknowledged) assert.ok(text.includes(each))
      assert.ok(text.indexOf('|29016|') < text.indexOf('|29017|'))
      assert.match(text, /] after\n/)
      await log.close()
      assert.deepEqual((await checkLog({ data })).faults, [])
    },
  )
}
