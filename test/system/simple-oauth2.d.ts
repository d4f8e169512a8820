// The part of simple-oauth2 that the tests use; it brings no types of its own.

declare module 'simple-oauth2' {
  export interface ClientOptions {
    readonly client: { readonly id: string; readonly secret: string }
    readonly auth: { readonly tokenHost: string; readonly tokenPath: string; readonly revokePath: string }
    readonly options: {
      readonly credentialsEncodingMode?: 'strict' | 'loose'
      readonly authorizationMethod?: 'header' | 'body'
      readonly bodyFormat?: 'form' | 'json'
    }
  }

  export interface AccessToken {
    readonly token: { readonly access_token: string; readonly scope: string; readonly expires_in: number }
    expired(): boolean
    revoke(type: 'access_token'): Promise<unknown>
  }

  export class ClientCredentials {
    constructor(options: ClientOptions)
    getToken(parameters: { readonly scope?: string }): Promise<AccessToken>
  }
}
