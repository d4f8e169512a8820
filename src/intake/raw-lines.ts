// A file's lines as bytes, whatever they are, in a bounded amount of memory.

import { open } from 'node:fs/promises'
import { AnnalsError } from '../errors.ts'
import { fileLineBytes } from '../limits.ts'

const chunkBytes = 1024 * 1024
const newline = 0x0a

/** Told of each chunk that was read. */
export type ChunkListener = (chunk: Uint8Array) => void

/**
 * Gives the lines of a file without their newlines, the last one also where it has none. A line is good until the
 * next one is asked for. Throws INVALID_INPUT where the file cannot be read, or a line is longer than any log's.
 */
export async function* rawLines(path: string, read?: ChunkListener): AsyncGenerator<Buffer> {
  await using file = await open(path).catch((cause: unknown) => {
    throw new AnnalsError('INVALID_INPUT', `${path} cannot be read: expected a file`, { cause })
  })
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let rest: Buffer[] = []
  let restBytes = 0
  for (let count = 0; ;) {
    const { bytesRead } = await file.read(chunk, 0, chunkBytes)
    if (bytesRead === 0) break
    read?.(chunk.subarray(0, bytesRead))
    let start = 0
    for (
      let end = chunk.indexOf(newline);
      end !== -1 && end < bytesRead;
      end = chunk.indexOf(newline, start)
    ) {
      count += 1
      const line = chunk.subarray(start, end)
      yield rest.length === 0 ? line : Buffer.concat([...rest, line])
      rest = []
      restBytes = 0
      start = end + 1
    }
    if (start === bytesRead) continue
    rest.push(Buffer.from(chunk.subarray(start, bytesRead)))
    restBytes += bytesRead - start
    if (restBytes > fileLineBytes) {
      throw new AnnalsError(
        'INVALID_INPUT',
        `${path}: line ${count + 1} is longer than ${fileLineBytes} bytes; expected the lines of a log file`,
      )
    }
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}
