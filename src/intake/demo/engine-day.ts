// A day in the life of one of the demo's engines.

import { finderSession, type Act } from './act.ts'
import { hasAccount, type Story } from './administration.ts'
import { hour, minute, second, type Day } from './calendar.ts'
import type { Chance } from './chance.ts'
import { administrators, leaver, newcomer, services, staff } from './people.ts'
import { within, workOf, type Habit } from './working-day.ts'

/** What happens at an engine on a day, beside what administrators change. In no order. */
export function engineDay(day: Day, story: Story, chance: Chance): Act[] {
  const people = [...administrators, ...staff, newcomer, leaver]
  return [
    ...people
      .filter((account) => hasAccount(account, day, story))
      .flatMap((account) => work(account, day, chance)),
    ...jobs(day, chance),
    ...(day.isSunday ? maintenance(day, chance) : []),
    ...(day.isWorkday && chance.happens(0.06) ? crash(day, chance) : []),
  ]
}

const habit: Habit = { presence: 0.6, stretches: [1, 5], weekend: 0.02 }

function work(account: string, day: Day, chance: Chance): Act[] {
  return workOf(day, habit, chance).flatMap((stretch) => {
    const session = finderSession(account, stretch, chance)
    if (chance.happens(0.25)) session.push(within(stretch, chance, (time) => tagging(time, account, chance)))
    if (!chance.happens(0.05)) return session
    // An attempt with nothing behind it: it failed.
    const time = stretch.from - chance.between(5 * second, 40 * second)
    return [{ time, code: 10008, fields: { account } }, ...session]
  })
}

const objects = [
  ['Device', 'LT-'],
  ['Device', 'WS-'],
  ['Printer', 'PRN-'],
  ['Package', 'PKG-'],
] as const

function tagging(time: number, account: string, chance: Chance): Act {
  const [objectType, prefix] = chance.pick(objects)
  const objectName = `${prefix}${chance.between(10_000, 100_000)}`
  return { time, code: 10028, fields: { account, objectType, objectName } }
}

function jobs({ start, isWorkday }: Day, chance: Chance): Act[] {
  const synchronization = (at: number): Act => ({
    time: start + at + chance.between(0, 3 * second),
    code: 10026,
    fields: { account: services.directory },
  })
  const reports = Array.from({ length: 24 }, (_, k) => {
    const from = start + k * hour + 20 * minute + chance.between(0, 30 * second)
    return finderSession(
      services.reports,
      { from, to: from + chance.between(6 * second, 3 * minute) },
      chance,
    )
  })
  return [...reports.flat(), synchronization(2 * hour), ...(isWorkday ? [synchronization(12.5 * hour)] : [])]
}

// At an hour when no job runs and nobody works.
function maintenance({ start }: Day, chance: Chance): Act[] {
  const time = start + 3 * hour + chance.between(35 * minute, 45 * minute)
  return [
    { time, code: 10003 },
    { time: time + chance.between(25 * second, 3 * minute), code: 10001 },
  ]
}

function crash({ start }: Day, chance: Chance): Act[] {
  const time = start + 4 * hour + chance.between(35 * minute, 45 * minute)
  return [
    { time, code: 10002 },
    { time: time + chance.between(50 * second, 4 * minute), code: 10001 },
  ]
}
