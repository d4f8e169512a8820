// What the listeners for syslog have in common. Types only.

/** Where to listen, or where it is listened. Port 0 stands for any free one. */
export interface SyslogAddress {
  readonly host: string
  readonly port: number
}

/** The same over TLS, with this node's certificate, both in PEM. */
export interface SyslogTls extends SyslogAddress {
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** Whose certificates clients must show; undefined: they need none. */
  readonly clientCa?: string | Buffer
}

/** Why a connection was refused: its certificate was missing or wrong, its handshake failed or took too long, or all were taken. */
export type Refusal = 'no-certificate' | 'handshake' | 'too-many-connections'

/** Told of each connection that is refused, with the address that it came from. */
export type TurnedAway = (reason: Refusal, peer: string) => void

/** A listener. */
export interface Listening {
  readonly address: SyslogAddress
  /** Grows with everything that comes. */
  readonly received: number
  /** Whoever comes from now on is turned away; what is on its way is read. */
  stopAccepting(): void
  /** Ends it. What was received has been handed to the inlet. */
  close(): Promise<void>
}
