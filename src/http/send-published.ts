// Answers with a file that a log publishes. Tiles never change and may be kept for ever by the caller; a checkpoint is
// asked for anew each time.

import { promisify } from 'node:util'
import { constants, gzip, zstdCompress } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'
import { compressFromBytes } from '../limits.ts'
import type { Coding } from './negotiate.ts'
import { negotiate } from './negotiate.ts'
import type { Node } from './node.ts'
import type { Published } from './published.ts'
import { send } from './send.ts'

/** Sends a file of a log, which `path` names there. Throws NOT_ACCEPTABLE where the caller can read no coding that we have. */
export async function sendPublished(
  node: Node,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  file: Published,
): Promise<void> {
  const { preferred, identity } = negotiate(request.headers['accept-encoding'])
  if (preferred === undefined)
    throw new AnnalsError(
      'NOT_ACCEPTABLE',
      'Accept-Encoding: expected one that allows zstd, gzip or identity',
    )
  const bytes = typeof file === 'string' ? Buffer.from(file) : file
  const coding = identity && !isWorthIt(path, bytes) ? 'identity' : preferred
  const headers = [...headersOf(path), ...(coding === 'identity' ? [] : ['Content-Encoding', coding])]
  send(node.metrics, request, reply, 200, headers, await encoded(bytes, coding))
}

// Hashes get no smaller.
function isWorthIt(path: string, bytes: Buffer): boolean {
  return path.startsWith('tile/entries/') && bytes.byteLength >= compressFromBytes
}

function headersOf(path: string): readonly string[] {
  const type = path.startsWith('tile/') ? 'application/octet-stream' : 'text/plain; charset=utf-8'
  const keeping = path.startsWith('tile/') ? 'private, max-age=31536000, immutable' : 'no-cache'
  return ['Content-Type', type, 'Cache-Control', keeping, 'Vary', 'Authorization, Accept-Encoding']
}

async function encoded(bytes: Buffer, coding: Coding): Promise<Buffer> {
  if (coding === 'identity') return bytes
  if (coding === 'gzip') return await gzipped(bytes, { level: 1 })
  return await zstd(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
}

const gzipped = promisify(gzip)
const zstd = promisify(zstdCompress)
