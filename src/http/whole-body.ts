// A body that is bounded, and wanted whole.

import type { IncomingMessage } from 'node:http'
import { AnnalsError } from '../errors.ts'
import { recordSmallBodyBytes } from '../limits.ts'
import { GrowingBytes } from '../intake/growing-bytes.ts'
import type { BodyBudget } from './body-budget.ts'
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
  incoming: Incoming,
  form: BodyForm,
  bound: BodyBound,
): Promise<HeldBody> {
  const announced = Number(incoming.request.raw.headers['content-length'] ?? 0)
  if (announced > bound.bytes) throw tooLarge(bound)
  const place = new Place(node.bodyBudget, node.bounds.recordPlaceMs)
  try {
    const bytes = await collect(node, incoming, { form, place, bound })
    return { bytes, [Symbol.dispose]: () => place[Symbol.dispose]() }
  } catch (error) {
    place[Symbol.dispose]()
    throw error
  }
}

// What has come takes room, and nothing does that may never come: whoever sends slowly is in nobody's way.
class Place implements Disposable {
  readonly #budget: BodyBudget
  readonly #waitMs: number
  #bytes = 0

  constructor(budget: BodyBudget, waitMs: number) {
    this.#budget = budget
    this.#waitMs = waitMs
  }

  async take(bytes: number): Promise<void> {
    if (!this.#budget.tryTake(bytes)) await this.#budget.take(bytes, this.#waitMs)
    this.#bytes += bytes
  }

  [Symbol.dispose](): void {
    this.#budget.give(this.#bytes)
    this.#bytes = 0
  }
}

interface Collecting {
  readonly form: BodyForm
  readonly place: Place
  readonly bound: BodyBound
}

async function collect(node: Node, incoming: Incoming, { form, place, bound }: Collecting): Promise<Buffer> {
  const { requestTimeoutMs } = node.bounds
  const deadline = performance.now() + requestTimeoutMs
  using body = new BodyStream(node, incoming, requestTimeoutMs, form)
  const bytes = new GrowingBytes()
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
    if (bytes.length + chunk.byteLength > bound.bytes) throw tooLarge(bound)
    await place.take(chunk.byteLength)
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
