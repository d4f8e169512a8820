// An answer about a whole log, its proof, the receipt of one entry, and kept tiles, as a server would have given them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { draftOf } from '../../../entry/line.ts'
import { selfEvent } from '../../../entry/self-event.ts'
import { formatMicros } from '../../../entry/time.ts'
import { entryProof, published } from '../../../http/published.ts'
import { openLog } from '../../../log/open.ts'
import { systemClock } from '../../../ops/clock.ts'
import { tilePath, widthIn } from '../../../tree/tile.ts'
import { temporaryDirectory } from '../../testing/annals-process.ts'
import { makeLog } from './made-log.ts'

/** Files of one answer. */
export interface MadeAnswer {
  readonly directory: string
  /** A file with the log's keys. */
  readonly keys: string
  readonly answer: string
  readonly proof: string
  /** Its lines, without their newlines. */
  readonly lines: readonly string[]
  readonly receipt: string
  /** The line of the receipt. */
  readonly line: string
  /** A directory with tiles of the whole log. */
  readonly tiles: string
}

/** Makes them. */
export async function makeAnswer(context: TestContext): Promise<MadeAnswer> {
  const { data, keys } = await makeLog(context)
  const directory = temporaryDirectory(context)
  const place = (name: string) => join(directory, name)
  await using log = await openLog({
    data,
    hostName: 'portal-01',
    component: 'Portal',
    minFreeBytes: 0,
    clock: systemClock(),
  })
  const { mark = 0, ...snapshot } = await log.read({}, ({ end, from, to, bytes }) => {
    const fields = {
      start: '-',
      end: formatMicros(end),
      from: String(from),
      to: String(to),
      bytes: String(bytes),
    }
    return draftOf(selfEvent({ code: 29001, actor: 'admin', hostName: 'portal-01', fields }), log.id)
  })
  const body = Buffer.alloc(snapshot.bytes)
  await using reader = snapshot.open()
  for (let done = 0; done < body.length;) done += await reader.read(body.subarray(done), done)
  const lines = body.toString().split('\n').slice(0, -1)
  writeFileSync(place('answer.log'), body)
  writeFileSync(place('answer.proof'), await published(log, `reads/${mark}/proof`))
  writeFileSync(place('receipt'), (await entryProof(log, 5, { witnessed: false })) ?? '')
  const { note, size } = await log.proofs.covering(mark + 1)
  const keep = (name: string, bytes: Buffer | string) => {
    mkdirSync(dirname(place(`tiles/${name}`)), { recursive: true })
    writeFileSync(place(`tiles/${name}`), bytes)
  }
  keep('checkpoint', note)
  keep('positions', `0-${lines.length}\n`)
  for (let level = 0; widthIn(size, level, 0) > 0; level += 1)
    for (let index = 0; widthIn(size, level, index) > 0; index += 1) {
      const width = widthIn(size, level, index)
      keep(`tile/${tilePath(level, index, width)}`, (await log.proofs.tile({ level, index, width })) ?? '')
    }
  const files = {
    answer: place('answer.log'),
    proof: place('answer.proof'),
    receipt: place('receipt'),
    tiles: place('tiles'),
  }
  return { directory, keys, lines, line: lines[5] ?? '', ...files }
}
