// Lets the keys of the node's log be replaced while it runs: looks for orders of commands, and for rotations that go on.

import { setTimeout as sleep } from 'node:timers/promises'
import { keyLookMs } from '../limits.ts'
import type { AuditLog } from '../log/audit-log.ts'
import type { Logger } from '../ops/logger.ts'

/** Begins to look. Disposed of, it lets the step under way end. */
export function tendKeys(log: Pick<AuditLog, 'tendKeys'>, logger: Logger): AsyncDisposable {
  const stopping = new AbortController()
  const running = lookAgainAndAgain(log, logger, stopping.signal)
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}

async function lookAgainAndAgain(
  log: Pick<AuditLog, 'tendKeys'>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let lastProblem: string | undefined
  while (!signal.aborted) {
    const problem: unknown = await log.tendKeys().catch((error: unknown) => error)
    const text = problem instanceof Error ? problem.message : undefined
    // Said once, and not at every look.
    if (text !== undefined && text !== lastProblem)
      logger.warn({ err: problem }, "the log's keys could not be looked after; it is tried again")
    lastProblem = text
    await sleep(keyLookMs, undefined, { signal }).catch(() => undefined)
  }
}
