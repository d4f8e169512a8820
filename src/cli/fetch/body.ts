// The bytes of an answer, decoded. They end in order only where the answer did: what breaks off, over the wire or
// within the coding, is a setback.

import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Coding } from './beginning.ts'
import type { HttpBody } from './http-body.ts'
import { connectionSetback, Setback } from './setback.ts'

/** Reads a body to its end. Throws a `Setback` where the end does not come, or not in order. */
export function decodedChunks(body: HttpBody, coding: Coding): AsyncIterable<Buffer> {
  const wire = wireChunks(body)
  return coding === 'identity' ? wire : decoded(wire, coding)
}

async function* wireChunks(body: HttpBody): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk
  } catch (error) {
    throw connectionSetback(error)
  }
}

async function* decoded(wire: AsyncIterable<Buffer>, coding: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  // Both say so where their input ends too early (Z_BUF_ERROR), and check the sum at their end.
  const decoder = coding === 'gzip' ? createGunzip() : createZstdDecompress()
  const source = Readable.from(wire)
  source.on('error', (error) => decoder.destroy(error))
  try {
    for await (const chunk of source.pipe(decoder) as AsyncIterable<Buffer>) yield chunk
  } catch (error) {
    if (error instanceof Setback) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new Setback(`the compressed answer is damaged: ${message}`, { cause: error })
  } finally {
    source.destroy()
  }
}
