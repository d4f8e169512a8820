// An event as an application posts it, checked and completed from the catalogue. A wrong one is refused by the name of
// what is wrong with it; nothing of it is guessed or left out, once its JSON has been read: there numbers become doubles
// (RFC 8259 section 6), and of members with the same name the last one counts (section 4).

import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type AuditCode, fieldsOf, lookUp, renderTemplate, textTemplateOf } from '../entry/catalogue.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { parseTimestamp } from '../entry/foreign.ts'
import { renderHeader } from '../entry/header.ts'
import { isSaturated } from '../entry/time-zone.ts'
import { AnnalsError } from '../errors.ts'
import { detailDepth } from '../limits.ts'
import { flatten } from './flatten.ts'
import type { OuterVia } from './intake.ts'
import { shown } from './shown.ts'
import { PostedEvent } from './event-schema.ts'

/** What is known of an event besides itself. */
export interface PostedContext {
  readonly via: OuterVia
  /** Who posts it. */
  readonly by: string
  /** The node's own, for what the event does not say. */
  readonly hostName: string
  readonly component: string
}

// As `PostedEvent`, but for what is looked at faster by ourselves: names that are not known, and what details hold.
const schema = Compile(Type.Object({ ...PostedEvent.properties, details: Type.Optional(Type.Object({})) }))

function isPosted(value: unknown): value is PostedEvent {
  if (!schema.Check(value)) return false
  for (const name in value) if (!Object.hasOwn(PostedEvent.properties, name)) return false
  return true
}

/** The event that a posted value is. Throws INVALID_EVENT, naming the field that is wrong and what was expected. */
export function parsePosted(value: unknown, context: PostedContext): AuditEvent & { component: string } {
  return eventOfPosted(isPosted(value) ? value : refuse(value), context)
}

/** The event of what has the right form. Throws INVALID_EVENT. */
export function eventOfPosted(
  posted: PostedEvent,
  { via, by, hostName, component: nodeComponent }: PostedContext,
): AuditEvent & { component: string } {
  const component = posted.component ?? componentOf(posted.code, nodeComponent)
  const known = lookUp(component, posted.code)[0]
  const fields = fieldsIn(posted, known)
  const actor = posted.actor ?? actorOf(known, fields)
  const category = posted.category ?? known?.category
  const text = posted.message ?? fillIn(known, posted, component, { actor, fields })
  const code = String(posted.code)
  // In one shape, whatever was posted: tens of thousands of them a second.
  return {
    id: posted.id === undefined ? randomUUID() : posted.id.toLowerCase(),
    via,
    by,
    code,
    severity: posted.severity ?? (posted.outcome === 'failure' ? 4 : 5),
    hostName,
    occurred: posted.occurred === undefined ? undefined : instantOf(posted.occurred),
    actor,
    component,
    category,
    outcome: posted.outcome,
    session: posted.session,
    target: posted.target,
    eventParams: paramsOf(posted, fields),
    details: posted.details === undefined ? undefined : detailsOf(posted.details),
    message: `${renderHeader({ component, category, code, actor })} ${text}`,
  }
}

// The product's own components have codes of their own; whatever else is an engine's.
function componentOf(code: number, nodeComponent: string): string {
  const families = ['Portal', 'Console', 'Infinity'].filter(
    (family) => lookUp(family, code)[0]?.family === family,
  )
  return families.length === 1 ? (families[0] ?? nodeComponent) : nodeComponent
}

const noFields: Readonly<Record<string, string>> = {}

function fieldsIn({ fields }: PostedEvent, known: AuditCode | undefined): Readonly<Record<string, string>> {
  if (fields === undefined) return noFields
  const texts: Record<string, string> = {}
  const names = known?.template === undefined ? [] : fieldsOf(known.template)
  for (const name of Object.keys(fields)) {
    if (!names.includes(name)) throw unknownField(name, names)
    demandExact(fields[name], `fields.${name}`)
    texts[name] = String(fields[name])
  }
  return texts
}

// A template's actor may be somebody, or a placeholder.
function actorOf(known: AuditCode | undefined, fields: Readonly<Record<string, string>>): string {
  const template = known?.actor
  const isGiven = template !== undefined && fieldsOf(template).every((name) => fields[name] !== undefined)
  if (!isGiven) throw invalid('actor', 'is missing: expected who did it')
  return renderTemplate(template, fields)
}

// The header is made anew: that of a template may hold another event's code.
function fillIn(
  known: AuditCode | undefined,
  { code, session }: PostedEvent,
  component: string,
  { actor, fields }: { readonly actor: string; readonly fields: Readonly<Record<string, string>> },
): string {
  const text = known === undefined ? undefined : textTemplateOf(known)
  if (text === undefined)
    throw invalid('message', `is missing: the catalogue has no template for code ${code} of ${component}`)
  const given: Partial<Record<string, string>> = {
    account: actor,
    engineName: component,
    sessionId: session,
    ...fields,
  }
  for (const name of fieldsOf(text)) {
    if (given[name] === undefined) throw missing(name, fieldsOf(text), code)
  }
  return renderTemplate(text, given)
}

