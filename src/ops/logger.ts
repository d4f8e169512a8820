// The operator's log: one JSON object a line, to standard error. It is for running the node, and may be thrown away;
// who did what is in the audit log. Credentials are cut out wherever a request's headers are logged.

import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino'

export type { Logger } from 'pino'

/** Makes the logger. `level` is one of pino's; `to` is standard error unless a test wants to read along. */
export function createLogger(
  level: string,
  to: DestinationStream = destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      // The process and the machine are known to whatever collects standard error.
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err, cause: pino.stdSerializers.err },
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '(cut out)' },
    },
    to,
  )
}

const secrets = ['authorization', 'Authorization', 'cookie', 'password', 'client_secret']
