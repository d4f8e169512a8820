// What is recorded of changes to accounts, with the catalogue's codes and templates. The template of 20203 says
// "is created" though the code means "updated": that is how it is documented. `change` tells what it was.

import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import type { Profile } from './profile.ts'

/** Who makes a change: an account with its session, or `*cli:<user>`, or `*system`. */
export interface Author {
  readonly actor: string
  readonly session?: string
}

/** 20201. */
export function accountCreated(hostName: string, by: Author, account: string, profile: Profile): AuditEvent {
  const [code, fields] = ['20201', { createdAccount: account }]
  return changed(hostName, by, account, { code, fields, eventParams: [['profile', profile]] })
}

/** 20202. */
export function accountRemoved(hostName: string, by: Author, account: string): AuditEvent {
  return changed(hostName, by, account, {
    code: '20202',
    fields: { deletedAccount: account },
    eventParams: [],
  })
}

/** 20203: a new password, or the end of a lock. */
export function accountUpdated(
  hostName: string,
  by: Author,
  account: string,
  change: 'password' | 'unlock',
): AuditEvent {
  const [code, fields] = ['20203', { updatedAccount: account }]
  return changed(hostName, by, account, { code, fields, eventParams: [['change', change]] })
}

/** 20204. */
export function profileChanged(
  hostName: string,
  by: Author,
  account: string,
  from: Profile,
  to: Profile,
): AuditEvent {
  return changed(hostName, by, account, {
    code: '20204',
    fields: { n: '1' },
    eventParams: [
      ['from', from],
      ['profile', to],
    ],
  })
}

interface Change {
  readonly code: string
  readonly fields: Readonly<Record<string, string>>
  readonly eventParams?: readonly (readonly [string, string])[]
}

function changed(hostName: string, by: Author, target: string, change: Change): AuditEvent {
  return selfEvent({ ...change, ...by, hostName, outcome: 'success', target })
}
