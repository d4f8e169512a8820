// What a demo's nodes have behind them when they start for the first time: a month of activity that never happened
// (`intake/demo-activity.ts`), imported as history is imported anywhere.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Micros } from '../entry/event.ts'
import { demoActivity, type DemoNode } from '../intake/demo-activity.ts'
import { importFiles } from '../intake/import.ts'
import { lockData } from '../log/lock.ts'
import { realDisk } from '../store/disk.ts'

/** A node of a demo, before it starts. */
export interface NewNode {
  readonly data: string
  readonly hostName: string
  /** As the node's own entries name it. */
  readonly component: string
  readonly activity: DemoNode
}

/**
 * Gives each node its history, which ends now. What an earlier attempt left of a node is removed. A crash at any moment
 * leaves something to begin anew, and nobody has been told of it.
 */
export async function makeHistories(
  nodes: readonly NewNode[],
  now: Micros,
  progress: (done: number, of: number) => void,
): Promise<void> {
  for (const [k, node] of nodes.entries()) {
    await makeHistory(node, now, (share) => progress(k + share, nodes.length))
  }
  progress(nodes.length, nodes.length)
}

const days = 30
/** One for all nodes, so that they tell one story, and the same in every demo. */
const seed = 1

async function makeHistory(node: NewNode, now: Micros, progress: (share: number) => void): Promise<void> {
  const { data, hostName, component, activity } = node
  await rm(data, { recursive: true, force: true })
  await realDisk.makeDirectory(data)
  using _lock = lockData(data, 'annals import')
  // The import ends with an entry that names the file.
  const file = join(data, 'demo-activity.log')
  const lines = [...demoActivity({ node: activity, end: now, days, seed })]
  await writeFile(file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
  await importFiles({
    data,
    files: [file],
    hostName,
    component,
    timeZone: 'UTC',
    actor: '*system',
    now,
    progress: (bytes, ofBytes) => progress(bytes / ofBytes),
  })
  await rm(file)
}
