// The bytes of an answer, from a reader to the raw response (R6, R7).
//
// A small one is read whole and written at once. A bulk one goes through two buffers: while one is being
// written, the next bytes are read into the other, and neither is copied. Memory is that, whatever the size
// of the log. The first bytes are read before the head is sent, so that a log that cannot be read is a
// refusal; afterwards every failure breaks the connection, and is an entry (S7).

import { pipeline } from 'node:stream/promises'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { compressBlockBytes } from '../limits.ts'
import type { SnapshotReader } from '../log/audit-log.ts'
import type { Call } from './call.ts'
import { createEncoder, type Compression } from './compress.ts'
import type { Content } from './content.ts'
import type { BreakReason } from './metrics.ts'
import { BrokenTransfer, Outlet } from './outlet.ts'
import type { Node } from './node.ts'
import type { Part } from './range.ts'
import { brokenEntry } from './read-entries.ts'
import { routeOf } from './send.ts'

/** An answer's status line and headers (a flat name-value list). */
export interface Head {
  readonly status: number
  readonly headers: readonly string[]
}

/** An answer that has a body. */
export interface Transfer {
  readonly node: Node
  readonly call: Call
  readonly head: Head
  readonly content: Content
  readonly part: Part
}

/** Sends an answer without a body: to HEAD, 304, or nothing in the window. */
export function sendHeadOnly(node: Node, call: Call, head: Head): void {
  begin(node, call, head)
  call.reply.raw.end()
}

/** Sends a body that is small enough to be held. */
export async function sendSmall(transfer: Transfer): Promise<void> {
  const { node, call, head, content, part } = transfer
  if (part.start === part.end) return sendHeadOnly(node, call, head)
  const body = Buffer.allocUnsafe(part.end - part.start)
  {
    await using reader = content.open(part)
    await fill(reader, body, part.start)
  }
  const { raw } = call.reply
  if (!raw.destroyed && !call.request.raw.socket.destroyed) {
    begin(node, call, head)
    raw.end(body)
    // Almost always the kernel has taken all of it by now.
    if (raw.socket?.writableLength === 0) return node.metrics.sent(body.byteLength)
  }
  return guarded(transfer, (outlet) => outlet.finished(body.byteLength))
}

/** Sends a body through two buffers. Throws UNAVAILABLE where too many such answers are under way. */
export async function sendBulk(transfer: Transfer): Promise<void> {
  const { node, call, head, content, part } = transfer
  await guarded(transfer, async (outlet) => {
    await outlet.turn()
    using _slot = takeSlot(node)
    await using reader = content.open(part)
    let front = node.buffers.lend()
    let back = node.buffers.lend()
    let offset = part.start
    let ready = await fillUpTo(reader, front, offset, part.end)
    begin(node, call, head)
    while (ready > 0) {
      offset += ready
      const [written, filled] = await Promise.allSettled([
        outlet.write(front.subarray(0, ready)),
        fillUpTo(reader, back, offset, part.end),
      ])
      if (written.status === 'rejected') throw written.reason
      if (filled.status === 'rejected') throw filled.reason
      ready = filled.value
      ;[front, back] = [back, front]
    }
    await outlet.end()
    // Only now: from the buffers of a broken answer the kernel may still be sending.
    node.buffers.giveBack(front)
    node.buffers.giveBack(back)
  })
}

/** Sends the whole content compressed, in chunks. Throws UNAVAILABLE as `sendBulk` does. */
export async function sendCompressed(transfer: Transfer, coding: Compression): Promise<void> {
  const { node, call, head, content, part } = transfer
  let feed: Feed | undefined
  const send = async (outlet: Outlet) => {
    await outlet.turn()
    using _slot = takeSlot(node)
    await using reader = content.open(part)
    const encoder = createEncoder(coding, content.bytes)
    feed = new Feed(reader, content.bytes)
    try {
      await pipeline(feed.blocks(), encoder, async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          if (!call.reply.raw.headersSent) begin(node, call, head)
          await outlet.write(chunk)
        }
      })
    } finally {
      encoder.destroy()
      await feed.idle()
    }
    await outlet.end()
  }
  // Bytes of the content, not of what became of them: that is what a reader of the entry can compare.
  await guarded(transfer, send, () => feed?.consumed ?? 0)
}

