// Many events in one request: a list that is there already, or lines as they come, in any number and in bounded memory.
// Each is recorded or refused on its own. What is on its way when the client leaves is recorded all the same.

import { AnnalsError } from '../errors.ts'
import { recordLineBytes } from '../limits.ts'
import type { BodyLease } from './body-budget.ts'
import { type BodyForm, BodyStream } from './body-stream.ts'
import { toRefusal } from './errors.ts'
import { textsOf, WholeLines } from './ndjson.ts'
import { BrokenTransfer } from './outlet.ts'
import { arrayForm, linesForm, RecordAnswer } from './record-answer.ts'
import type { Receipts } from './receipts.ts'
import { RecordFlow, type ResultText } from './record-flow.ts'
import { indexedText, recordedText } from './record-result.ts'
import { type RecorderCall, type RecordingNode, recordForbidden } from './recording.ts'

/** Records a list of values that came in so many bytes, and answers with a list of what became of them. */
export async function recordList(
  node: RecordingNode,
  call: RecorderCall,
  values: readonly unknown[],
  bytes: number,
  receipts: Receipts | undefined,
): Promise<void> {
  const { log } = node.recording.intake
  using answer = new RecordAnswer(node, call, arrayForm)
  const textOf: ResultText = (_index, id, recorded, more) => recordedText(log, id, recorded, more)
  const flow = new RecordFlow(node, call, answer, { textOf, receipts })
  await answered(node, call, flow, answer, async () => {
    for (const value of values) {
      flow.add(value, bytes / values.length)
      await room(flow, answer)
    }
  })
}

/** Records lines as they come, and answers with a line for each. */
export async function recordLines(
  node: RecordingNode,
  call: RecorderCall,
  form: BodyForm,
  receipts: Receipts | undefined,
): Promise<void> {
  const { log } = node.recording.intake
  using answer = new RecordAnswer(node, call, linesForm)
  using lease = node.bodyBudget.lease(call.caller.name)
  const flow = new RecordFlow(node, call, answer, {
    textOf: (index, id, recorded, more) => indexedText(index, log, id, recorded, more),
    receipts,
    released: (bytes) => lease.give(bytes),
  })
  await answered(node, call, flow, answer, async () => {
    using body = new BodyStream(node, call, node.bounds.recordStallMs, form)
    await readLines({ node, body, lease, flow, answer })
  })
}

/** What lines go through. */
interface Stations {
  readonly node: RecordingNode
  readonly body: BodyStream
  readonly lease: BodyLease
  readonly flow: RecordFlow
  readonly answer: RecordAnswer
}

// Whatever ends the reading is the last result: what follows was not read, and the client knows from where.
async function readLines(stations: Stations): Promise<void> {
  const { body, flow, lease } = stations
  const lines = new WholeLines(recordLineBytes)
  try {
    for (;;) {
      const chunk = await body.next()
      if (chunk === undefined) break
      // Also what is no whole line yet takes room.
      await lease.take(chunk.byteLength)
      await addLines(stations, lines.add(chunk))
      demandGoingOn(stations)
    }
    // Only of a body that has come whole: a line that was cut off is none.
    await addLines(stations, lines.end())
  } catch (error) {
    if (error instanceof BrokenTransfer) throw error
    flow.refuse(toRefusal(error))
  }
}

async function addLines({ lease, flow, answer }: Stations, lines: Buffer | undefined): Promise<void> {
  if (lines === undefined) return
  let given = 0
  for (const text of textsOf(lines)) {
    const bytes = text?.length ?? 0
    given += bytes
    flow.addLine(text, bytes)
    if (flow.isFull || answer.isFull) await room(flow, answer)
  }
  lease.give(lines.byteLength - given)
  flow.launch()
}

function demandGoingOn({ node, flow: { stop } }: Stations): void {
  if (stop !== undefined) {
    const { code, message, retryAfterSeconds } = stop
    const when = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
    throw new AnnalsError(code, `${message}; what follows was not read`, when)
  }
  if (!node.isReady())
    throw new AnnalsError('UNAVAILABLE', 'this node is stopping; what follows was not read')
}

async function room(flow: RecordFlow, answer: RecordAnswer): Promise<void> {
  if (flow.isFull) flow.launch()
  while (flow.isFull || answer.isFull) await (answer.isFull ? answer.pushed() : flow.flushed())
}

// The answer ends when every event has its result. What may not be recorded is an entry before that (S7).
async function answered(
  node: RecordingNode,
  call: RecorderCall,
  flow: RecordFlow,
  answer: RecordAnswer,
  read: () => Promise<void>,
): Promise<void> {
  let broken: BrokenTransfer | undefined
  try {
    await read()
  } catch (error) {
    if (!(error instanceof BrokenTransfer)) throw error
    broken = error
  } finally {
    await flow.settled()
  }
  const headers = flow.forbidden === 0 ? [] : await recordForbidden(node, call, flow.forbidden)
  // Of a client that was cut off because it took nothing, the request breaks off too.
  if (broken !== undefined) throw answer.broken ?? broken
  await answer.end(headers)
}
