// Whether a node takes requests, and if not, why. A log that refuses to record for want of space (I9) leaves the
// node ready: reading goes on, and a balancer that took the node away would stop that too. It is said all the same.

/** Where a node is in its life. It goes forward only, except that every phase may fail. */
export type Phase = 'starting' | 'running' | 'stopping' | 'failed'

/** Whether the log records, as its own status says. */
export type Recording = 'accepting' | 'refusing' | 'failed' | 'closed'

/** What `/readyz` says. */
export interface HealthReport {
  readonly ready: boolean
  readonly phase: Phase
  /** Undefined before the log is open. */
  readonly recording: Recording | undefined
  /** What is wrong, for people. Empty where nothing is. */
  readonly problems: readonly string[]
}

/** A node's health. */
export interface Health {
  enter(phase: Phase): void
  isReady(): boolean
  report(): HealthReport
}

/** Begins as `starting`. `recording` is asked at every question. */
export function createHealth(recording: () => Recording | undefined): Health {
  let phase: Phase = 'starting'
  const report = (): HealthReport => {
    const state = recording()
    const isFailed = phase === 'failed' || state === 'failed'
    const isReady = phase === 'running' && (state === 'accepting' || state === 'refusing')
    return {
      ready: isReady,
      phase: isFailed ? 'failed' : phase,
      recording: state,
      problems: problemsOf(isFailed ? 'failed' : phase, state),
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

function problemsOf(phase: Phase, recording: Recording | undefined): string[] {
  if (phase === 'failed') return ['the audit log cannot be written any more, and this node ends']
  if (phase !== 'running') return [`this node is ${phase}`]
  return recording === 'refusing' ? ['nothing is recorded for want of disk space; reading goes on'] : []
}