/** A content in blocks, for an encoder that asks for the next one when it is done with this one's buffer. */
class Feed {
  readonly #reader: SnapshotReader
  readonly #bytes: number
  #reading: Promise<number> | undefined
  #consumed = 0

  constructor(reader: SnapshotReader, bytes: number) {
    this.#reader = reader
    this.#bytes = bytes
  }

  get consumed(): number {
    return this.#consumed
  }

  async *blocks(): AsyncGenerator<Buffer> {
    const block = Buffer.allocUnsafe(Math.min(this.#bytes, compressBlockBytes))
    while (this.#consumed < this.#bytes) {
      this.#reading = fillUpTo(this.#reader, block, this.#consumed, this.#bytes)
      const filled = await this.#reading
      yield block.subarray(0, filled)
      this.#consumed += filled
    }
  }

  /** Waits for a read under way: a broken pipeline does not, and the reader must not be closed under it. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#reading])
  }
}

// What fails before the head is a refusal, and thrown. What fails after it, or because the client has gone,
// breaks the connection and is recorded.
async function guarded(
  transfer: Transfer,
  send: (outlet: Outlet) => Promise<void>,
  sentOf: (outlet: Outlet) => number = (outlet) => outlet.sent,
): Promise<void> {
  const { node, call, part } = transfer
  const { raw: response } = call.reply
  using outlet = new Outlet(response, call.request.raw.socket, node.bounds.answerStallMs)
  try {
    await send(outlet)
  } catch (error) {
    if (!response.headersSent && !(error instanceof BrokenTransfer)) throw error
    call.reply.hijack()
    // Never a clean end: fewer bytes than Content-Length, or no last chunk (R6).
    call.request.raw.socket.destroy()
    await recordBreak(node, call, { sent: sentOf(outlet), bytes: part.end - part.start }, error)
  } finally {
    node.metrics.sent(outlet.sent)
  }
}

/** Records that an answer broke, or will never be given because the client has gone (S7). `error` says why. */
export async function recordBreak(
  node: Node,
  call: Call,
  extent: { readonly sent: number; readonly bytes: number },
  error: unknown,
): Promise<void> {
  const reason = reasonOf(error)
  if (reason === 'failed') node.logger.error({ err: error }, 'an answer could not be finished')
  if (reason === 'engine') node.logger.warn(detailsOf(error), 'an engine broke off, and so did an answer')
  node.metrics.broken(reason)
  try {
    await node.log.record(brokenEntry(node, call, { reason, ...extent }))
  } catch (failure) {
    node.metrics.unrecorded()
    node.logger.warn({ err: failure }, 'a broken transfer could not be recorded')
  }
}

function reasonOf(error: unknown): BreakReason {
  if (error instanceof BrokenTransfer) return error.reason
  return isAnnalsError(error, 'UNREACHABLE_ENGINE') ? 'engine' : 'failed'
}

function detailsOf(error: unknown): object {
  return isAnnalsError(error) ? { engine: error.engine, detail: error.detail } : {}
}

/** Takes the place of a bulk answer, which is given back in the end. Throws UNAVAILABLE where there is none. */
export function takeSlot(node: Node): Disposable {
  const slot = node.bulkSlots.take()
  if (slot === undefined) throw new AnnalsError('UNAVAILABLE', 'too many answers are under way')
  node.metrics.bulk(1)
  return {
    [Symbol.dispose]: () => {
      slot[Symbol.dispose]()
      node.metrics.bulk(-1)
    },
  }
}

function begin(node: Node, call: Call, head: Head): void {
  call.reply.hijack()
  node.metrics.answered(routeOf(call.request), head.status)
  call.reply.raw.writeHead(head.status, [...head.headers])
}

async function fillUpTo(
  reader: SnapshotReader,
  target: Buffer,
  offset: number,
  end: number,
): Promise<number> {
  const bytes = Math.min(target.byteLength, end - offset)
  await fill(reader, target.subarray(0, bytes), offset)
  return bytes
}

async function fill(reader: SnapshotReader, target: Buffer, offset: number): Promise<void> {
  for (let filled = 0; filled < target.byteLength;) {
    filled += await reader.read(target.subarray(filled), offset + filled)
  }
}
