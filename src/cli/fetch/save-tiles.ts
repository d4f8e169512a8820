// The hashes of the entries that were answered, and all that lead from them to the root, as C2SP tlog-tiles has them: with them
// `annals verify --tiles` finds what was lost or changed of the lines later. They hold no content.
//
//   checkpoint        what they lead to
//   positions         which entries were answered: <from>-<to>
//   tile/<L>/<N>…     level 0 of those entries, and all of the levels above

import { resolve } from 'node:path'
import { realDisk } from '../../store/disk.ts'
import { replaceFile } from '../../store/durable-file.ts'
import { noteOf } from '../../tree/signed-checkpoint.ts'
import { type HashTile, tilePath, tileWidth, widthIn } from '../../tree/tile.ts'
import type { CheckedAnswer } from '../../verify/answer-check.ts'
import type { CheckedProof } from '../../verify/proof-check.ts'
import type { Progress } from '../progress.ts'
import type { LogFiles } from './log-files.ts'

/** Keeps the tiles of an answer in a directory; of all engines each in one of its own. */
export async function saveTiles(
  files: LogFiles,
  directory: string,
  { of, answer }: CheckedProof,
  progress: Progress,
): Promise<void> {
  if (of === 'log') return await saveTilesOf(files, directory, answer, progress)
  for (const engine of answer.engines)
    await saveTilesOf(files, resolve(directory, engine.log), engine, progress)
}

async function saveTilesOf(
  files: LogFiles,
  directory: string,
  answer: CheckedAnswer,
  progress: Progress,
): Promise<void> {
  const { log, from, to, checkpoint } = answer
  const keep = async (name: string, bytes: Buffer) => {
    const file = resolve(directory, name)
    await realDisk.makeDirectory(resolve(file, '..'))
    await replaceFile(realDisk, file, bytes)
  }
  await keep('checkpoint', Buffer.from(noteOf(checkpoint)))
  await keep('positions', Buffer.from(`${from}-${to}\n`))
  const tiles = [...tilesFor(from, to, checkpoint.size)]
  for (const [k, { level, index, width }] of tiles.entries()) {
    const path = tilePath(level, index, width)
    await keep(`tile/${path}`, await files.get(`logs/${log}/tile/${path}`))
    progress.show(k + 1, tiles.length)
  }
}

function* tilesFor(from: number, to: number, size: number): Generator<HashTile> {
  const blocks = (at: number) => Math.floor(at / tileWidth)
  for (let index = blocks(from); index <= blocks(Math.max(from, to - 1)); index += 1) {
    const width = widthIn(size, 0, index)
    if (width > 0) yield { level: 0, index, width }
  }
  // What is behind the last full tile is made of its leaves.
  if (size % tileWidth > 0 && blocks(size) > blocks(Math.max(from, to - 1)))
    yield { level: 0, index: blocks(size), width: size % tileWidth }
  for (let level = 1; widthIn(size, level, 0) > 0; level += 1)
    for (let index = 0; widthIn(size, level, index) > 0; index += 1)
      yield { level, index, width: widthIn(size, level, index) }
}
