// What is recorded of changes to clients: 29054 to 29056. A secret is never in it.

import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import type { Author } from './account-events.ts'
import type { RecordBounds } from './rights.ts'

/** Which client it is about. */
export interface NamedClient {
  readonly clientId: string
  readonly name: string
}

type Details = readonly (readonly [string, string])[]

/** 29054. */
export function clientAdded(hostName: string, by: Author, client: NamedClient, details: Details): AuditEvent {
  return event(hostName, by, 29054, client, {}, details)
}

/** 29055. `change` says in a word what was changed. */
export function clientChanged(
  hostName: string,
  by: Author,
  client: NamedClient,
  change: string,
  details: Details = [],
): AuditEvent {
  return event(hostName, by, 29055, client, { change }, details)
}

/** 29056. */
export function clientRemoved(hostName: string, by: Author, client: NamedClient): AuditEvent {
  return event(hostName, by, 29056, client, {}, [])
}

/** Bounds of recording in a line: `Portal,Engine-01 20000-20999,31001 own-codes`. */
export function boundsText({ components, codes, ownCodes }: RecordBounds): string {
  const ranges =
    codes === 'any'
      ? 'any'
      : codes.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
  const named = components === 'any' ? 'any' : components.join(',')
  return [named, ranges, ...(ownCodes ? ['own-codes'] : [])].join(' ')
}

function event(
  hostName: string,
  by: Author,
  code: number,
  { clientId, name }: NamedClient,
  fields: Readonly<Record<string, string>>,
  details: Details,
): AuditEvent {
  return selfEvent({
    code,
    ...by,
    hostName,
    outcome: 'success',
    target: `client:${clientId}`,
    fields: { client: clientId, name, ...fields },
    ...(details.length === 0 ? {} : { details }),
  })
}
