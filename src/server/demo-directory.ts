// The directory of a demo (`annals serve --demo`), apart from those of real nodes. A marker in it says what it is, and
// whether the made-up history is whole: a first start that was interrupted is begun anew. A demo takes no directory of
// anybody else's, and no other node takes a demo's or a part of it: what is made up must not pass for what happened.

import { dirname, join } from 'node:path'
import { AnnalsError } from '../errors.ts'
import { lockData } from '../log/lock.ts'
import { prepareDataDirectory } from '../ops/data-directory.ts'
import { realDisk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'

/** A demo's directory, held by this process until it is disposed of. */
export interface DemoDirectory extends Disposable {
  /** True where an earlier start has made the history of every node. */
  readonly isSeeded: boolean
  /** What the operator should know of the directory. */
  readonly warnings: readonly string[]
  /** Notes, durably, that the history of every node is there. */
  markSeeded(): Promise<void>
}

/**
 * Takes a directory for a demo, and makes it where it is not there. Throws INVALID_CONFIGURATION where there is
 * something in it and it is not a demo's, and LOG_LOCKED where a demo runs in it.
 */
export async function openDemoDirectory(data: string): Promise<DemoDirectory> {
  const warnings = await prepareDataDirectory(data, (path) => realDisk.makeDirectory(path))
  // Looked at before anything is written into what may be somebody else's.
  await demandDemo(data)
  const lock = lockData(data, demoCommand)
  try {
    const { seeded } = (await readMarker(data)) ?? (await writeMarker(data, { seeded: false }))
    return {
      isSeeded: seeded,
      warnings,
      markSeeded: async () => void (await writeMarker(data, { seeded: true })),
      [Symbol.dispose]: () => lock[Symbol.dispose](),
    }
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

/** Demands that a data directory is no demo's and no part of one. Throws INVALID_CONFIGURATION. */
export async function demandNoDemo(data: string): Promise<void> {
  if ((await readMarker(data)) !== undefined) {
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `${data} is the directory of a demo, and what is in it is made up: start it with "${demoCommand}", or name ` +
        'another data directory with --data',
    )
  }
  if ((await readMarker(dirname(data))) === undefined) return
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `${data} is a part of the demo in ${dirname(data)}, and what is in it is made up: start that with ` +
      `"${demoCommand}", or name another data directory with --data`,
  )
}

/** How a demo calls itself. */
const demoCommand = 'annals serve --demo'
const markerName = 'annals-demo.json'
const format = 'annals demo v1'

interface Marker {
  readonly seeded: boolean
}

async function demandDemo(data: string): Promise<void> {
  if ((await readMarker(data)) !== undefined) return
  if ((await realDisk.list(data)).every((name) => begun.test(name))) return
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `${data} is not empty, and is not a demo's: give the demo a directory of its own with --data`,
  )
}

// What a start leaves that ends before there is a marker.
const begun = /^(?:lock(?:\.holder(?:\.tmp)?)?|annals-demo\.json\.tmp)$/

// What cannot be read is none: it is looked for where real nodes are too, and must not keep them from starting.
async function readMarker(directory: string): Promise<Marker | undefined> {
  try {
    const bytes = await readWhole(realDisk, join(directory, markerName))
    const value = JSON.parse(bytes?.toString() ?? 'null') as { format?: unknown; seeded?: unknown } | null
    return value?.format === format ? { seeded: value.seeded === true } : undefined
  } catch {
    return undefined
  }
}

async function writeMarker(data: string, marker: Marker): Promise<Marker> {
  await replaceFile(
    realDisk,
    join(data, markerName),
    Buffer.from(`${JSON.stringify({ format, ...marker })}\n`),
  )
  return marker
}
