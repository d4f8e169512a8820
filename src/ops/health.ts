// Whether a node takes requests, and if not, why. A log that refuses to record for want of space (I9) leaves the
// node ready: reading goes on, and a balancer that took the node away would stop that too. It is said all the same. So
// does a log that is read-only because a witness proved that it was rolled back.

import { formatMicros } from '../entry/time.ts'

/** Where a node is in its life. It goes forward only, except that every phase may fail. */
export type Phase = 'starting' | 'running' | 'stopping' | 'failed'

/** Whether the log records, as its own status says. */
export type Recording = 'accepting' | 'refusing' | 'read-only' | 'failed' | 'closed'

/** What `/readyz` says. */
export interface HealthReport {
  readonly ready: boolean
  readonly phase: Phase
  /** Undefined before the log is open. */
  readonly recording: Recording | undefined
  /** What is wrong, for people. Empty where nothing is. */
  readonly problems: readonly string[]
  /** When the background check last ended a pass over the whole log: null before the first, not there where it is off. */
  readonly lastFullCheck?: string | null
  /** How many places it found damaged. */
  readonly faults?: number
}

/** What is known of the background check of the log. */
export interface CheckedLog {
  /** Microseconds since the epoch. */
  readonly lastFull: number | undefined
  readonly faults: readonly { readonly place: string; readonly reason: string }[]
}

/** A node's health. */
export interface Health {
  enter(phase: Phase): void
  isReady(): boolean
  report(): HealthReport
}

/**
 * Begins as `starting`. `recording` is asked at every question, and `warnings` for what people must know although the node
 * goes on. `checked` is what the background check of the log knows; undefined where there is none.
 */
export function createHealth(
  recording: () => Recording | undefined,
  warnings: () => readonly string[] = () => [],
  checked: () => CheckedLog | undefined = () => undefined,
): Health {
  let phase: Phase = 'starting'
  const report = (): HealthReport => {
    const state = recording()
    const check = checked()
    const isFailed = phase === 'failed' || state === 'failed'
    const isReady =
      phase === 'running' && (state === 'accepting' || state === 'refusing' || state === 'read-only')
    return {
      ready: isReady,
      phase: isFailed ? 'failed' : phase,
      recording: state,
      problems: [
        ...problemsOf(isFailed ? 'failed' : phase, state),
        ...(check?.faults ?? []).map(({ place, reason }) => `the audit log is damaged: ${place}: ${reason}`),
        ...warnings(),
      ],
      ...(check === undefined ? {} : numbersOf(check)),
    }
  }
  return {
    enter(next) {
      if (order.indexOf(next) > order.indexOf(phase)) phase = next
    },
    isReady: () => report().ready,
    report,
  }
}

const order: readonly Phase[] = ['starting', 'running', 'stopping', 'failed']

const readOnly =
  'this log is an older copy of itself, as a witness proves: it is read-only, and is continued only as a new log'

function problemsOf(phase: Phase, recording: Recording | undefined): string[] {
  if (phase === 'failed') return ['the audit log cannot be written any more, and this node ends']
  if (phase !== 'running') return [`this node is ${phase}`]
  if (recording === 'read-only') return [readOnly]
  return recording === 'refusing' ? ['nothing is recorded for want of disk space; reading goes on'] : []
}

function numbersOf({ lastFull, faults }: CheckedLog): Pick<HealthReport, 'lastFullCheck' | 'faults'> {
  return { lastFullCheck: lastFull === undefined ? null : formatMicros(lastFull), faults: faults.length }
}
