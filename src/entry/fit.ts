// Fits what a sender calls itself and its elements to RFC 5424, and keeps what had to be changed for that in
// `[source@32473 …]` (contract L1, L2):
//
//   hostName, appName, procId, msgId   the field as it was sent
//   element="new old"                  an element's name, what it became first
//   param="element new old"            a parameter's name
//
// A character that may not stand there becomes `_`. Elements that have our names get the prefix `from-`, and nothing
// of them is lost by it: nobody can forge a position or a login.

import type { AuditEvent, Element } from './event.ts'

/** What becomes of a sender's names. */
export interface Fitted {
  readonly hostName: string
  readonly appName: string
  readonly procId: string
  readonly msgId: string
  readonly elements: readonly Element[]
  /** The parameters of `[source@32473 …]`. */
  readonly source: readonly (readonly [string, string])[]
}

type Changes = [string, string][]

const ours = /^(?:audit|event|detail|source)@32473$/i
const nameCharacters = 32

/** True for a name of an element that only the log writes, in any case of its letters. */
export function isOurs(name: string): boolean {
  return ours.test(name)
}

/** Fits an event's header fields and the sender's own elements. */
export function fit(event: AuditEvent): Fitted {
  const source: Changes = []
  const field = (name: string, text: string, most: number): string => {
    const fitted = fitField(text, most)
    if (fitted !== text) source.push([name, text])
    return fitted
  }
  return {
    hostName: field('hostName', event.hostName, 255),
    appName: field('appName', event.appName ?? 'annals', 48),
    procId: field('procId', event.procId ?? '-', 128),
    msgId: field('msgId', event.code, 32),
    elements: fitElements(event.elements ?? [], source),
    source,
  }
}

/** A name of an element or a parameter, fitted to RFC 5424's SD-NAME. */
export function fitName(text: string): string {
  return text.replace(/[^!#-<>-\\^-~]/gu, '_').slice(0, nameCharacters) || '_'
}

function fitField(text: string, most: number): string {
  return text.replace(/[^!-~]/gu, '_').slice(0, most) || '-'
}

function fitElements(elements: readonly Element[], source: Changes): Element[] {
  const taken = new Map<string, number>()
  return elements.map((element) => {
    const name = freeName(fromName(fitName(element.name)), taken)
    // The prefix alone says what it was.
    if (name !== element.name && name !== `from-${element.name}`)
      source.push(['element', `${name} ${element.name}`])
    return { name, params: element.params.map(([param, value]) => [fitParam(name, param, source), value]) }
  })
}

function fitParam(element: string, name: string, source: Changes): string {
  const fitted = fitName(name)
  if (fitted !== name) source.push(['param', `${element} ${fitted} ${name}`])
  return fitted
}

function fromName(name: string): string {
  return isOurs(name) ? `from-${name}` : name
}

// RFC 5424 section 6.3.2: a message has an SD-ID once. What is taken has the number to try next, so that thousands of
// elements of one name cost no more than as many of different names.
function freeName(name: string, taken: Map<string, number>): string {
  const next = taken.get(name)
  if (next === undefined) {
    taken.set(name, 2)
    return name
  }
  let k = next
  while (taken.has(numbered(name, k))) k += 1
  taken.set(name, k + 1)
  return freeName(numbered(name, k), taken)
}

// The number goes before the `@`, and the name is cut before both.
function numbered(name: string, k: number): string {
  const at = name.includes('@') ? name.indexOf('@') : name.length
  const number = `-${k}`
  const room = nameCharacters - number.length - (name.length - at)
  return room < 1
    ? name.slice(0, nameCharacters - number.length) + number
    : name.slice(0, Math.min(at, room)) + number + name.slice(at)
}
