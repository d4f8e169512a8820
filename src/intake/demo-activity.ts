// A month of activity that never happened, for the demo: what a portal and its engines would have recorded of an
// office of a dozen people. It is history in a form that `annals import` reads (RFC 5424, contract L5), in the words
// of the catalogue's templates and of nothing else.
//
// It depends on its options alone: the same seed gives the same history, and one seed gives all nodes one story.

import type { Micros } from '../entry/event.ts'
import { lookUp, renderTemplate } from '../entry/catalogue.ts'
import { formatMicros } from '../entry/time.ts'
import type { Act } from './demo/act.ts'
import { administrationOf, storyOf, type Change } from './demo/administration.ts'
import { daysBefore } from './demo/calendar.ts'
import { chanceOf, type Chance } from './demo/chance.ts'
import { engineDay } from './demo/engine-day.ts'
import { portalDay } from './demo/portal-day.ts'

/** Whose history. An engine's name is the component of its entries, as `Engine-01`. */
export type DemoNode = { readonly kind: 'portal' } | { readonly kind: 'engine'; readonly name: string }

/** Which history. */
export interface DemoOptions {
  readonly node: DemoNode
  /** All of it lies before. */
  readonly end: Micros
  /** It begins so many days before the end, at the next midnight (UTC). */
  readonly days: number
  readonly seed: number
}

/**
 * The lines of a log file, without newlines, their times strictly increasing. They name no host: who imports them
 * puts in the node's own name.
 */
export function* demoActivity({ node, end, days, seed }: DemoOptions): Generator<string, void> {
  const calendar = daysBefore(end, days)
  const story = storyOf(calendar)
  const changes = administrationOf(seed, calendar, story)
  const name = node.kind === 'portal' ? 'Portal' : node.name
  const write = writerOf(node, chanceOf(seed, name, 'processes'))
  let last = Number.NEGATIVE_INFINITY
  for (const [k, day] of calendar.entries()) {
    const chance = chanceOf(seed, name, day.start)
    const usual = node.kind === 'portal' ? portalDay(day, story, chance) : engineDay(day, story, chance)
    const next = calendar[k + 1]?.start ?? end
    const changed = changes.filter(({ time }) => time >= day.start && time < next)
    const acts = [...usual, ...changed.flatMap((change) => recorded(change, node, chance))]
    for (const act of acts.sort((a, b) => a.time - b.time)) {
      const time = Math.max(Math.round(act.time), last + 1)
      if (time >= end) return
      last = time
      yield write({ ...act, time })
    }
  }
}

// An engine hears of a change from the portal, and records it a moment later.
function recorded({ time, portal, engine }: Change, { kind }: DemoNode, chance: Chance): Act[] {
  const [deed, delay] = kind === 'portal' ? [portal, 0] : [engine, chance.between(90_000, 900_000)]
  return deed === undefined ? [] : [{ time: time + delay, ...deed }]
}

const logAudit = 13
const notice = 5
const warning = 4
const warnings = new Set([20103, 20104, 10002])
const starts = new Set([20001, 10001])

function writerOf(node: DemoNode, chance: Chance): (act: Act) => string {
  const component = node.kind === 'portal' ? 'Portal' : node.name
  const appName = node.kind === 'portal' ? 'nxauditlog' : 'nxengine'
  const newProcess = () => chance.between(600, 32_768)
  let procId = newProcess()
  return ({ time, code, fields }) => {
    if (starts.has(code)) procId = newProcess()
    const [known] = lookUp(component, code)
    if (known?.template === undefined)
      throw new TypeError(`the catalogue has no template for ${component} ${code}`)
    const message = renderTemplate(known.template, { engineName: component, ...fields })
    const priority = logAudit * 8 + (warnings.has(code) ? warning : notice)
    return `<${priority}>1 ${formatMicros(time)} - ${appName} ${procId} ${code} - ${message}`
  }
}
