// The words that the whole system shares: what an event is before the log has it, what a draft is on its
// way through the sequencer, and what an entry is once it is stored. Types only.

/** Microseconds since 1970-01-01T00:00:00Z, a safe integer. */
export type Micros = number

/** An entry's index in its log: 0, 1, 2, … never reused. */
export type Position = number

/** `<host name>-<16 base32 characters of the SHA-256 of the log's public key>`. */
export type LogId = string & { readonly __brand: 'LogId' }

/** How an event came in (contract L2). */
export type Via = 'self' | 'http' | 'syslog' | 'file' | 'import' | 'otlp'

/** One structured-data element of RFC 5424: a name and its parameters, in order, values unescaped. */
export interface Element {
  readonly name: string
  readonly params: readonly (readonly [name: string, value: string])[]
}

/** What somebody did, as intake hands it to the log. Text here is not yet escaped. Undefined is the same as absent. */
export interface AuditEvent {
  /** UUID, in lower case. */
  readonly id: string
  readonly via: Via
  /** Who handed it in: account, client, certificate or peer address. */
  readonly by: string
  /** The MSGID: the decimal audit code, or `-` where there is none. */
  readonly code: string
  /** RFC 5424 severity, 0 to 7. */
  readonly severity: number
  /** RFC 5424 facility; 13 (log audit) unless a sender's own is kept. */
  readonly facility?: number | undefined
  /** The sender's, fitted to RFC 5424 when the line is drafted; what had to be changed is kept (L1). */
  readonly hostName: string
  readonly appName?: string | undefined
  readonly procId?: string | undefined
  /** When the event happened, where that is not when it was recorded. */
  readonly occurred?: Micros | undefined
  /** Part k of n of a text that was too long for one entry, and the id of the whole (L3). */
  readonly part?: { readonly index: number; readonly count: number; readonly of: string } | undefined
  /** `[event@32473 …]`: what programs read. */
  readonly actor?: string | undefined
  readonly component?: string | undefined
  readonly category?: string | undefined
  readonly outcome?: string | undefined
  readonly session?: string | undefined
  readonly target?: string | undefined
  /** Further parameters of `[event@32473 …]`, after those above. */
  readonly eventParams?: readonly (readonly [string, string])[] | undefined
  /** `[detail@32473 …]`: free names, `[A-Za-z0-9_.-]{1,32}`. */
  readonly details?: readonly (readonly [string, string])[] | undefined
  /** The sender's own elements (L2: ours are renamed `from-…`). */
  readonly elements?: readonly Element[] | undefined
  /** The whole MSG, header included: `[component|category|code|actor] text`. */
  readonly message: string | Uint8Array
  /** True where `message` is already escaped as L3 says (the last two forms of L5) and must be kept so. */
  readonly escaped?: boolean | undefined
}

/**
 * An event rendered as far as it can be before the log has given it a place. The line is
 * `head + TIMESTAMP + origin + POSITION + stamp + [ clock="…"] + rest`.
 */
export interface Draft {
  readonly id: string
  readonly via: Via
  readonly by: string
  /** `<PRI>1 `. */
  readonly head: string
  /** ` HOST APP PROCID MSGID [audit@32473 v="1" log="…" pos="`. */
  readonly origin: string
  /** `" id="…" via="…" by="…"` and ` occurred="…"` where there is one. */
  readonly stamp: string
  /** ` part="…" of="…"` where there are such, `]`, the other elements, a space and the message. */
  readonly rest: string
  /** Of the longest line that it can become, without its newline. */
  readonly bytes: number
}

/** The place that the sequencer gives to an entry. */
export interface Place {
  readonly position: Position
  readonly time: Micros
  /** The wall clock, where it lay behind `time` (contract W8). */
  readonly clock?: Micros | undefined
}

/**
 * A stored line, parsed. Text is unescaped; bytes in it that are no UTF-8 are lone surrogates (`escape.ts`). `message`
 * is exact bytes.
 */
export interface StoredEntry extends Place {
  readonly log: LogId
  readonly id: string
  readonly via: Via
  readonly by: string
  readonly occurred?: Micros
  readonly part?: { readonly index: number; readonly count: number; readonly of: string }
  readonly facility: number
  readonly severity: number
  readonly hostName: string
  readonly appName: string
  readonly procId: string
  readonly code: string
  /** `[event@32473 …]`, `[detail@32473 …]`, and the rest, in the order of the line. */
  readonly elements: readonly Element[]
  /** MSG, decoded: the bytes that were sent. */
  readonly message: Uint8Array
  /** MSG as it stands in the line, escaped as L3 says. */
  readonly text: string
}
