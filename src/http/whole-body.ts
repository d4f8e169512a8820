// A body that is bounded, and wanted whole.

import type { IncomingMessage } from 'node:http'
import { AnnalsError } from '../errors.ts'
import { recordSmallBodyBytes } from '../limits.ts'
import { GrowingBytes } from '../intake/growing-bytes.ts'
import type { BodyLease } from './body-budget.ts'
import { type BodyForm, BodyStream, type Incoming } from './body-stream.ts'
import type { Node } from './node.ts'

/** A body that is held. Dispose of it when it has become something else. */
export interface HeldBody extends Disposable {
  readonly bytes: Buffer
}

/** How large a body may be, decompressed, and what to do with more. */
export interface BodyBound {
  readonly bytes: number
  readonly otherwise: string
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
 * Reads a body. Throws BODY_TOO_LARGE beyond `bound`, UNAVAILABLE where there is no place for it in
 * time, REQUEST_TIMEOUT, and what `BodyStream.next` throws.
 */
export async function holdBody(
  node: Node,
  incoming: Incoming & { readonly caller: { readonly name: string } },
  form: BodyForm,
  bound: BodyBound,
): Promise<HeldBody> {
  const announced = Number(incoming.request.raw.headers['content-length'] ?? 0)
  if (announced > bound.bytes) throw tooLarge(bound)
  const lease = node.bodyBudget.lease(incoming.caller.name)
  try {
    const bytes = await collect(node, incoming, { form, lease, bound })
    return { bytes, [Symbol.dispose]: () => lease[Symbol.dispose]() }
  } catch (error) {
    lease[Symbol.dispose]()
    throw error
  }
}

interface Collecting {
  readonly form: BodyForm
  readonly lease: BodyLease
  readonly bound: BodyBound
}

// What has come takes room, and nothing does that may never come: whoever sends slowly is in nobody's way.
async function collect(node: Node, incoming: Incoming, { form, lease, bound }: Collecting): Promise<Buffer> {
  const { requestTimeoutMs } = node.bounds
  const deadline = performance.now() + requestTimeoutMs
  using body = new BodyStream(node, incoming, requestTimeoutMs, form)
  const bytes = new GrowingBytes()
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
    if (bytes.length + chunk.byteLength > bound.bytes) throw tooLarge(bound)
    await lease.take(chunk.byteLength)
    bytes.add(chunk)
    if (performance.now() > deadline)
      throw new AnnalsError('REQUEST_TIMEOUT', 'the request did not arrive in time')
  }
  return bytes.take()
}

function tooLarge({ bytes, otherwise }: BodyBound): AnnalsError {
  return new AnnalsError(
    'BODY_TOO_LARGE',
    `a body like this is expected to have at most ${bytes} bytes, decompressed: ${otherwise}`,
  )
}
