// An instance that does not answer, or answers badly: why, in a word for the entry and a sentence for the caller, who is
// told no address.

import { AnnalsError } from '../errors.ts'

/** Why an instance did not answer. */
export type SilenceReason =
  | 'refused'
  | 'timeout'
  | 'network'
  | 'untrusted'
  | 'cut'
  | 'stalled'
  | 'answer'
  | 'keys'

/** An instance did not answer. `cause` is for the operator's log. */
export class InstanceSilent extends Error {
  override readonly name = 'InstanceSilent'
  readonly reason: SilenceReason

  constructor(reason: SilenceReason, options?: ErrorOptions) {
    super(silences[reason], options)
    this.reason = reason
  }
}

/** What went wrong, from whatever the network or TLS said. */
export function silenceOf(error: Error): InstanceSilent {
  if (error instanceof InstanceSilent) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const reason =
    reasons[code] ?? (/CERT|SIGNED|ISSUER|ALTNAME|TLS|SSL|EPROTO/.test(code) ? 'untrusted' : 'cut')
  return new InstanceSilent(reason, { cause: error })
}

/** The refusal that the caller sees (E11). Its detail is for the operator. */
export function unreachableInstance(name: string, silence: InstanceSilent): AnnalsError {
  const why = silence.cause instanceof Error ? silence.cause.message : silence.message
  return new AnnalsError('UNREACHABLE_INSTANCE', `the instance "${name}" ${silence.message}`, {
    detail: `${silence.reason}: ${why.trim()}`,
    cause: silence,
  })
}

const silences: Readonly<Record<SilenceReason, string>> = {
  refused: 'cannot be reached: the connection was refused',
  timeout: 'did not answer in time',
  network: 'cannot be reached: the network does not lead there',
  untrusted: 'cannot be trusted: its certificate is not the expected one',
  cut: 'broke the connection before it answered',
  stalled: 'sent nothing more',
  answer: 'answered badly',
  keys: 'does not say the keys that its tokens are verified with',
}

const reasons: Readonly<Record<string, SilenceReason>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'network',
  ENETUNREACH: 'network',
  EADDRNOTAVAIL: 'network',
  ENOTFOUND: 'network',
  EAI_AGAIN: 'network',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
}
