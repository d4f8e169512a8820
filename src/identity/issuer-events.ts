// What is recorded of authorization servers of others: 29059. A start records each one that it finds configured, for
// nothing remembers what was configured before.

import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import type { IssuerChange } from './issuer.ts'

/** 29059: such a server is configured when the node starts, or is changed while it runs. */
export function issuerChanged(
  hostName: string,
  issuer: string,
  change: IssuerChange['change'] | 'configured',
): AuditEvent {
  return selfEvent({
    code: '29059',
    actor: '*system',
    hostName,
    outcome: 'success',
    target: issuer,
    fields: { issuer, change },
    eventParams: [['change', change]],
  })
}
