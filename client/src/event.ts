// An event as an application hands it in, typed by the catalogue: what a code's template needs is a property that the
// compiler demands. A code that the catalogue does not have, or that it has no template for, needs a message.

import { type Catalogue, componentOfCode } from './catalogue.ts'
import { AuditTrailError } from './errors.ts'
import { eventBytes } from './limits.ts'

/** What a placeholder can stand for. */
export type FieldValue = string | number | boolean

/** What any event may say. */
export interface AnyEvent {
  /** A UUID, where the application has one of its own for the event: the same event under the same id is recorded once. */
  readonly id?: string
  /** The category, where it is not the catalogue's. */
  readonly category?: string
  /** RFC 5424: 0 is an emergency, 7 for debugging. */
  readonly severity?: number
  readonly outcome?: 'success' | 'failure' | 'unknown'
  /** The IP address from which the actor acted. */
  readonly sourceAddress?: string
  readonly session?: string
  /** What was acted upon. */
  readonly target?: string
  /** When it happened; the moment of the call unless it is given. */
  readonly occurred?: Date | string
  /** Anything else; what is nested is flattened by the server. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** What an event says that brings its own message. */
export interface Worded {
  readonly component?: string
  readonly actor: string
  readonly message: string
  readonly fields?: Readonly<Record<string, FieldValue>>
}

type CatalogueEvent<C extends keyof Catalogue> =
  | (Catalogue[C] & { readonly message?: undefined })
  | (Omit<Worded, 'component' | 'fields'> & Pick<Catalogue[C], 'component'> & SomeFields<Catalogue[C]>)

// With words of its own, an event may say what its template would have needed.
type SomeFields<Entry> = Entry extends { readonly fields?: infer Fields }
  ? { readonly fields?: Partial<Fields> }
  : unknown

/** An event of a code. `AuditEvent` alone is one of any code, with a message of its own. */
export type AuditEvent<C extends number = number> = AnyEvent & {
  readonly code: C
} & (C extends keyof Catalogue ? CatalogueEvent<C> : Worded)

/** An event on its way: one line of the request's body, without its newline. */
export interface EncodedEvent {
  readonly id: string
  readonly line: string
  readonly bytes: number
  /** Whether the client made the id, so that it may choose another while the event was never sent. */
  readonly hasOwnId: boolean
}

/** What encoding needs. */
export interface Encoding {
  readonly makeId: () => string
  readonly now: () => number
  /** The component of events that say none and whose code is no other component's. */
  readonly component: string | undefined
}

/** Makes events lines of JSON. Throws INVALID_EVENT where one cannot be. */
export function eventEncoder({ makeId, now, component }: Encoding): (event: AuditEvent) => EncodedEvent {
  const [named, timeOf] = [
    component === undefined ? '' : `"component":${JSON.stringify(component)},`,
    isoClock(now),
  ]
  return (event) => {
    const json = jsonOf(event)
    const hasOwnId = event.id === undefined
    const id = hasOwnId ? makeId() : idIn(event, json)
    const start = hasOwnId ? `{"id":"${id}",` : '{'
    const when = event.occurred === undefined ? `"occurred":"${timeOf()}",` : ''
    const where = event.component === undefined && componentOfCode[event.code] === undefined ? named : ''
    const line = `${start}${when}${where}${json.slice(1)}`
    const bytes = Buffer.byteLength(line)
    if (bytes > eventBytes)
      throw invalid(`the event has ${bytes} bytes; expected at most ${eventBytes}`, undefined)
    return { id, line, bytes, hasOwnId }
  }
}

/** The same event under another id. */
export function withId({ line, bytes }: EncodedEvent, id: string): EncodedEvent {
  return { id, line: `{"id":"${id}"${line.slice(ownIdLength)}`, bytes, hasOwnId: true }
}

const ownIdLength = '{"id":"00000000-0000-7000-8000-000000000000"'.length

function jsonOf(event: AuditEvent): string {
  let json: string | undefined
  try {
    json = JSON.stringify(event)
  } catch (cause) {
    throw invalid('the event cannot be written as JSON', cause)
  }
  if (json === undefined || !json.startsWith('{"'))
    throw invalid('an event is an object with a code', undefined)
  return json
}

// The server and the spool know an event by the id in its line: one that is no text, or that a getter of a class says and
// JSON does not, would be none to them.
function idIn({ id }: { readonly id?: unknown }, json: string): string {
  if (typeof id === 'string' && json.includes(`"id":${JSON.stringify(id)}`)) return id
  throw new AuditTrailError('INVALID_EVENT', 'id is expected to be a string in the event itself', {
    field: 'id',
  })
}

function invalid(message: string, cause: unknown): AuditTrailError {
  return new AuditTrailError('INVALID_EVENT', message, cause === undefined ? {} : { cause })
}

// Many events share a millisecond.
function isoClock(now: () => number): () => string {
  let [last, text] = [-1, '']
  return () => {
    const at = now()
    if (at !== last) [last, text] = [at, new Date(at).toISOString()]
    return text
  }
}
