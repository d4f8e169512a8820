// A log on a real disk for tests of `annals verify`, with its keys and what it signed last.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { draftOf } from '../../../entry/line.ts'
import { selfEvent } from '../../../entry/self-event.ts'
import { noteKeysOf, readDescription } from '../../../log/description.ts'
import { openLog } from '../../../log/open.ts'
import { systemClock } from '../../../ops/clock.ts'
import { realDisk } from '../../../store/disk.ts'
import { formatVkey } from '../../../tree/note-key.ts'
import { temporaryDirectory } from '../../testing/annals-process.ts'

/** Where a log lies, and what is known of it. */
export interface MadeLog {
  /** The data directory. */
  readonly data: string
  /** The log's own. */
  readonly log: string
  /** A file with its keys, one a line. */
  readonly keys: string
  readonly vkeys: readonly string[]
  readonly id: string
  /** Its lines, without their newlines. */
  readonly lines: readonly string[]
  /** The paths of its segments. */
  readonly segments: readonly string[]
}

/** Makes a log of some 700 entries in two segments, which is closed. */
export async function makeLog(context: TestContext): Promise<MadeLog> {
  const data = temporaryDirectory(context)
  {
    await using log = await openLog({
      data,
      hostName: 'portal-01',
      component: 'Portal',
      minFreeBytes: 0,
      segmentBytes: 64 * 1024,
      clock: systemClock(),
    })
    const event = () => selfEvent({ code: 20004, actor: '*system', hostName: 'portal-01' })
    for (let turn = 0; turn < 7; turn += 1)
      await Promise.all(Array.from({ length: 100 }, () => log.record(draftOf(event(), log.id))))
  }
  return await describe(data)
}

async function describe(data: string): Promise<MadeLog> {
  const log = join(data, 'log')
  const description = await readDescription(realDisk, log)
  if (description === undefined) throw new Error('no log was made')
  const vkeys = noteKeysOf(description).map(formatVkey)
  const keys = join(data, 'keys')
  writeFileSync(keys, `# of the portal\n${vkeys.join('\n')}\n`)
  const segments = readdirSync(join(log, 'segments'))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(log, 'segments', name))
  const lines = segments.flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1))
  return { data, log, keys, vkeys, id: description.id, lines, segments }
}