function missing(name: string, names: readonly string[], code: number): AnnalsError {
  const instead = name === 'sessionId' ? '; "session" says it, too' : ''
  const problem = `is missing: the template of code ${code} needs ${names.join(', ')}${instead}`
  return invalid(`fields.${name}`, problem)
}

function instantOf(written: string): Micros {
  const micros = parseTimestamp(written.toUpperCase(), 9)
  if (typeof micros === 'string') throw invalid('occurred', `is ${JSON.stringify(written)}: ${micros}`)
  if (isSaturated(micros))
    throw invalid('occurred', `is ${JSON.stringify(written)}: expected a time from 1685 to 2254`)
  return micros
}

// What is said under a name of its own is not said again.
function paramsOf(
  { sourceAddress, session }: PostedEvent,
  fields: Readonly<Record<string, string>>,
): AuditEvent['eventParams'] {
  if (sourceAddress === undefined && fields === noFields) return undefined
  if (sourceAddress !== undefined && isIP(sourceAddress) === 0)
    throw invalid('sourceAddress', expectation('sourceAddress', sourceAddress))
  const params: [string, string][] = sourceAddress === undefined ? [] : [['sourceAddress', sourceAddress]]
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (value !== undefined && !(name === 'sessionId' && value === session)) params.push([name, value])
  }
  return params
}

const detailName = /^[A-Za-z0-9_.-]{1,32}$/

function detailsOf(details: Readonly<Record<string, unknown>>): AuditEvent['details'] {
  for (const name of Object.keys(details)) {
    const value = details[name]
    if (typeof value !== 'string') demandExact(value, `details.${name}`)
  }
  const flat = flattened(details)
  let nested: Set<string> | undefined
  for (const [name] of flat) {
    if (!detailName.test(name))
      throw invalid(
        `details.${name}`,
        'has a name that is not expected: at most 32 letters, digits, ".", "_" and "-", with those that it is nested in',
      )
    // `a.b`, and a `b` in `a`.
    if (!name.includes('.')) continue
    nested ??= new Set()
    if (nested.has(name)) throw invalid(`details.${name}`, 'comes twice, once it is flattened')
    nested.add(name)
  }
  return flat
}

// A number that JavaScript reads as another one would be recorded as that. What is nested too deep is refused elsewhere.
function demandExact(value: unknown, name: string, depth = 1): void {
  if (typeof value === 'number') {
    const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
    if (!isExact) throw invalid(name, 'is a number that cannot be kept exactly: send it as a text')
  }
  if (typeof value !== 'object' || value === null || depth > detailDepth) return
  for (const [part, inner] of Object.entries(value)) demandExact(inner, `${name}.${part}`, depth + 1)
}

function flattened(details: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  try {
    return flatten(details)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw invalid('details', `cannot be flattened: ${error.message}`)
  }
}

// The first thing that is wrong, in the order in which a person would look.
function refuse(value: unknown): never {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AnnalsError('INVALID_EVENT', `an event is expected to be a JSON object, not ${kindOf(value)}`)
  const posted = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(posted).find((name) => !Object.hasOwn(PostedEvent.properties, name))
  if (unknown !== undefined) throw unknownField(unknown, Object.keys(PostedEvent.properties), '')
  if (posted['code'] === undefined) throw invalid('code', `is missing: expected ${expected('code')}`)
  for (const [name, property] of properties) {
    const given = posted[name]
    if (given !== undefined && !property.Check(given))
      throw invalid(nameIn(name, given), expectation(name, given))
  }
  throw new AnnalsError('INVALID_EVENT', 'the event is not as its schema says')
}

const properties = Object.entries(PostedEvent.properties).map(
  ([name, property]) => [name, Compile(property)] as const,
)

// Of `fields`, the one that is wrong.
function nameIn(name: string, given: unknown): string {
  if (name !== 'fields' || typeof given !== 'object' || given === null) return name
  const wrong = Object.entries(given).find(([, value]) => typeof value === 'object')
  return wrong === undefined ? name : `${name}.${wrong[0]}`
}

function expectation(name: string, given: unknown): string {
  return `is ${kindOf(given)}: expected ${expected(name)}`
}

function expected(name: string): string {
  const property: object = PostedEvent.properties[name as keyof PostedEvent]
  return 'expects' in property ? String(property.expects) : 'something else'
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number that is too large'
  return JSON.stringify(typeof value === 'string' ? shown(value) : value)
}

function unknownField(name: string, names: readonly string[], prefix = 'fields.'): AnnalsError {
  const choice = names.length === 0 ? 'none, for this code has no template: use details' : names.join(', ')
  return invalid(`${prefix}${name}`, `is not known: expected ${prefix === '' ? 'one of ' : ''}${choice}`)
}

function invalid(name: string, problem: string): AnnalsError {
  const field = shown(name)
  return new AnnalsError('INVALID_EVENT', `"${field}" ${problem}`, { field })
}
