// An event of the node's own: what Annals records about what it does, in the catalogue's words.

import { randomUUID } from 'node:crypto'
import { lookUp, renderTemplate, textTemplateOf, type AuditCode } from './catalogue.ts'
import type { AuditEvent } from './event.ts'
import { renderHeader } from './header.ts'
import { ownCode } from './own-codes.ts'

/** What is to be said of an event of the node's own. */
export interface SelfEvent {
  readonly code: number | string
  /** Who did it; `*system` where the node did it by itself. */
  readonly actor: string
  /** What the template's placeholders stand for (`catalogue.fieldsOf`). `account` is the actor, and `sessionId` the
   *  session, where they are not given. Further fields are kept in the entry beside the message. */
  readonly fields?: Readonly<Record<string, string>>
  readonly hostName: string
  /** The node's component: `Portal` unless it is given. */
  readonly component?: string
  readonly session?: string | undefined
  readonly outcome?: 'success' | 'failure'
  readonly target?: string
  readonly details?: AuditEvent['details']
  readonly eventParams?: AuditEvent['eventParams']
  /** Made here where it is not given. */
  readonly id?: string
  /** `*system` unless it is given. */
  readonly by?: string
  readonly occurred?: number
  readonly severity?: number
}

/**
 * Makes the event. Every field stands in `[event@32473 …]` too, so that no program has to read the message.
 * Throws a TypeError for a code that is not in the catalogue, or a field that its template needs and that is missing.
 */
export function selfEvent(self: SelfEvent): AuditEvent {
  const { actor, session, component = 'Portal', fields = {}, outcome, target, details, occurred } = self
  const [code] = lookUp(component, self.code)
  if (code === undefined) throw new TypeError(`the catalogue has no code ${self.code} of ${component}`)
  const params = paramsOf(self, fields)
  return {
    id: self.id ?? randomUUID(),
    via: 'self',
    by: self.by ?? '*system',
    code: String(code.code),
    severity: self.severity ?? severityOf(code, outcome),
    hostName: self.hostName,
    actor,
    component,
    message: messageOf(code, component, actor, { ...defaults(self), ...fields }),
    ...(code.category === undefined ? {} : { category: code.category }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(session === undefined ? {} : { session }),
    ...(target === undefined ? {} : { target }),
    ...(params.length === 0 ? {} : { eventParams: params }),
    ...(details === undefined ? {} : { details }),
    ...(occurred === undefined ? {} : { occurred }),
  }
}

function defaults({ actor, session, component = 'Portal' }: SelfEvent): Record<string, string> {
  return { account: actor, engineName: component, ...(session === undefined ? {} : { sessionId: session }) }
}

// The header is made anew: that of a template may hold another event's code.
function messageOf(of: AuditCode, component: string, actor: string, fields: Record<string, string>): string {
  const { category, code } = of
  const text = renderTemplate(textTemplateOf(of) ?? of.description, fields)
  return `${renderHeader({ component, category, code: String(code), actor })} ${text}`
}

// What is already said under its own name is not said again.
function paramsOf(self: SelfEvent, fields: Readonly<Record<string, string>>): (readonly [string, string])[] {
  const given = self.eventParams ?? []
  const said = new Set(given.map(([name]) => name))
  const known = Object.entries(defaults(self))
  const more = Object.entries(fields).filter(
    ([name, value]) => !said.has(name) && !known.some((pair) => pair[0] === name && pair[1] === value),
  )
  return [...given, ...more]
}

function severityOf({ code }: AuditCode, outcome: SelfEvent['outcome']): number {
  return ownCode(code)?.severity ?? (outcome === 'failure' ? 4 : 5)
}
