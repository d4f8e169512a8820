// A log on a disk of the tests' own, with clocks that the test sets.

import { randomUUID } from 'node:crypto'
import type { AuditEvent, Draft, Micros } from '../../entry/event.ts'
import { draftOf } from '../../entry/line.ts'
import { FaultyDisk } from '../../store/testing/faulty-disk.ts'
import type { AuditLog, ReadPlace } from '../audit-log.ts'
import type { Clock } from '../clock.ts'
import { type OpenOptions, openLog } from '../open.ts'

/** 2026-01-01T00:00:00Z. */
export const newYear: Micros = 1_767_225_600_000_000

/** A clock that goes only when it is told to. */
export class TestClock implements Clock {
  wall: Micros = newYear
  monotonic: Micros = 0

  wallMicros(): Micros {
    return this.wall
  }

  monotonicMicros(): Micros {
    return this.monotonic
  }

  /** Time passes. */
  pass(micros: Micros): void {
    this.wall += micros
    this.monotonic += micros
  }

  /** Somebody sets the clock. */
  step(micros: Micros): void {
    this.wall += micros
  }
}

/** Opens a log on a disk; by default on a new one, with small segments. */
export async function openTestLog(
  options: Partial<OpenOptions> & { disk?: FaultyDisk; clock?: TestClock } = {},
): Promise<{ log: AuditLog; disk: FaultyDisk; clock: TestClock; failures: unknown[] }> {
  const disk = options.disk ?? new FaultyDisk()
  const clock = options.clock ?? new TestClock()
  const failures: unknown[] = []
  const log = await openLog({
    data: '/data',
    hostName: 'portal-01',
    component: 'Portal',
    minFreeBytes: 0,
    roomCheckMs: 5,
    segmentBytes: 128 * 1024,
    observer: { failed: (error) => failures.push(error) },
    ...options,
    disk,
    clock,
  })
  return { log, disk, clock, failures }
}

/** An event of an application's. */
export function eventOf(text: string, id: string = randomUUID()): AuditEvent {
  return {
    id,
    via: 'http',
    by: 'recorder',
    code: '20101',
    severity: 6,
    hostName: 'app-01',
    actor: 'jdoe',
    message: `[Portal|LOGIN|20101|jdoe] ${text}`,
  }
}

/** A draft of an event of an application's. */
export function draft(log: AuditLog, text: string, id?: string): Draft {
  return draftOf(eventOf(text, id), log.id)
}

/** Records texts one after the other, each in a batch of its own; time passes between them. */
export async function recordEach(log: AuditLog, clock: TestClock, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    clock.pass(1000)
    await log.record(draft(log, text))
  }
}

/** Records many texts at once. */
export async function recordAll(log: AuditLog, texts: readonly string[]): Promise<void> {
  await Promise.all(texts.map((text) => log.record(draft(log, text))))
}

/** What a read says of itself in the tests. */
export function readDraft(log: AuditLog): (read: ReadPlace) => Draft {
  return ({ from, to }) => draft(log, `read ${from}-${to}`)
}

/** All lines of a window. */
export async function linesOf(
  log: AuditLog,
  window: Parameters<AuditLog['read']>[0] = {},
): Promise<string[]> {
  const snapshot = await log.read(window, readDraft(log))
  return (await bytesOf(snapshot)).toString().split('\n').slice(0, -1)
}

/** All bytes of a snapshot, read in small pieces. */
export async function bytesOf(snapshot: Awaited<ReturnType<AuditLog['read']>>): Promise<Buffer> {
  await using reader = snapshot.open()
  const all = Buffer.alloc(snapshot.bytes)
  for (let done = 0; done < all.length;) done += await reader.read(all.subarray(done, done + 1000), done)
  return all
}

/** The texts of lines as `draft` made them. */
export function textsOf(lines: readonly string[]): string[] {
  return lines.map((line) => / \[Portal\|LOGIN\|20101\|jdoe\] (.*)$/.exec(line)?.[1] ?? line)
}

/** `prefix 0`, `prefix 1`, … */
export function texts(count: number, prefix = 'event'): string[] {
  return Array.from({ length: count }, (_, k) => `${prefix} ${k}`)
}
