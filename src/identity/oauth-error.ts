// Refusals of the authorization server, in the words of RFC 6749 section 5.2 and of what builds on it.

/** What an error object's `error` may say here. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  // RFC 8707 section 2
  | 'invalid_target'
  // RFC 7009 section 2.2.1
  | 'unsupported_token_type'

/** A refusal. `message` is its `error_description`: for the client's developer, and without a secret. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly error: OAuthErrorCode
  /** True where the client tried HTTP Basic, and is to be told that it may (RFC 6749 section 5.2). */
  readonly challengesBasic: boolean

  constructor(error: OAuthErrorCode, description: string, challengesBasic = false) {
    super(description)
    this.error = error
    this.challengesBasic = challengesBasic
  }

  /** The HTTP status: 401 for a client that could not be authenticated, else 400. */
  get status(): number {
    return this.error === 'invalid_client' ? 401 : 400
  }
}
