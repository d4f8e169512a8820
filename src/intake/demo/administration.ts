// What administrators change in the course of the demo's time. It is one story for all nodes: what an administrator
// does at the portal is in the portal's log, and where it concerns engines, a moment later in the log of each.

import type { Micros } from '../../entry/event.ts'
import { portalSession, type Act } from './act.ts'
import { hour, minute, second, type Day } from './calendar.ts'
import { chanceOf, type Chance } from './chance.ts'
import { administrators, forgetful, leaver, newcomer, staff, target } from './people.ts'
import { changesOf, type Shelf, type ShelfChange } from './shelf.ts'

/** A change, as the portal records it and as every engine does. Undefined: it does not. */
export interface Change {
  readonly time: Micros
  readonly portal?: Deed
  readonly engine?: Deed
}

type Deed = Omit<Act, 'time'>

/** The days on which something particular happens. Undefined where there are too few. */
export interface Story {
  readonly hiring: Day | undefined
  readonly lockout: Day | undefined
  readonly incident: Day | undefined
  readonly leaving: Day | undefined
}

/** Spreads the story over the days. */
export function storyOf(days: readonly Day[]): Story {
  const workdays = days.filter(({ isWorkday }) => isWorkday)
  const at = (share: number) => workdays[Math.floor(workdays.length * share)]
  return { hiring: at(0.2), lockout: at(0.4), incident: at(0.6), leaving: at(0.8) }
}

/** Whether somebody has an account during the whole of a day. */
export function hasAccount(account: string, { start }: Day, { hiring, leaving }: Story): boolean {
  if (account === newcomer) return hiring !== undefined && start > hiring.start
  if (account === leaver) return leaving === undefined || start < leaving.start
  return true
}

/** When the incident of the story's day begins: before most are at work. */
export function incidentStart(day: Day): Micros {
  return day.start + 7 * hour + 21 * minute
}

/** All changes of the days, in the order of their times within a session. */
export function administrationOf(seed: number, days: readonly Day[], story: Story): Change[] {
  const chance = chanceOf(seed, 'administration')
  const works = worksOf(chance)
  return days.flatMap((day) => [
    ...(day === story.incident ? afterIncident(day, chance) : []),
    ...(day.isWorkday ? sessions(day, story, works, chance) : []),
  ])
}

type Work = (account: string) => Omit<Change, 'time'>

function sessions(day: Day, story: Story, works: readonly Work[], chance: Chance): Change[] {
  const special = [
    ...(day === story.hiring ? [userWork(newcomer, 20201, 10009)] : []),
    ...(day === story.leaving ? [userWork(leaver, 20202, 10010)] : []),
  ]
  const usual = () => Array.from({ length: chance.between(2, 6) }, () => chance.pick(works))
  const morning = session(day.start + chance.between(9 * hour, 11 * hour), [...special, ...usual()], chance)
  // A change that is not made must not be drawn: what it adds would be missed later.
  if (!chance.happens(0.6)) return morning
  return [...morning, ...session(day.start + chance.between(13 * hour, 15 * hour), usual(), chance)]
}

function session(from: Micros, works: readonly Work[], chance: Chance): Change[] {
  const account = chance.pick(administrators)
  let time = from
  const changes = works.map((work) => {
    time += chance.between(35 * second, 6 * minute)
    return { time, ...work(account) }
  })
  const stretch = { from, to: time + chance.between(20 * second, 3 * minute) }
  return [...portalSession(account, stretch, chance).map(atPortal), ...changes]
}

function atPortal({ time, ...portal }: Act): Change {
  return { time, portal }
}

// The administrator unlocks the account that was attacked, and looks at what it was allowed to.
function afterIncident(day: Day, chance: Chance): Change[] {
  const [account] = administrators
  const from = incidentStart(day) + chance.between(8 * minute, 10 * minute)
  const unlocking = from + chance.between(35 * second, 90 * second)
  const reviewing = unlocking + chance.between(3 * minute, 6 * minute)
  const to = reviewing + chance.between(minute, 3 * minute)
  return [
    ...portalSession(account, { from, to }, chance).map(atPortal),
    { time: unlocking, ...userWork(target, 20203, 10011)(account) },
    { time: reviewing, portal: { code: 20207, fields: { account, name: 'Remote access' } } },
  ]
}

function userWork(user: string, portalCode: 20201 | 20202 | 20203, engineCode: number): Work {
  const fields = { createdAccount: user, deletedAccount: user, updatedAccount: user }
  return (account) => ({
    portal: { code: portalCode, fields: { account, ...fields } },
    engine: { code: engineCode, fields },
  })
}

const roles: Shelf = {
  names: ['Audit reader', 'Service desk', 'Remote access', 'Application owner', 'Security analyst'],
  spare: ['Contractor', 'Night shift', 'Packaging', 'Campaign author', 'Print services'],
}
const profiles: Shelf = {
  names: ['IT operations', 'Service desk', 'Read only', 'Security'],
  spare: ['Workplace', 'Branch offices', 'External audit', 'Migration'],
}
const hierarchies: Shelf = { names: ['Location', 'Department'], spare: ['Cost centre', 'Network zone'] }
const alerts: Shelf = {
  names: ['Disk almost full', 'Crash rate of applications', 'Logon takes long', 'Unsigned binary seen'],
  spare: ['Zürich: VPN slow', 'CPU of servers', 'Antivirus outdated', 'Lyon: Wi-Fi lost', 'Reboot overdue'],
}
const accounts = staff.filter((account) => account !== target && account !== forgetful)

// One for each kind of work, and more than one for what is done more often.
function worksOf(chance: Chance): Work[] {
  const role = changesOf(roles, chance)
  const profile = changesOf(profiles, chance)
  const hierarchy = changesOf(hierarchies, chance)
  const alert = changesOf(alerts, chance)
  const update: Work = (account) => userWork(chance.pick(accounts), 20203, 10011)(account)
  const password: Work = () => ({
    engine: { code: 10012, fields: { changedAccount: chance.pick(accounts) } },
  })
  const ownership: Work = (account) => ({
    portal: { code: 20204, fields: { account, n: String(chance.between(1, 12)) } },
  })
  const alerting: Work = () => {
    const { change, name } = alert()
    return {
      engine: { code: { added: 10017, removed: 10018, updated: 10019 }[change], fields: { alertName: name } },
    }
  }
  const naming =
    (codes: Record<ShelfChange['change'], number>, next: () => ShelfChange): Work =>
    (account) => {
      const { change, name } = next()
      return { portal: { code: codes[change], fields: { account, name, rolesNames: someRoles(chance) } } }
    }
  return [
    update,
    update,
    ownership,
    password,
    alerting,
    alerting,
    alerting,
    naming({ added: 20206, updated: 20207, removed: 20208 }, role),
    naming({ added: 20209, updated: 20210, removed: 20211 }, profile),
    naming({ added: 20209, updated: 20210, removed: 20211 }, profile),
    naming({ added: 20501, removed: 20502, updated: 20503 }, hierarchy),
  ]
}

function someRoles(chance: Chance): string {
  return roles.names.filter(() => chance.happens(0.4)).join(', ') || 'Service desk'
}
