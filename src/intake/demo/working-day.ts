// When somebody works with the product: in stretches over the day, at the office's hours on workdays. On other days
// nearly nobody does.

import type { Day } from './calendar.ts'
import { hour, minute } from './calendar.ts'
import type { Act, Stretch } from './act.ts'
import type { Chance } from './chance.ts'

/** How much somebody works with something. */
export interface Habit {
  /** The share of workdays with any work. */
  readonly presence: number
  /** The stretches of such a day: half-open, at least one. */
  readonly stretches: readonly [from: number, to: number]
  /** The share of other days with a stretch. */
  readonly weekend: number
}

/** The stretches of a day in which somebody works, in order, none before `earliest`. */
export function workOf(day: Day, { presence, stretches, weekend }: Habit, chance: Chance): Stretch[] {
  const from = day.start + chance.between(7.75 * hour, 9.25 * hour)
  const to = day.start + chance.between(16.5 * hour, 18.5 * hour)
  if (day.isWorkday)
    return chance.happens(presence) ? divide({ from, to }, chance.between(...stretches), chance) : []
  return chance.happens(weekend) ? divide({ from: from + 2 * hour, to: from + 4 * hour }, 1, chance) : []
}

/** An act now and then in the middle of a stretch. */
export function within({ from, to }: Stretch, chance: Chance, act: (time: number) => Act): Act {
  return act(chance.between(from + (to - from) / 4, to - (to - from) / 4))
}

// Each has its part of the time, and fills some of it: they never overlap.
function divide({ from, to }: Stretch, count: number, chance: Chance): Stretch[] {
  const part = (to - from) / count
  return Array.from({ length: count }, (_, k) => {
    const start = Math.round(from + k * part + chance.between(0, part / 3))
    return { from: start, to: Math.round(start + chance.between(4 * minute, (part * 3) / 5)) }
  })
}
