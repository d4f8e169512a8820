// Clients over the database of an identity fixture, and what a client does with its id and secret.

import { randomBytes } from 'node:crypto'
import { accountPermission } from '../account-permission.ts'
import { accountStates } from '../account-state.ts'
import { Clients, type ClientWithSecret } from '../clients.ts'
import type { Principal } from '../principal.ts'
import { basic, type IdentityFixture } from './identity-fixture.ts'

/** The clients of the fixture's portal. */
export function clientsOver({ database, clock }: IdentityFixture): Clients {
  const accountMay = accountPermission(accountStates(database))
  return new Clients({ database, clock, hostName: 'portal-01', random: randomBytes, accountMay })
}

/** An access token for a client, as it gets one at the token endpoint. Throws what that throws. */
export async function tokenFor(
  { identity }: IdentityFixture,
  { clientId, clientSecret }: Pick<ClientWithSecret, 'clientId' | 'clientSecret'>,
  scope?: string,
): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
  })
  const answer = await identity.authorization.token(
    {
      authorization: basic(clientId, clientSecret),
      contentType: 'application/x-www-form-urlencoded',
      body: form.toString(),
    },
    '192.0.2.1',
  )
  return answer.access_token
}

/** Whom a token proves. */
export function bearerOf({ identity }: IdentityFixture, token: string): Promise<Principal> {
  return identity.authenticate({ authorization: `Bearer ${token}`, source: '192.0.2.1' })
}
