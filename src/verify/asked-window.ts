// Whether a log has answered for the window that was asked for (contract W1 to W5). A date without an offset is in a time
// zone that only the server knows: then it has to be that date somewhere on earth, and the length has to be right.

import type { Micros } from '../entry/event.ts'
import { parseWindow, resolveWindow } from '../entry/window.ts'

/** The window that was answered for; `start` is undefined where it begins with the log. */
export interface AnsweredWindow {
  readonly start: Micros | undefined
  readonly end: Micros
  /** When the log recorded the read: its "now". */
  readonly now: Micros
}

// From UTC-12 to UTC+14.
const zonesMicros = 14 * 3_600 * 1_000_000

/** `query`: as it stands behind the `?` of the URL, undecoded. */
export function isAskedWindow(query: string, { start, end, now }: AnsweredWindow): boolean {
  const asked = parseWindow(query, 'UTC')
  const { start: first, end: last } = resolveWindow(asked, now)
  if (asked.elapsed === undefined && start !== undefined) return false
  if (isExact(query)) return end === last && (start ?? Number.MIN_SAFE_INTEGER) === first
  const { before = now, elapsed } = asked
  const isThere = (time: Micros, utc: Micros) => Math.abs(time - utc) <= zonesMicros
  if (end > now || !(end === now ? before >= now - zonesMicros : isThere(end, before))) return false
  if (elapsed === undefined || start === undefined) return (elapsed === undefined) === (start === undefined)
  return end === now ? start === end || isThere(start, before - elapsed) : end - start === elapsed
}

function isExact(query: string): boolean {
  const [, value] = /(?:^|&)before_date=([^&]*)/.exec(query) ?? []
  return value === undefined || /(Z|[+-]\d\d:\d\d)$/i.test(decodeURIComponent(value))
}
