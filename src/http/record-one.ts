// One event in a request of its own: the least work that a request can be.

import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError } from '../errors.ts'
import { parsePosted } from '../intake/posted-event.ts'
import type { Recorded } from '../log/audit-log.ts'
import { refuse } from './errors.ts'
import { neverStored } from './headers.ts'
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

const headers = [...neverStored, 'Content-Type', 'application/json']

/** Records a posted value, and answers 201, or 200 where it had been recorded before (I4). Throws its refusal. */
export async function recordOne(
  node: RecordingNode,
  call: RecorderCall,
  value: unknown,
  receipts: Receipts | undefined,
): Promise<void> {
  const { intake } = node.recording
  const { request, reply, caller } = call
  const { hostName, component } = intake
  const event = counted(node, call, () =>
    parsePosted(value, { via: 'http', by: caller.name, hostName, component }),
  )
  if (!mayRecordEvent(caller, event))
    return refuse(node, request, reply, mayNotRecord(caller, event), await recordForbidden(node, call, 1))
  const recorded = await recordKnown(node, event)
  const [receipt] = (await receipts?.([recorded])) ?? []
  const body = `${recordedText(intake.log, event.id, recorded, receipt)}\n`
  send(node.metrics, request, reply, recorded.isNew ? 201 : 200, headers, body)
}

async function recordKnown({ recording: { intake } }: RecordingNode, event: AuditEvent): Promise<Recorded> {
  try {
    return await intake.record(event)
  } catch (error) {
    throw isAnnalsError(error, 'OUTCOME_UNKNOWN') ? unknownOf(event.id, error) : error
  }
}
