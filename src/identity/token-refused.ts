// An access token that proves nothing, whoever issued it. The caller is told no more than that; entries name the reason.

import type { FailureReason } from './login-events.ts'

/** Why a token is refused, as entries name it. */
export type TokenProblem = Extract<FailureReason, `token-${string}`>

/** A token is refused. `cause` is for the operator's log. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  readonly reason: TokenProblem

  constructor(reason: TokenProblem, options?: ErrorOptions) {
    super(`the access token is refused: ${reason}`, options)
    this.reason = reason
  }
}
