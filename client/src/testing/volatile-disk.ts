// A disk that forgets what was not synced: contents without `datasync`, names without a sync of their directory. What
// happens goes to real files, and beside it is noted what would be there after a power cut.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

/** A disk of which the power can be cut. */
export interface VolatileDisk {
  readonly openFile: typeof open
  /** Makes a directory as a power cut would leave another one. */
  cut(from: string, to: string): void
}

/** Watches what is synced. */
export function volatileDisk(): VolatileDisk {
  const names = new Map<string, ReadonlyMap<string, string>>()
  const contents = new Map<string, Buffer>()
  const cutEntry = (which: string, to: string): void => {
    const entries = names.get(which)
    if (entries === undefined) return writeFileSync(to, contents.get(which) ?? '')
    mkdirSync(to)
    for (const [name, inner] of entries) cutEntry(inner, join(to, name))
  }
  return {
    openFile: async (path, flags, mode) => {
      const handle = await open(path, flags, mode)
      const at = String(path)
      return watched(handle, {
        sync: async () => {
          await handle.sync()
          const entries = readdirSync(at).map((name) => [name, identity(join(at, name))] as const)
          names.set(identity(at), new Map(entries))
        },
        datasync: async () => {
          await handle.datasync()
          contents.set(identity(at), readFileSync(at))
        },
      })
    },
    cut: (from, to) => cutEntry(identity(from), to),
  }
}

// Names change, and inodes are used again.
function identity(path: string): string {
  const { ino, birthtimeNs } = statSync(path, { bigint: true })
  return `${ino} ${birthtimeNs}`
}

function watched(handle: FileHandle, changed: Pick<FileHandle, 'sync' | 'datasync'>): FileHandle {
  return new Proxy(handle, {
    get: (_, name) => {
      if (name === 'sync' || name === 'datasync') return changed[name]
      const value: unknown = Reflect.get(handle, name, handle)
      return typeof value === 'function' ? value.bind(handle) : value
    },
  })
}
