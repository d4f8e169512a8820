// What a gateway records of itself and of its instances: 29062 to 29064. What it refuses is recorded where it is
// answered (`http/`).

import type { AuditEvent } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import { namedInstances } from '../limits.ts'

/** Who records. */
export interface GatewayPlace {
  readonly hostName: string
  readonly component: string
}

/** 29062. */
export function instancesLoaded(
  place: GatewayPlace,
  region: string,
  names: {
    readonly all: number
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
  },
): AuditEvent {
  const told = (what: string, list: readonly string[]) =>
    list.length === 0 ? [] : [[what, list.slice(0, namedInstances).join(' ')] as const]
  return selfEvent({
    code: 29062,
    actor: '*system',
    ...place,
    outcome: 'success',
    fields: { region, n: String(names.all) },
    details: [
      ...told('added', names.added),
      ...told('changed', names.changed),
      ...told('removed', names.removed),
    ],
  })
}

/** 29063. */
export function instanceSilent(place: GatewayPlace, instance: string, reason: string): AuditEvent {
  const target = `instance/${instance}`
  return selfEvent({
    code: 29063,
    actor: '*system',
    ...place,
    outcome: 'failure',
    target,
    fields: { instance, reason },
  })
}

/** 29064. */
export function instanceBack(place: GatewayPlace, instance: string, seconds: number): AuditEvent {
  const target = `instance/${instance}`
  return selfEvent({
    code: 29064,
    actor: '*system',
    ...place,
    outcome: 'success',
    target,
    fields: { instance, seconds: String(seconds) },
  })
}
