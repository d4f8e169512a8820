// Files that a verifier reads: whole ones that are small, and large ones piece by piece.

import { open, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import { verifyReadBytes, verifySmallFileBytes } from '../../limits.ts'
import { errorCode } from '../../store/disk.ts'
import { type LineListener, LineSplitter } from '../../verify/line-splitter.ts'
import type { Progress } from '../progress.ts'
import type { Surroundings } from '../surroundings.ts'

/** A file that was given by name: `what` says in messages what it should be. */
export interface NamedFile {
  readonly what: string
  readonly file: string
}

/** Reads a whole file as text. Throws INVALID_INPUT where it cannot be read, or is larger than anything of its kind. */
export async function readText(
  { directory }: Pick<Surroundings, 'directory'>,
  { what, file }: NamedFile,
  mostBytes = verifySmallFileBytes,
): Promise<string> {
  await using handle = await openFile(resolve(directory, file), what)
  const { size } = await handle.stat()
  if (size <= mostBytes) return await handle.readFile('utf8').catch(unreadable(what))
  throw new AnnalsError('INVALID_INPUT', `${what}: ${file} has more than ${mostBytes} bytes`)
}

/** The same; undefined where there is no such file. */
export async function readTextIfThere(
  surroundings: Pick<Surroundings, 'directory'>,
  named: NamedFile,
): Promise<string | undefined> {
  try {
    return await readText(surroundings, named)
  } catch (error) {
    if (error instanceof AnnalsError && errorCode(error.cause) === 'ENOENT') return undefined
    throw error
  }
}

/** Pieces of a file or of standard input (`-`). A piece is only good until the next one is asked for. */
export async function* readPieces(
  { directory, input }: Pick<Surroundings, 'directory' | 'input'>,
  file: string,
): AsyncGenerator<Buffer> {
  if (file === '-') return yield* inputPieces(input)
  await using handle = await openFile(resolve(directory, file), file)
  const buffer = Buffer.allocUnsafe(verifyReadBytes)
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null).catch(unreadable(file))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** Reads the lines of a file or of standard input (`-`), and shows how far it is. */
export async function eachLine(
  surroundings: Pick<Surroundings, 'directory' | 'input'>,
  file: string,
  progress: Progress,
  listener: LineListener,
): Promise<void> {
  const splitter = new LineSplitter(listener)
  const ofBytes = await sizeOf(surroundings, file)
  let bytes = 0
  for await (const piece of readPieces(surroundings, file)) {
    splitter.push(piece)
    progress.show((bytes += piece.length), ofBytes)
  }
  splitter.end()
}

/** How large a file is; undefined for standard input, and for what has no size. */
async function sizeOf(
  { directory }: Pick<Surroundings, 'directory'>,
  file: string,
): Promise<number | undefined> {
  if (file === '-') return undefined
  await using handle = await openFile(resolve(directory, file), file)
  const stat = await handle.stat()
  return stat.isFile() ? stat.size : undefined
}

async function* inputPieces(input: Surroundings['input']): AsyncGenerator<Buffer> {
  for await (const piece of input) yield Buffer.from(piece as Uint8Array)
}

function openFile(path: string, what: string): Promise<FileHandle> {
  return open(path, 'r').catch(unreadable(what))
}

function unreadable(what: string): (cause: unknown) => never {
  return (cause) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError('INVALID_INPUT', `${what}: it cannot be read: ${why}`, { cause })
  }
}
