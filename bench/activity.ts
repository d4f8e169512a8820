// Made-up activity that looks like the real thing: accounts log in and out, search, and change things, in the
// words of the product's public message templates. The same number always gives the same activity, so that every
// run and every peer sees the same lines.

import { randomBytes } from 'node:crypto'
import type { AuditEvent, Micros } from '../src/entry/event.ts'

/** The host that the made-up activity happened on. */
export const activityHost = 'portal-01.example.com'

// Sets the ids of this run apart from those of all others.
const run = randomBytes(6).toString('hex')

interface Activity {
  readonly account: string
  readonly category: string
  readonly code: string
  readonly text: string
}

const kinds: readonly ((session: string, n: number) => Omit<Activity, 'account'>)[] = [
  (session) => ({ category: 'LOGIN', code: '20101', text: `User account logged with session id ${session}` }),
  (session) => ({
    category: 'LOGIN',
    code: '20102',
    text: `User account logged out with session id ${session}`,
  }),
  (_, n) => ({
    category: 'LOGIN',
    code: '20103',
    text: `Login failed for user ${accountOf(n)} from 10.20.${n % 256}.17`,
  }),
  (_, n) => ({
    category: 'ACCOUNT',
    code: '20204',
    text: `Account ${accountOf(n + 7)} updated: profile of department ${n % 97}`,
  }),
  (session, n) => ({
    category: 'SEARCH',
    code: '20310',
    text: `Search ${session.slice(0, 8)} over dashboard ${n % 1009} finished`,
  }),
]

/** The k-th event, ready for a log. Its id differs from run to run, so that it is never one recorded before. */
export function eventAt(k: number): AuditEvent {
  const { account, category, code, text } = activityAt(k)
  return {
    id: eventId(k),
    via: 'http',
    by: 'console',
    code,
    severity: 5,
    hostName: activityHost,
    appName: 'portal',
    actor: account,
    component: 'Portal',
    category,
    message: headed({ account, category, code, text }),
  }
}

/** The id of the k-th event of this run, in the form of a random UUID (version 4): nothing in it tells its age. */
export function eventId(k: number): string {
  return `${k.toString(16).padStart(8, '0')}-0000-4000-8000-${run}`
}

/** The k-th line of a log file as rsyslog writes it (contract L5, second form), without the newline. */
export function fileLineAt(k: number, time: Micros): string {
  const second = new Date(Math.floor(time / 1000)).toISOString().slice(0, 19)
  const micros = String(time % 1_000_000).padStart(6, '0')
  return `${second}.${micros}+00:00 ${activityHost} portal: ${headed(activityAt(k))}`
}

function activityAt(k: number): Activity {
  const n = scramble(k)
  const session = n.toString(16).padStart(8, '0').repeat(4)
  const kind = kinds[n % kinds.length] ?? kinds[0]
  if (kind === undefined) throw new Error('there are no kinds of activity')
  return { account: accountOf(n), ...kind(session, n) }
}

function headed({ account, category, code, text }: Activity): string {
  return `[Portal|${category}|${code}|${account}] ${text}`
}

function accountOf(n: number): string {
  return `account-${(n >>> 8) % 5_000}`
}

// The finalizer of MurmurHash3: 32 bits that look like chance.
function scramble(k: number): number {
  let n = Math.imul(k ^ (k >>> 16), 0x85ebca6b)
  n = Math.imul(n ^ (n >>> 13), 0xc2b2ae35)
  return (n ^ (n >>> 16)) >>> 0
}
