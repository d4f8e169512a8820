// Events that are recorded together or not at all, where the sender asks for that.

import type { Draft } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { groupEntries } from '../limits.ts'
import { parsePosted, type PostedContext } from '../intake/posted-event.ts'
import type { Recorded } from '../log/audit-log.ts'
import { refuse, toRefusal } from './errors.ts'
import { neverStored } from './headers.ts'
import type { ResultForm } from './record-answer.ts'
import type { Receipts } from './receipts.ts'
import { recordedText, unknownOf } from './record-result.ts'
import {
  counted,
  mayNotRecord,
  mayRecordEvent,
  type RecorderCall,
  type RecordingNode,
  recordForbidden,
} from './recording.ts'
import { send } from './send.ts'

/** Reads one of the values. Throws its refusal. */
export type ValueReader = () => unknown

/** Values to be recorded together, and how many they are. */
export interface Together {
  readonly count: number
  readonly readers: Iterable<ValueReader>
}

/** Records all of them, and answers 200 with their places. Throws one refusal with those of all that are wrong. */
export async function recordGroup(
  node: RecordingNode,
  call: RecorderCall,
  { count, readers }: Together,
  form: ResultForm,
  receipts: Receipts | undefined,
): Promise<void> {
  const { intake } = node.recording
  counted(node, call, () => demandFew(count), { count })
  const { drafts, refusals, forbidden } = readAll(node, call, readers)
  if (refusals.length > 0) {
    const reason = refusals.find(({ code }) => code !== 'FORBIDDEN')?.code ?? 'FORBIDDEN'
    // What is forbidden has an entry of its own.
    const lost = count - forbidden
    if (lost > 0) intake.refused({ via: 'http', source: call.caller.name, reason, count: lost })
    const headers = forbidden === 0 ? [] : await recordForbidden(node, call, forbidden)
    return refuse(node, call.request, call.reply, together(refusals), headers)
  }
  const all = await recordKnown(node, drafts)
  const proofs = (await receipts?.(all)) ?? []
  const texts = all.map((recorded, index) =>
    recordedText(intake.log, drafts[index]?.id ?? '', recorded, proofs[index]),
  )
  const body = `${form.before}${texts.join(form.between)}${texts.length === 0 && form.before === '' ? '' : form.after}`
  const headers = [...neverStored, 'Content-Type', form.contentType]
  send(node.metrics, call.request, call.reply, 200, headers, body)
}

async function recordKnown(
  { recording: { intake } }: RecordingNode,
  drafts: readonly Draft[],
): Promise<readonly Recorded[]> {
  try {
    return await intake.recordAll(drafts)
  } catch (error) {
    if (!isAnnalsError(error, 'OUTCOME_UNKNOWN')) throw error
    const each = drafts.map(({ id }, index) => unknownOf(id, error, index))
    const { cause, message, retryAfterSeconds = 1 } = error
    throw new AnnalsError('OUTCOME_UNKNOWN', message, { cause, retryAfterSeconds, each })
  }
}

function demandFew(count: number): void {
  if (count <= groupEntries) return
  throw new AnnalsError(
    'BODY_TOO_LARGE',
    `${count} events are too many to be recorded together: expected at most ${groupEntries}`,
  )
}

function readAll(node: RecordingNode, { caller }: RecorderCall, readers: Iterable<ValueReader>) {
  const { hostName, component, log } = node.recording.intake
  const context: PostedContext = { via: 'http', by: caller.name, hostName, component }
  const [drafts, refusals] = [[] as Draft[], [] as AnnalsError[]]
  let forbidden = 0
  for (const read of readers) {
    try {
      const event = parsePosted(read(), context)
      if (!mayRecordEvent(caller, event)) {
        forbidden += 1
        throw mayNotRecord(caller, event)
      }
      drafts.push(draftOf(event, log))
    } catch (error) {
      refusals.push(at(drafts.length + refusals.length, toRefusal(error)))
    }
  }
  return { drafts, refusals, forbidden }
}

function at(index: number, { code, message, field, bearer, cause }: AnnalsError): AnnalsError {
  const more = { ...(field === undefined ? {} : { field }), ...(bearer === undefined ? {} : { bearer }) }
  return new AnnalsError(code, message, { index, cause, ...more })
}

function together(refusals: readonly AnnalsError[]): AnnalsError {
  const [first] = refusals
  const { code, message, bearer } = first ?? new AnnalsError('INVALID_EVENT', 'an event is not as expected')
  return new AnnalsError(code, message, { each: refusals, ...(bearer === undefined ? {} : { bearer }) })
}
