// Where log records come from, as the entries of all of them say it: made once for each resource and scope.

import type { Resource, Scope } from './log-record.ts'
import { Attributes, type Pair } from './attributes.ts'

/** What a resource and a scope say of their records. */
export interface Origin {
  readonly hostName: string | undefined
  readonly appName: string | undefined
  readonly procId: string | undefined
  /** Everything else. */
  readonly rest: readonly Pair[]
}

/** What they say. */
export function originOf(resource: Resource, scope: Scope): Origin {
  const attributes = new Attributes(resource.attributes)
  const hostName = attributes.take('host.name')
  const appName = attributes.take('service.name')
  const procId = attributes.take('process.pid')
  const rest = [
    ...scopePairs(scope),
    ...attributes.rest,
    ...dropped('resource.dropped_attributes', resource.droppedAttributes),
  ]
  return { hostName, appName, procId, rest }
}

/** That attributes were lost before they were exported, where any were. */
export function dropped(name: string, count: number): Pair[] {
  return count === 0 ? [] : [[name, String(count)]]
}

/** A pair whose text says something, or none. */
export function said(name: string, text: string): Pair[] {
  return text === '' ? [] : [[name, text]]
}

// The names that OpenTelemetry gives them where there is no place of their own.
function scopePairs({ name, version, attributes, droppedAttributes }: Scope): Pair[] {
  return [
    ...said('otel.scope.name', name),
    ...said('otel.scope.version', version),
    ...new Attributes(attributes).rest.map(([name, text]) => [`otel.scope.${name}`, text] as const),
    ...dropped('otel.scope.dropped_attributes', droppedAttributes),
  ]
}
