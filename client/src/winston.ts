// A transport of winston: the lines that are audit events are recorded, all others are left to winston's other transports.
//
//   winston.createLogger({ transports: [new AuditTransport({ url, credentials })] })
//
// winston asks of a transport that it is a stream of objects with a level, a `log` method and a few flags; nothing of
// winston is needed for that.

import { Writable } from 'node:stream'
import { AuditTrail, type AuditTrailOptions, openAuditTrail } from './audit-trail.ts'
import { afterwards } from './afterwards.ts'
import { eventOfLog, type LogMapping } from './log-event.ts'

/** What the transport can be told. */
export interface WinstonOptions extends LogMapping {
  /** Lines of a lower level are no events; the logger's own level unless it is given. */
  readonly level?: string
  readonly silent?: boolean
}

/** A line of winston's: its own words under symbols, beside what the application said. */
type Info = Readonly<Record<string | symbol, unknown>>

interface Logger {
  readonly level?: string
  readonly levels?: Readonly<Record<string, number>>
}

const levelKey = Symbol.for('level')

/** Records the lines that are audit events. Its end closes the audit trail. */
export class AuditTransport extends Writable {
  level?: string
  silent: boolean
  readonly handleExceptions = false
  readonly handleRejections = false
  readonly #audit: AuditTrail
  readonly #mapping: LogMapping
  #logger: Logger | undefined

  /** Opens an audit trail, or takes one that is open. */
  constructor(
    options: (AuditTrailOptions & WinstonOptions) | (WinstonOptions & { readonly audit: AuditTrail }),
  ) {
    super({ objectMode: true })
    if (options.level !== undefined) this.level = options.level
    this.silent = options.silent ?? false
    this.#audit = 'audit' in options ? options.audit : openAuditTrail(options)
    this.#mapping = options
    this.on('pipe', (logger: unknown) => (this.#logger = logger as Logger))
  }

  /** Takes a line. Calls back at once, or when there is room again, unless the server does not answer. */
  log(info: Info, done: () => void): void {
    const level = String(info[levelKey])
    const isHeard = !this.silent && this.#isLoud(level)
    const event = isHeard ? eventOfLog(info, { level, text: info['message'] }, this.#mapping) : undefined
    if (event === undefined) return done()
    void this.#audit.enqueueQuietly(event)
    void afterwards(this.#audit.room(), done)
  }

  override _write(info: Info, _: BufferEncoding, done: () => void): void {
    this.log(info, done)
  }

  override _final(done: () => void): void {
    void afterwards(this.#audit.close(), done)
  }

  #isLoud(level: string): boolean {
    const least = this.level ?? this.#logger?.level
    const { levels } = this.#logger ?? {}
    if (least === undefined || levels === undefined) return true
    return (levels[least] ?? Infinity) >= (levels[level] ?? Infinity)
  }
}
