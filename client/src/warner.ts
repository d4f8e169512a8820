// Who is told that an event was not recorded: the application, or else, so that it does not pass in silence, whoever reads
// the warnings of the process.

import type { AuditTrailError } from './errors.ts'
import { warnEveryMs } from './limits.ts'
import type { AuditTrailOptions } from './options.ts'

/** Tells of failures. What the application's own function throws becomes a warning, for there is no caller to get it. */
export function warner(
  onError: AuditTrailOptions['onError'],
  warn: (text: string) => void = warnProcess,
  now: () => number = Date.now,
): (error: AuditTrailError, line: string | undefined) => void {
  if (onError === undefined) return warnNowAndThen(warn, now)
  return (error, line) => void tell(onError, error, line, warn)
}

// It may be an asynchronous function too: then it is called at once, and rejects later.
async function tell(
  onError: NonNullable<AuditTrailOptions['onError']>,
  error: AuditTrailError,
  line: string | undefined,
  warn: (text: string) => void,
): Promise<void> {
  try {
    await onError(error, line)
  } catch (thrown) {
    warn(`onError of an audit trail throws ${String(thrown)}`)
  }
}

function warnNowAndThen(warn: (text: string) => void, now: () => number): (error: AuditTrailError) => void {
  let [last, silent] = [-Infinity, 0]
  return ({ code, message }) => {
    if (now() - last < warnEveryMs) {
      silent += 1
      return
    }
    const more = silent === 0 ? '' : ` (and ${silent} others since the last warning)`
    warn(`an audit event was not recorded: ${code}: ${message}${more}`)
    ;[last, silent] = [now(), 0]
  }
}

function warnProcess(text: string): void {
  process.emitWarning(text, { type: 'AuditTrailWarning' })
}
