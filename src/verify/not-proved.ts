// Why something is not proved.

/**
 * `malformed`: what was given is not what it should be. `unsigned`: the checkpoint is not signed by a key that is trusted
 * for it. `contradicted`: what was given and what was signed do not fit together: something was changed, removed, added or
 * left out. `unwitnessed`: fewer have cosigned than a policy asks for. `claimed`: there was nothing to compare lines with but
 * what they claim themselves; `claimedFaults`: and even by that, some are missing or doubled.
 */
export type NotProvedReason =
  | 'malformed'
  | 'unsigned'
  | 'contradicted'
  | 'unwitnessed'
  | 'claimed'
  | 'claimedFaults'

/** Something is not proved; the message says what, for people. */
export class NotProved extends Error {
  override readonly name = 'NotProved'
  readonly reason: NotProvedReason

  constructor(reason: NotProvedReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Something that was signed does not fit what was given. */
export function contradicted(message: string): NotProved {
  return new NotProved('contradicted', message)
}

/** Something is not what it should be. */
export function malformed(message: string): NotProved {
  return new NotProved('malformed', message)
}
