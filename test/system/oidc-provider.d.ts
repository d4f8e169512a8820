// As much of oidc-provider as the tests use; it brings no types.

declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  /** An authorization server that others wrote. */
  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    callback(): RequestListener
  }
}
