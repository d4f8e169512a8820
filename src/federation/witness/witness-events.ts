// What a witness records: that it begins with a log, and that a log contradicts what was seen of it. An ordinary
// cosignature is no entry.

import type { AuditEvent } from '../../entry/event.ts'
import { selfEvent } from '../../entry/self-event.ts'
import { bytesOfHash } from '../../tree/hash.ts'
import type { SignedCheckpoint } from '../../tree/signed-checkpoint.ts'

/** The node that records. */
export interface Recorder {
  readonly hostName: string
  readonly component: string
}

/** 29082: it has no state of this log. It is the first time, or the witness has lost what it had seen. */
export function witnessBegins(
  node: Recorder,
  { owner, origin, size }: { readonly owner: string; readonly origin: string; readonly size: number },
): AuditEvent {
  return selfEvent({
    ...node,
    code: 29082,
    actor: '*system',
    outcome: 'success',
    target: `log/${owner}`,
    fields: { origin, size: String(size) },
  })
}

/** What is told of a contradiction. */
export interface ToldContradiction {
  readonly owner: string
  readonly seen: SignedCheckpoint
  readonly shown: SignedCheckpoint
  readonly reason: string
  /** The name of the files that hold both. */
  readonly evidence: string
}

/** 29083. */
export function logContradicted(
  node: Recorder,
  { owner, seen, shown, reason, evidence }: ToldContradiction,
): AuditEvent {
  const fields = { origin: shown.origin, reason, seen: textOf(seen), shown: textOf(shown), evidence }
  return selfEvent({ ...node, code: 29083, actor: '*system', target: `log/${owner}`, fields })
}

function textOf({ size, root }: SignedCheckpoint): string {
  return `${size} ${bytesOfHash(root).toString('base64')}`
}
