// Who calls, once that is proved, and what a call presents for it.

import type { Rights } from './rights.ts'

/** Somebody whose credentials are valid. */
export interface Principal {
  /**
   * As entries name it: an account's name, `client:<client_id>`, or `<sub>@<issuer>` of another authorization server;
   * `*local` for whoever can open the node's own socket.
   * Names of accounts hold neither `:` nor `@`, so none can be taken for another.
   */
  readonly name: string
  /** The session that the login began, or the token's `jti`. */
  readonly session: string
  /** `Local`: nothing was asked for. */
  readonly scheme: 'Basic' | 'Bearer' | 'Local'
  readonly rights: Rights
}

/** One call, as far as its caller is concerned. */
export interface CallerClaim {
  /** The Authorization header. */
  readonly authorization: string | undefined
  /** The address that the call came from. */
  readonly source: string
}
