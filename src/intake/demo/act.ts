// What happened and when, before it is a line; and the acts that come in pairs.

import type { Micros } from '../../entry/event.ts'
import { second } from './calendar.ts'
import type { Chance } from './chance.ts'

/** Something that happened: a code of the catalogue, and the fields of its template. */
export interface Act {
  readonly time: Micros
  readonly code: number
  readonly fields?: Readonly<Record<string, string>>
}

/** A stretch of time, half-open. */
export interface Stretch {
  readonly from: Micros
  readonly to: Micros
}

/** A login to the portal, and its logout. */
export function portalSession(account: string, { from, to }: Stretch, chance: Chance): Act[] {
  const fields = { account, sessionId: chance.hex(32) }
  return [
    { time: from, code: 20101, fields },
    { time: to, code: 20102, fields },
  ]
}

/** A login to the portal that failed. The reasons are those that a portal of ours gives. */
export function failedLogin(time: Micros, account: string, reason: string): Act {
  return { time, code: 20103, fields: { account, reason } }
}

/** A login to the Finder, from the attempt on, and its logout. */
export function finderSession(account: string, { from, to }: Stretch, chance: Chance): Act[] {
  const milliseconds = chance.between(140, 2_600)
  return [
    { time: from, code: 10008, fields: { account } },
    {
      time: from + milliseconds * 1000,
      code: 10006,
      fields: { account, milliseconds: String(milliseconds) },
    },
    { time: Math.max(to, from + 5 * second), code: 10007, fields: { account } },
  ]
}
