// A witness as a log sees it: what it is called, the keys that its cosignatures are verified with, and how it is asked. An
// engine is asked over mutual TLS, a portal and everybody else over HTTP.

import type { NoteKey } from '../../tree/note-key.ts'

/** What a witness answered. */
export interface WitnessReply {
  readonly status: number
  readonly body: Buffer
  /** Where it asked to be left alone for a while. */
  readonly retryAfterSeconds?: number | undefined
}

/** One witness. Both methods throw where it does not answer in time. */
export interface WitnessPeer {
  /** For people and metrics: a host name, or what a policy calls it. */
  readonly name: string
  /** Empty where they are not known yet. */
  readonly keys: readonly NoteKey[]
  /** Asks it to cosign (C2SP tlog-witness, "add-checkpoint"). */
  addCheckpoint(body: string): Promise<WitnessReply>
  /** The latest checkpoint that it cosigned of the log with this origin, hashed; undefined where it says that there is none. */
  latest(originHash: string): Promise<string | undefined>
}

/** The path of a node's witness: the prefix of its URLs, for writing and for reading. */
export const witnessPath = '/audit-trail/api/v2/witness'
