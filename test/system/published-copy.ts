// A copy of what a log publishes, as files (C2SP tlog-tiles): fetched from a node as an auditor does, or made of entries
// and keys, as somebody does who has stolen the keys.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rootOf } from '../../src/tree/compact-range.ts'
import { bytesOfHash, leafHashOfBytes } from '../../src/tree/hash.ts'
import type { NoteSigner } from '../../src/tree/note-key.ts'
import { signedCheckpoint } from '../../src/tree/signed-checkpoint.ts'
import { formatBundle, leavesPerHash, tilePath, tileWidth, widthIn } from '../../src/tree/tile.ts'
import { ask, type Credentials, type Server } from '../conformance/wire.ts'

/** The paths of all tiles and bundles of a log of so many entries. */
export function publishedPaths(size: number): string[] {
  const levels = [0, 1, 2, 3].filter((level) => leavesPerHash(level) <= size)
  return [...levels, 'entries' as const].flatMap((level) => {
    const hashes = level === 'entries' ? size : Math.floor(size / leavesPerHash(level))
    return Array.from({ length: Math.ceil(hashes / tileWidth) }, (_, index) =>
      join('tile', tilePath(level, index, widthIn(size, level, index))),
    )
  })
}

/** Fetches the checkpoint of a log and all that it covers into a directory, and returns its size. */
export async function fetchCopy(
  server: Server,
  credentials: Credentials,
  path: string,
  directory: string,
): Promise<number> {
  const get = async (file: string) => {
    const { status, body } = await ask(server, `${path}/${file}`, { credentials })
    assert.equal(status, 200, `${file}: ${body.toString()}`)
    put(directory, file, body)
    return body
  }
  const size = Number((await get('checkpoint')).toString().split('\n')[1])
  for (const file of publishedPaths(size)) await get(file)
  return size
}

/** Makes such a directory of entries. */
export function makeCopy(
  directory: string,
  entries: readonly Buffer[],
  origin: string,
  signers: readonly NoteSigner[],
): void {
  const leaves = entries.map((entry) => leafHashOfBytes(entry, 0, entry.length))
  const root = rootOf(leaves)
  put(
    directory,
    'checkpoint',
    Buffer.from(signedCheckpoint({ origin, size: entries.length, root }, signers, 1)),
  )
  for (const path of publishedPaths(entries.length)) {
    const [, kind = '', place = '', width = String(tileWidth)] =
      /^tile\/(\w+)\/(\d+)(?:\.p\/(\d+))?$/.exec(path) ?? []
    const [from, count] = [Number(place) * tileWidth, Number(width)]
    const leavesEach = kind === 'entries' ? 1 : leavesPerHash(Number(kind))
    const hashes = () =>
      Array.from({ length: count }, (_, k) =>
        bytesOfHash(rootOf(leaves.slice((from + k) * leavesEach, (from + k + 1) * leavesEach))),
      )
    put(
      directory,
      path,
      kind === 'entries' ? formatBundle(entries.slice(from, from + count)) : Buffer.concat(hashes()),
    )
  }
}

/** Turns one bit of a file over. */
export function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  assert.ok(at < bytes.length, `${file} has only ${bytes.length} bytes`)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

function put(directory: string, path: string, bytes: Buffer): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), bytes)
}
