// What is recorded of changes to roles and profiles: 20206 to 20211, in the product's words.

import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import type { Author } from './account-events.ts'

/** What became of a role or a profile. */
export type Change = 'added' | 'updated' | 'removed'

const roleCodes = { added: 20206, updated: 20207, removed: 20208 } as const
const profileCodes = { added: 20209, updated: 20210, removed: 20211 } as const

/** 20206, 20207, 20208. */
export function roleChanged(
  hostName: string,
  by: Author,
  change: Change,
  name: string,
  permissions: readonly string[],
): AuditEvent {
  const told = change === 'removed' ? [] : [['permissions', permissions.join(' ')] as const]
  return event(hostName, by, roleCodes[change], `role/${name}`, { name }, told)
}

/** 20209, 20210, 20211. */
export function profileChanged(
  hostName: string,
  by: Author,
  change: Change,
  name: string,
  roles: readonly string[],
): AuditEvent {
  const fields = { name, rolesNames: roles.join(', ') }
  return event(hostName, by, profileCodes[change], `profile/${name}`, fields, [])
}

function event(
  hostName: string,
  by: Author,
  code: number,
  target: string,
  fields: Readonly<Record<string, string>>,
  eventParams: readonly (readonly [string, string])[],
): AuditEvent {
  return selfEvent({ code, ...by, hostName, outcome: 'success', target, fields, eventParams })
}
