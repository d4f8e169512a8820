// How many datagrams of a UDP socket the kernel threw away because nobody had read those before: Linux says it in
// /proc/net/udp and udp6, in the last column of the socket's row.

import { readdir, readFile, readlink } from 'node:fs/promises'

/** What the kernel dropped of one socket. */
export interface KernelDrops {
  /** How many more since the last call. */
  take(): Promise<number>
}

/** Finds the socket of this process that is bound to a UDP port; undefined where the kernel does not tell. */
export async function openKernelDrops(port: number): Promise<KernelDrops | undefined> {
  const own = await ownSockets()
  for (const file of ['/proc/self/net/udp', '/proc/self/net/udp6']) {
    const row = (await rowsOf(file)).find((row) => row.port === port && own.has(row.inode))
    if (row !== undefined) return drops(file, row)
  }
  return undefined
}

/** One socket. */
export interface UdpRow {
  readonly port: number
  readonly inode: string
  readonly drops: number
}

/** Reads the table of sockets, its head included. */
export function parseUdpTable(text: string): UdpRow[] {
  const rows: UdpRow[] = []
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , , , , , , , inode, , , drops] = line.trim().split(/\s+/)
    if (inode === undefined || drops === undefined) continue
    rows.push({ port: Number.parseInt(local.slice(local.indexOf(':') + 1), 16), inode, drops: Number(drops) })
  }
  return rows
}

function drops(file: string, { inode, drops }: UdpRow): KernelDrops {
  let known = drops
  return {
    async take() {
      const now = (await rowsOf(file)).find((row) => row.inode === inode)?.drops ?? known
      // The kernel counts in 32 bits.
      const more = (now - known + 2 ** 32) % 2 ** 32
      known = now
      return more
    },
  }
}

async function rowsOf(file: string): Promise<UdpRow[]> {
  try {
    return parseUdpTable(await readFile(file, 'latin1'))
  } catch {
    // Not Linux, or not mounted: nothing is told.
    return []
  }
}

// The inodes of the sockets that this process has.
async function ownSockets(): Promise<Set<string>> {
  const inodes = new Set<string>()
  for (const name of await readdir('/proc/self/fd').catch(() => [])) {
    // Some have been closed meanwhile.
    const target = await readlink(`/proc/self/fd/${name}`).catch(() => '')
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  return inodes
}
