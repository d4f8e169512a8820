// Who has signed a checkpoint, as far as somebody says whom they know: the keys of a log, and witnesses under a policy (C2SP
// tlog-policy). The verdict never says more than that.

import assert from 'node:assert/strict'
import type { NoteKey } from '../tree/note-key.ts'
import type { Policy } from '../tree/policy.ts'
import { type SignedCheckpoint, type Verified, verifySignatures } from '../tree/signed-checkpoint.ts'
import { NotProved } from './not-proved.ts'

/** Whom somebody knows. */
export interface Trust {
  /** Keys of logs; those of other logs than the one in question do no harm. */
  readonly logKeys: readonly NoteKey[]
  /** Undefined where no witness was named. */
  readonly policy: Policy | undefined
  /** True where the keys came along with what is to be proved, so that whoever made the one made the other. */
  readonly isOwn: boolean
}

/** Who has signed. */
export interface Signatures {
  /** The log's keys that have, those that `Trust` names. */
  readonly log: readonly NoteKey[]
  /** Witnesses that were named and have cosigned. */
  readonly witnesses: readonly Verified[]
  /** `unasked`: there is no policy, or it asks for no witness. */
  readonly quorum: 'reached' | 'missing' | 'unasked'
  /** What people read: the verdict in one line. */
  readonly verdict: string
}

/**
 * Who of those that are known has signed a checkpoint. Throws `NotProved` (`unsigned`) where the log has not: of each kind
 * of key that is known of it, one must have signed, so that the broken curve of one is not enough to forge a checkpoint,
 * and a log that changes its keys can go on.
 */
export function signaturesOf(checkpoint: SignedCheckpoint, trust: Trust): Signatures {
  const { origin } = checkpoint
  const known = trust.logKeys.filter(({ name }) => name === origin)
  if (known.length === 0) throw unsigned(`the checkpoint is of ${origin}, of which no key was given`)
  const signed = verifySignatures(checkpoint, known)
  if (signed === undefined)
    throw unsigned(`a signature of the checkpoint says that it is by a key of ${origin}, and is not`)
  const log = signed.map(({ key }) => key)
  if (log.length === 0) throw unsigned(`the checkpoint is not signed by any key of ${origin} that was given`)
  const missing = known.find(({ type }) => log.every((key) => key.type !== type))
  if (missing !== undefined) throw unsigned(`the checkpoint lacks the signature of ${keyText(missing)}`)
  return { log, ...cosignaturesOf(checkpoint, trust) }
}

/** Who has signed all of several checkpoints, of several logs: a quorum that is missing for one is missing. Throws as `signaturesOf`. */
export function signaturesOfAll(checkpoints: readonly SignedCheckpoint[], trust: Trust): Signatures {
  const each = checkpoints.map((checkpoint) => signaturesOf(checkpoint, trust))
  const worst = each.find(({ quorum }) => quorum === 'missing') ?? each[0]
  assert(worst !== undefined, 'no checkpoint')
  const isOne = new Set(each.map(({ verdict }) => verdict)).size === 1
  const others = isOne ? '' : ' (at least that; the others have more, or other witnesses)'
  return {
    log: each.flatMap(({ log }) => log),
    witnesses: each.flatMap(({ witnesses }) => witnesses),
    quorum: worst.quorum,
    verdict: each.length === 1 ? worst.verdict : `${each.length} logs, each ${worst.verdict}${others}`,
  }
}

/** Throws `NotProved` (`unwitnessed`) where the policy asks for more witnesses than have cosigned. */
export function demandQuorum({ quorum, verdict }: Signatures): void {
  if (quorum === 'missing') throw new NotProved('unwitnessed', verdict)
}

/** A key as people compare it: its kind and its id. */
export function keyText({ type, id }: NoteKey): string {
  return `${type === 6 ? 'ML-DSA-44' : 'Ed25519'} key ${id.toString(16).padStart(8, '0')}`
}

function cosignaturesOf(checkpoint: SignedCheckpoint, trust: Trust): Omit<Signatures, 'log'> {
  const { policy } = trust
  const by = trust.isOwn ? 'the log, with keys that came along with it' : 'the log'
  if (policy === undefined)
    return {
      witnesses: [],
      quorum: 'unasked',
      verdict: `signed by ${by}; witnessed by nobody you named`,
    }
  const witnesses = verifySignatures(
    checkpoint,
    policy.witnesses.map(({ key }) => key),
  )
  if (witnesses === undefined)
    throw unsigned('a signature of the checkpoint says that it is by a witness of the policy, and is not')
  const isReached = policy.isQuorum(witnesses.map(({ key }) => key))
  const quorum = policy.isNone ? 'unasked' : isReached ? 'reached' : 'missing'
  const names = [...new Set(witnesses.map(({ key }) => key.name))]
  const cosigned = names.length === 0 ? '' : ` and cosigned by: ${names.join(', ')}`
  return { witnesses, quorum, verdict: `signed by ${by}${cosigned}${aboutQuorum(quorum, names.length)}` }
}

function aboutQuorum(quorum: Signatures['quorum'], cosigned: number): string {
  if (quorum === 'reached') return ' (quorum of your policy reached)'
  if (quorum === 'unasked') return cosigned > 0 ? '' : '; your policy asks for no witness'
  return cosigned > 0 ? '; the quorum of your policy is missing' : ', and by no witness of your policy'
}

function unsigned(message: string): NotProved {
  return new NotProved('unsigned', message)
}
