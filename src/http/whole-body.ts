// A body that is bounded, and wanted whole.

import type { IncomingMessage } from 'node:http'
import { AnnalsError } from '../errors.ts'
import { recordSmallBodyBytes } from '../limits.ts'
import type { BodyBudget } from './body-budget.ts'
import { type BodyForm, BodyStream, type Incoming } from './body-stream.ts'
import type { Node } from './node.ts'

/** A body that is held. Dispose of it when it has become something else. */
export interface HeldBody extends Disposable {
  readonly bytes: Buffer
}

/** A small body that has arrived already, as most have by the time that somebody asks. */
export function bodyAtHand(
  { raw }: { readonly raw: IncomingMessage },
  { isGzip }: BodyForm,
): Buffer | undefined {
  if (isGzip || !raw.complete || raw.readableLength > recordSmallBodyBytes) return undefined
  const bytes: unknown = raw.read()
  return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
}

/**
 * Reads a body. Throws BODY_TOO_LARGE beyond `mostBytes`, decompressed, UNAVAILABLE where there is no place for it in
 * time, REQUEST_TIMEOUT, and what `BodyStream.next` throws.
 */
export async function holdBody(
  node: Node,
  incoming: Incoming,
  form: BodyForm,
  mostBytes: number,
): Promise<HeldBody> {
  const { headers } = incoming.request.raw
  const announced = Number(headers['content-length'] ?? mostBytes)
  if (announced > mostBytes && headers['content-length'] !== undefined) throw tooLarge(mostBytes)
  const held = form.isGzip ? mostBytes : announced
  await node.bodyBudget.take(held, node.bounds.recordPlaceMs)
  try {
    const bytes = await collect(node, incoming, form, mostBytes)
    return { bytes, [Symbol.dispose]: giver(node.bodyBudget, held) }
  } catch (error) {
    node.bodyBudget.give(held)
    throw error
  }
}

async function collect(node: Node, incoming: Incoming, form: BodyForm, mostBytes: number): Promise<Buffer> {
  const { requestTimeoutMs } = node.bounds
  const deadline = performance.now() + requestTimeoutMs
  using body = new BodyStream(node, incoming, requestTimeoutMs, form)
  const chunks: Buffer[] = []
  let bytes = 0
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes > mostBytes) throw tooLarge(mostBytes)
    if (performance.now() > deadline)
      throw new AnnalsError('REQUEST_TIMEOUT', 'the request did not arrive in time')
  }
  return Buffer.concat(chunks)
}

function giver(budget: BodyBudget, bytes: number): () => void {
  let isHeld = true
  return () => {
    if (isHeld) budget.give(bytes)
    isHeld = false
  }
}

function tooLarge(mostBytes: number): AnnalsError {
  return new AnnalsError(
    'BODY_TOO_LARGE',
    `a body of JSON is expected to have at most ${mostBytes} bytes: send more events as application/x-ndjson`,
  )
}
