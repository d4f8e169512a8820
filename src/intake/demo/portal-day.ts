// A day in the life of the demo's portal.

import { failedLogin, portalSession, type Act } from './act.ts'
import { hasAccount, incidentStart, type Story } from './administration.ts'
import { hour, minute, second, type Day } from './calendar.ts'
import type { Chance } from './chance.ts'
import { administrators, forgetful, leaver, newcomer, services, staff, target } from './people.ts'
import { workOf, type Habit } from './working-day.ts'

/** What happens at the portal on a day, beside what administrators change. In no order. */
export function portalDay(day: Day, story: Story, chance: Chance): Act[] {
  const people = [...staff, newcomer, leaver].filter((account) => hasAccount(account, day, story))
  return [
    ...people.flatMap((account) => work(account, day, user, chance)),
    ...administrators.flatMap((account) => work(account, day, onCall, chance)),
    ...jobs(day, chance),
    ...(day.isSunday ? maintenance(day, chance) : []),
    ...(day === story.lockout ? lockout(day, chance) : []),
    ...(day === story.incident ? incident(day, chance) : []),
  ]
}

const user: Habit = { presence: 0.85, stretches: [3, 7], weekend: 0.01 }
const onCall: Habit = { presence: 0.5, stretches: [1, 3], weekend: 0.3 }

function work(account: string, day: Day, habit: Habit, chance: Chance): Act[] {
  return workOf(day, habit, chance).flatMap((stretch) => {
    const session = portalSession(account, stretch, chance)
    if (!chance.happens(0.04)) return session
    return [
      failedLogin(stretch.from - chance.between(3 * second, 25 * second), account, 'wrong-password'),
      ...session,
    ]
  })
}

function jobs({ start }: Day, chance: Chance): Act[] {
  const job = (account: string, at: number, lasting: number) =>
    portalSession(account, { from: at, to: at + chance.between(second, lasting) }, chance)
  const provisioned = start + 1.5 * hour + chance.between(0, 20 * second)
  const fields = { account: services.provisioning, n: String(chance.between(2, 60)) }
  return [
    ...Array.from(
      { length: 24 },
      (_, k) => start + k * hour + 5 * minute + chance.between(0, 20 * second),
    ).flatMap((at) => job(services.siem, at, 40 * second)),
    ...portalSession(
      services.provisioning,
      { from: provisioned, to: provisioned + chance.between(minute, 2 * minute) },
      chance,
    ),
    { time: provisioned + chance.between(second, minute), code: 20204, fields },
    ...job(services.backup, start + 22.75 * hour + chance.between(0, 5 * second), 9 * minute),
  ]
}

// At an hour when no job runs and nobody works.
function maintenance({ start }: Day, chance: Chance): Act[] {
  const stopped = start + 3.5 * hour + chance.between(0, minute)
  const starting = stopped + chance.between(20 * second, 50 * second)
  return [
    { time: stopped, code: 20004 },
    { time: starting, code: 20001 },
    { time: starting + chance.between(4 * second, 12 * second), code: 20002 },
  ]
}

// Five times an old password, a locked account, and when the lock has passed, the new one.
function lockout({ start }: Day, chance: Chance): Act[] {
  let time = start + 7 * hour + 2 * minute
  const failures = Array.from({ length: 5 }, () => {
    time += chance.between(8 * second, 30 * second)
    return failedLogin(time, forgetful, 'wrong-password')
  })
  const again = time + 16 * minute + chance.between(0, minute)
  return [
    ...failures,
    locked(time, forgetful),
    failedLogin(time + chance.between(20 * second, minute), forgetful, 'locked'),
    ...portalSession(forgetful, { from: again, to: again + chance.between(5 * minute, 15 * minute) }, chance),
  ]
}

function locked(time: number, account: string): Act {
  return { time: time + 2_117, code: 20104, fields: { account } }
}

// Somebody tries a few passwords on several accounts, then all on one, until it is locked. Its owner finds it so, and
// an administrator unlocks it (`administration.ts`).
function incident(day: Day, chance: Chance): Act[] {
  let time = incidentStart(day)
  const attempt = (account: string, reason = 'wrong-password') => {
    time += chance.between(900_000, 4 * second)
    return failedLogin(time, account, reason)
  }
  const unknown = Array.from({ length: 3 }, () => attempt(`(unknown) ${chance.hex(8)}`, 'unknown'))
  const others = ['h.byrne', 'k.lindqvist', 'p.moreau', 'r.haddad']
  const spread = [0, 1, 2].flatMap(() => others.map((account) => attempt(account)))
  const aimed = Array.from({ length: 5 }, () => attempt(target))
  const lock = locked(time, target)
  const after = Array.from({ length: 4 }, () => attempt(target, 'locked'))
  const found = incidentStart(day) + chance.between(5 * minute, 7 * minute)
  const back = incidentStart(day) + chance.between(12 * minute, 14 * minute)
  return [
    ...unknown,
    ...spread,
    ...aimed,
    lock,
    ...after,
    failedLogin(found, target, 'locked'),
    failedLogin(found + chance.between(20 * second, minute), target, 'locked'),
    ...portalSession(target, { from: back, to: back + chance.between(5 * minute, 9 * minute) }, chance),
  ]
}
