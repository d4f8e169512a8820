// The lines of a log for tests of verifiers, one a second.

import type { LogId } from '../../entry/event.ts'
import { draftOf, renderLine } from '../../entry/line.ts'
import { selfEvent } from '../../entry/self-event.ts'
import { rootOf } from '../../tree/compact-range.ts'
import { type Hash, leafHash } from '../../tree/hash.ts'

/** The log's id. */
export const logName = 'portal-01-abcdefghijklmnop' as LogId

/** The origin of its checkpoints. */
export const originOfTests = `portal-01/audit-trail/api/v2/logs/${logName}`

const begin = Date.UTC(2026, 0, 1) * 1000

/** The first `count` lines of a log, without their newlines. */
export function logLines(count: number): string[] {
  const event = selfEvent({ code: 20004, actor: '*system', hostName: 'portal-01' })
  return Array.from({ length: count }, (_, position) =>
    renderLine(draftOf(event, logName), { position, time: begin + position * 1_000_000 }),
  )
}

/** The root of the tree over lines. */
export function rootOfLines(lines: readonly string[]): Hash {
  return rootOf(lines.map((line) => leafHash(line)))
}
