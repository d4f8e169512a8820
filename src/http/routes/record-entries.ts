// POST /audit-trail/api/v2/logs/{log}/entries: events are recorded. One JSON event, a list of them, or any number of them
// one a line. The answer comes when they are durable, and says of each where it is, or why it is not.

import { isUtf8 } from 'node:buffer'
import type { RouteHandlerMethod } from 'fastify'
import { AnnalsError, isAnnalsError } from '../../errors.ts'
import { groupBytes, recordBodyBytes } from '../../limits.ts'
import { refuse } from '../errors.ts'
import { jsonProblem } from '../json-problem.ts'
import { textsOf } from '../ndjson.ts'
import { arrayForm, linesForm } from '../record-answer.ts'
import { jsonOfLine } from '../record-flow.ts'
import { type Receipts, receiptsOf } from '../receipts.ts'
import { recordGroup, type ValueReader } from '../record-group.ts'
import { recordLines, recordList } from '../record-many.ts'
import { recordOne } from '../record-one.ts'
import { acceptedHere, parseRecordRequest, type RecordRequest } from '../record-request.ts'
import { counted, countedLater, recorderRoute, type RecorderCall, type RecordingNode } from '../recording.ts'
import { bodyAtHand, type BodyBound, holdBody } from '../whole-body.ts'

/** Where events are recorded; `:log` is the log's id, or the name of its host. */
export const recordPath = '/audit-trail/api/v2/logs/:log/entries'

/** Answers with what became of each event. */
export function recordEntries(node: RecordingNode): RouteHandlerMethod {
  return recorderRoute(
    node,
    ({ request, reply }, error, headers) =>
      refuse(node, request, reply, error, [...headers, ...accepted(error)]),
    async (call) => {
      const asked = counted(node, call, () => parseRecordRequest(node, call.request))
      if (asked.form === 'ndjson' && !asked.isAtomic)
        return await recordLines(node, call, asked, receiptsFor(node, asked))
      const small = bodyAtHand(call.request, asked)
      if (small !== undefined) return await recordBody(node, call, asked, small)
      using held = await countedLater(node, call, () => holdBody(node, call, asked, boundOf(asked)))
      await recordBody(node, call, asked, held.bytes)
    },
  )
}

function boundOf({ isAtomic }: RecordRequest): BodyBound {
  return isAtomic
    ? { bytes: groupBytes, otherwise: 'so much is recorded together or not at all, and no more' }
    : { bytes: recordBodyBytes, otherwise: 'send more events as application/x-ndjson' }
}

function accepted(error: unknown): readonly string[] {
  return isAnnalsError(error, 'UNSUPPORTED_MEDIA_TYPE') ? acceptedHere : []
}

async function recordBody(
  node: RecordingNode,
  call: RecorderCall,
  asked: RecordRequest,
  bytes: Buffer,
): Promise<void> {
  const { form, isAtomic } = asked
  const receipts = receiptsFor(node, asked)
  if (form === 'ndjson') {
    const values = { count: countOf(textsOf(bytes)), readers: readersOf(textsOf(bytes), jsonOfLine) }
    return await recordGroup(node, call, values, linesForm, receipts)
  }
  const value = counted(node, call, () => {
    // A list waits for its turn, but a single event that finds no room is refused: before anything is made of it.
    if (bytes[0] === openingBrace) node.recording.intake.demandRoom(bytes.byteLength)
    return jsonOf(bytes)
  })
  if (!Array.isArray(value) && !isAtomic) return await recordOne(node, call, value, receipts)
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (!isAtomic) return await recordList(node, call, values, bytes.byteLength, receipts)
  const group = { count: values.length, readers: readersOf(values, (value) => value) }
  await recordGroup(node, call, group, arrayForm, receipts)
}

function countOf(all: Iterable<unknown>): number {
  let count = 0
  for (const _each of all) count += 1
  return count
}

// One by one: there may be far too many.
function* readersOf<T>(all: Iterable<T>, read: (each: T) => unknown): Generator<ValueReader> {
  for (const each of all) yield () => read(each)
}

function receiptsFor(node: RecordingNode, { hasReceipts }: RecordRequest): Receipts | undefined {
  return hasReceipts ? receiptsOf(node) : undefined
}

const openingBrace = 0x7b

function jsonOf(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new AnnalsError('MALFORMED_REQUEST', 'the body is expected to be in UTF-8')
  const text = bytes.toString()
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `the body is expected to be JSON, one event or a list of them: ${jsonProblem(text, cause)}`
    throw new AnnalsError('MALFORMED_REQUEST', message, { cause })
  }
}
