// A directory with log files, and what following them has recorded. The intake is one that can be told to have no room.

import { mkdtempSync, rmSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent } from '../../../entry/event.ts'
import { realDisk, type Disk } from '../../../store/disk.ts'
import { type FollowedFiles, followFiles, type FollowOptions } from '../follow-files.ts'
import type { FollowTiming } from '../timing.ts'

/** Times for tests: nobody waits. */
export const quick: FollowTiming = {
  lookMs: 5,
  restLookMs: 10,
  restMs: 500,
  letGoMs: 2_000,
  scanMs: 15,
  saveMs: 5,
  settleMs: 150,
  rotatedMs: 600,
  removedMs: 300,
  retryMs: 20,
  stopMs: 300,
}

/** A stage for following. */
export interface Stage {
  readonly directory: string
  /** All that was delivered, in order; what was delivered twice is there twice. */
  readonly events: AuditEvent[]
  /** The node's own entries. */
  readonly own: AuditEvent[]
  /** What the operator was told. */
  readonly said: string[]
  /** While it is true, nothing can be recorded. */
  isFull: boolean
  path(name: string): string
  follow(options?: Partial<FollowOptions>): Promise<FollowedFiles>
  /** The messages as text. */
  messages(): string[]
}

/** Prepares one. */
export function stage(context: TestContext): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'annals-follow-'))
  const running: FollowedFiles[] = []
  context.after(async () => {
    for (const each of running) await each[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })
  const [events, own, said]: [AuditEvent[], AuditEvent[], string[]] = [[], [], []]
  const say = (_: object, message: string) => void said.push(message)
  const self: Stage = {
    directory,
    events,
    own,
    said,
    isFull: false,
    path: (name) => join(directory, name),
    messages: () => events.map(textOf),
    async follow(options = {}) {
      const followed = await followFiles({
        patterns: [join(directory, 'audit.log')],
        mappings: [],
        directory: join(directory, 'state'),
        except: join(directory, 'state'),
        disk: realDisk,
        intake: {
          hostName: 'engine-01',
          component: 'engine-01',
          async deliverAll(some, signal) {
            while (self.isFull) await sleep(5, undefined, { signal })
            // As bytes are only good until this returns.
            events.push(...some.map((event) => ({ ...event, message: bytesOf(event.message) })))
          },
        },
        timeZone: 'UTC',
        clock: {
          wallMicros: () => Date.now() * 1000,
          monotonicMicros: () => Math.floor(performance.now() * 1000),
        },
        logger: { info: () => undefined, warn: say, error: say },
        recordSelf: async (event) => void own.push(event),
        timing: quick,
        ...options,
      })
      running.push(followed)
      return followed
    },
  }
  return self
}

function bytesOf(message: string | Uint8Array): Buffer {
  return Buffer.from(message)
}

/** An event's message as text. */
export function textOf({ message }: AuditEvent): string {
  return typeof message === 'string' ? message : Buffer.from(message).toString()
}

/** A disk on which nothing can be replaced from some moment on. */
export function brokenDisk(): Disk & { isBroken: boolean } {
  const disk = {
    ...realDisk,
    isBroken: false,
    async rename(from: string, to: string) {
      if (disk.isBroken) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      await realDisk.rename(from, to)
    },
  }
  return disk
}

/** Waits until something is so. Bounded by the test's own time limit alone. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5)
}

/** Does `work` the next time that a path is opened, just before that: what happens between a look and the opening. */
export function beforeOpening(context: TestContext, path: string, work: () => Promise<void>): void {
  const { open } = fs
  const restore = () => {
    fs.open = open
    syncBuiltinESMExports()
  }
  context.after(restore)
  fs.open = async (opened, flags, mode) => {
    if (opened === path) {
      restore()
      await work()
    }
    return await open(opened, flags, mode)
  }
  syncBuiltinESMExports()
}
