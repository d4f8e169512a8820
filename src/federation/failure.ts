// Why an engine did not answer: from what the network, TLS and the engine itself say, to a word for the metrics and a
// sentence for the caller, who is told no address.

import { AnnalsError, isAnnalsError } from '../errors.ts'

/** Every kind of failure, as the metrics name it. */
export const failureReasons = [
  'refused',
  'timeout',
  'network',
  'tls',
  'certificate',
  'cut',
  'stalled',
  'answer',
  'disconnected',
] as const

/** One of them. */
export type FailureReason = (typeof failureReasons)[number]

/** An engine's failure. */
export class EngineFailure extends Error {
  override readonly name = 'EngineFailure'
  readonly reason: FailureReason

  constructor(reason: FailureReason, message: string = texts[reason], options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }

  /** True where the same request may succeed on another connection. */
  get isPassing(): boolean {
    return this.reason !== 'answer' && this.reason !== 'disconnected'
  }
}

const texts: Readonly<Record<FailureReason, string>> = {
  refused: 'the connection was refused',
  timeout: 'it did not answer in time',
  network: 'the network does not lead there',
  tls: 'no TLS connection came about',
  certificate: 'its certificate is not the one that it joined with',
  cut: 'the connection was cut',
  stalled: 'it sent nothing more',
  answer: 'it answered badly',
  disconnected: 'it was disconnected by an administrator meanwhile',
}

/** What went wrong, from whatever was thrown. */
export function failureOf(error: unknown): EngineFailure {
  if (error instanceof EngineFailure) return error
  if (isAnnalsError(error)) return new EngineFailure('answer', undefined, { cause: error })
  const reason = reasonOf(error)
  return new EngineFailure(reason, undefined, { cause: error })
}

/** The refusal that the caller sees (E2). `detail` is for the operator. */
export function unreachable(hostName: string, failure: EngineFailure): AnnalsError {
  const why = failure.cause instanceof Error ? failure.cause.message : failure.message
  return new AnnalsError(
    'UNREACHABLE_ENGINE',
    `the engine "${hostName}" cannot be read: ${failure.message}`,
    {
      engine: hostName,
      detail: `${failure.reason}: ${why.trim()}`,
      cause: failure,
    },
  )
}

function reasonOf(error: unknown): FailureReason {
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout'
  const code = codeOf(error)
  return byCode.get(code) ?? (/^(ERR_SSL_|ERR_TLS_|EPROTO)/.test(code) ? 'tls' : 'cut')
}

// OpenSSL's own names of what may be wrong with a certificate (`openssl verify`), beside those of sockets.
const byCode = new Map<string, FailureReason>([
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['EHOSTUNREACH', 'network'],
  ['ENETUNREACH', 'network'],
  ['EADDRNOTAVAIL', 'network'],
  ['ENOTFOUND', 'network'],
  ['EAI_AGAIN', 'network'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
  ['ERR_CERTIFICATE_NOT_PINNED', 'certificate'],
  ['CERT_HAS_EXPIRED', 'certificate'],
  ['CERT_NOT_YET_VALID', 'certificate'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate'],
  ['CERT_SIGNATURE_FAILURE', 'certificate'],
])

function codeOf(error: unknown): string {
  // That of a DOMException is a number, and says less than its name.
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
