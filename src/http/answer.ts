// From a content to an answer: the head that RFC 9110 and the contract (R1 to R5) ask for, and the way in
// which its body is sent.

import { AnnalsError } from '../errors.ts'
import type { Asked } from './asked.ts'
import { refuseCall, type Call } from './call.ts'
import type { Content } from './content.ts'
import { everyAnswer, revalidated } from './headers.ts'
import type { Coding } from './negotiate.ts'
import type { Node } from './node.ts'
import type { Part } from './range.ts'
import { represent, type Representation } from './representation.ts'
import { sendBulk, sendCompressed, sendHeadOnly, sendSmall } from './transfer.ts'

/**
 * Answers a call with a content, in the form that was asked for. `rangeHolds` is false where an If-Range
 * named something else. Throws UNAVAILABLE, before anything is sent, where too many answers are under way.
 */
export async function answerContent(
  node: Node,
  call: Call,
  wanted: Asked,
  content: Content,
  rangeHolds: boolean,
): Promise<void> {
  using slot = wanted.coding === 'identity' ? undefined : node.compressionSlots.take()
  const asked = slot === undefined ? uncompressed(wanted) : wanted
  const chosen = represent(asked, content, rangeHolds)
  if (chosen.kind === 'unsatisfiable') return refuseRange(node, call, content)
  const head = headOf(chosen, content, call.request.raw.socket)
  if (chosen.kind === 'not-modified' || asked.isHead) return sendHeadOnly(node, call, head)
  const part = chosen.kind === 'part' ? chosen.part : { start: 0, end: content.bytes }
  const transfer = { node, call, head, content, part }
  if (chosen.kind === 'whole' && chosen.coding !== 'identity') return sendCompressed(transfer, chosen.coding)
  return part.end - part.start <= node.bounds.smallAnswerBytes ? sendSmall(transfer) : sendBulk(transfer)
}

// Compression is a kindness, and is left out where too many want it at once.
function uncompressed(asked: Asked): Asked {
  if (asked.coding === 'identity') return asked
  if (asked.acceptance.identity) return { ...asked, coding: 'identity' }
  throw new AnnalsError(
    'UNAVAILABLE',
    'too many compressed answers are under way, and identity is not accepted',
  )
}

function refuseRange(node: Node, call: Call, content: Content): Promise<void> {
  const error = new AnnalsError('RANGE_NOT_SATISFIABLE', `the answer has ${content.bytes} bytes`)
  return refuseCall(node, call, error, ['Content-Range', `bytes */${content.bytes}`, ...content.headers])
}

function headOf(
  chosen: Exclude<Representation, { kind: 'unsatisfiable' }>,
  content: Content,
  socket: object,
) {
  const common = [...everyAnswer(socket), ...revalidated, 'ETag', chosen.etag, ...content.headers]
  if (chosen.kind === 'not-modified') return { status: 304, headers: common }
  return chosen.kind === 'part'
    ? { status: 206, headers: [...common, ...partHeaders(chosen.part, content.bytes)] }
    : { status: 200, headers: [...common, ...wholeHeaders(chosen.coding, content.bytes)] }
}

function partHeaders(part: Part, bytes: number): string[] {
  return [
    'Content-Type',
    contentType,
    'Content-Range',
    `bytes ${part.start}-${part.end - 1}/${bytes}`,
    'Accept-Ranges',
    'bytes',
    'Content-Length',
    String(part.end - part.start),
  ]
}

function wholeHeaders(coding: Coding, bytes: number): string[] {
  const form =
    coding === 'identity'
      ? ['Accept-Ranges', 'bytes', 'Content-Length', String(bytes)]
      : ['Accept-Ranges', 'none', 'Content-Encoding', coding, 'Annals-Content-Length', String(bytes)]
  return ['Content-Type', contentType, ...form]
}

// R1.
const contentType = 'text/plain; charset=utf-8'
