// Tokens of authorization servers of others, at a real portal: of one that others wrote (oidc-provider), and of a second
// Annals.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readLines } from '../conformance/audit-line.ts'
import { ask, type Answer, type Server } from '../conformance/wire.ts'
import { startOidcServer, tokenOf } from './oidc-server.ts'
import {
  annals,
  type PortalProcess,
  startPortal,
  startServe,
  storedLines,
  temporaryDirectory,
  until,
} from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const audience = 'https://audit.example.com/audit-trail/api'

/** A portal that accepts the tokens of the issuers in a file. */
interface TrustingPortal extends PortalProcess {
  readonly data: string
  /** Writes the file anew and has it read again; says what the portal's own log then says of it. */
  reload(issuers: string): Promise<void>
}

async function trustingPortal(context: TestContext, issuers: string): Promise<TrustingPortal> {
  const directory = temporaryDirectory(context)
  const [data, file] = [join(directory, 'data'), join(directory, 'issuers.yaml')]
  writeFileSync(file, issuers)
  const portal = await startPortal(context, { data, args: ['--issuers-file', file] })
  return {
    ...portal,
    data,
    async reload(text) {
      const before = portal.errors().length
      writeFileSync(file, text)
      portal.process.kill('SIGHUP')
      await until(() => /read again/.test(portal.errors().slice(before)))
    },
  }
}

function issuerEntry(
  issuer: string,
  scope = 'service:audit-trail',
  value = 'audit.read',
  aud = audience,
): string {
  const grant = `{claim: scope, value: "${value}", scope: "${scope}"}`
  return `- {issuer: "${issuer}", audience: "${aud}", grants: [${grant}]}\n`
}

function read(server: Server, token: string): Promise<Answer> {
  return ask(server, path, { headers: { authorization: `Bearer ${token}` } })
}

/** What the portal's log holds of a code: who, and how it ended. */
function entries(
  { data }: TrustingPortal,
  code: string,
): { actor?: string; reason?: string; target?: string }[] {
  const lines = readLines(
    Buffer.from(
      storedLines(data)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  )
  return lines.filter((line) => line.code === code).map(({ event, detail }) => ({ ...detail, ...event }))
}

test('a token of a server that others wrote reads the log, and the log says whose it was', async (context) => {
  const oidc = await startOidcServer(context)
  const portal = await trustingPortal(context, issuerEntry(oidc.issuer))
  const token = await oidc.token(audience, 'audit.read')
  const answer = await read(portal, token)
  assert.equal(answer.status, 200, answer.body.toString())
  const actors = storedLines(portal.data).filter((line) => line.includes(`siem@${oidc.issuer}`))
  assert.ok(actors.length > 0, 'the read is recorded in the name of its caller')
  assert.ok(!storedLines(portal.data).some((line) => line.includes(token)), 'no token stands in the log')
  assert.deepEqual(
    entries(portal, '29059').map(({ target }) => target),
    [oidc.issuer],
  )

  await context.test('E6: what is granted for nothing may nothing', async () => {
    const refused = await read(portal, await oidc.token(audience, 'other'))
    assert.equal(refused.status, 403)
    assert.match(refused.headers['www-authenticate'] ?? '', /error="insufficient_scope"/)
  })
  await context.test('E5: a token for somebody else, or one that was changed, proves nothing', async () => {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const swapped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
    const elsewhere = await oidc.token('https://other.example.com/api', 'audit.read')
    for (const wrong of [elsewhere, `${header}.${payload}.${swapped}`]) {
      const refused = await read(portal, wrong)
      assert.equal(refused.status, 401)
      assert.match(refused.headers['www-authenticate'] ?? '', /error="invalid_token"/)
    }
  })
  await context.test(
    'while the server is away, its tokens are verified with the keys that are known',
    async () => {
      const fresh = await oidc.token(audience, 'audit.read')
      await oidc.leave()
      assert.equal((await read(portal, fresh)).status, 200)
    },
  )
})

test('E10: a portal that cannot have the keys of a server does not call its tokens wrong', async (context) => {
  const oidc = await startOidcServer(context)
  const portal = await trustingPortal(context, issuerEntry(oidc.issuer))
  const token = await oidc.token(audience, 'audit.read')
  await oidc.leave()
  const answer = await read(portal, token)
  assert.equal(answer.status, 503)
  assert.ok(Number(answer.headers['retry-after']) > 0)
  assert.ok(!answer.body.toString().includes(oidc.issuer), 'the caller is told no address')
})

test('at SIGHUP the file of issuers is read again, and one that is wrong changes nothing', async (context) => {
  const oidc = await startOidcServer(context)
  const portal = await trustingPortal(context, '')
  const token = await oidc.token(audience, 'audit.read')
  const statusNow = async (): Promise<number> => (await read(portal, token)).status
  assert.equal(await statusNow(), 401)
  await portal.reload(issuerEntry(oidc.issuer))
  assert.equal(await statusNow(), 200)
  await portal.reload('- {issuer: none}\n')
  assert.equal(await statusNow(), 200)
  assert.match(portal.errors(), /everything stays as it was/)
  await portal.reload(issuerEntry(oidc.issuer, 'service:audit-trail:engine:engine-01'))
  assert.equal(await statusNow(), 403)
  await portal.reload('')
  assert.equal(await statusNow(), 401)
  assert.equal(entries(portal, '29059').length, 3)
  assert.equal((await portal.stop()).exitCode, 0)
})

test('a client of a second Annals reads the log of the first with what that grants it', async (context) => {
  const there = { data: join(temporaryDirectory(context), 'there') }
  // It claims to be the instance that it is not, which is ignored.
  const second = await startPortal(context, {
    ...there,
    args: ['--instance-name', 'portal-01', '--region', 'eu'],
  })
  const made = JSON.parse(
    await annals(context, ['client', 'add', 'siem', '--json', '--data', there.data]),
  ) as {
    readonly client_id: string
    readonly client_secret: string
  }
  const issuer = `${second.baseUrl}/oauth2/default`
  const aud = `${second.baseUrl}/audit-trail/api`
  const first = await trustingPortal(
    context,
    issuerEntry(issuer, 'service:audit-trail', 'service:audit-trail', aud),
  )
  const credentials = { id: made.client_id, secret: made.client_secret }
  const token = await tokenOf(`${issuer}/v1/token`, credentials, {})
  assert.equal((await read(second, token)).status, 200)
  const answer = await read(first, token)
  assert.equal(answer.status, 200, answer.body.toString())
  assert.ok(storedLines(first.data).some((line) => line.includes(`${made.client_id}@${issuer}`)))

  await context.test('the scope that the token has at home gives it nothing of itself', async () => {
    await first.reload(issuerEntry(issuer, 'service:audit-trail', 'something-else', aud))
    assert.equal((await read(first, token)).status, 403)
  })
  await context.test('it administers nothing: it can neither ask about tokens nor revoke them', async () => {
    await first.reload(issuerEntry(issuer, 'service:audit-trail', 'service:audit-trail', aud))
    for (const endpoint of ['introspect', 'revoke']) {
      const response = await fetch(`${first.baseUrl}/oauth2/default/v1/${endpoint}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: new URLSearchParams({ token }),
      })
      const { error } = (await response.json()) as { readonly error?: string }
      assert.ok(error === 'invalid_client' || error === 'invalid_request', `${endpoint}: ${error}`)
    }
    assert.equal((await read(first, token)).status, 200)
  })
})

test('a portal whose file of issuers grants what cannot be granted does not start', async (context) => {
  const directory = temporaryDirectory(context)
  const file = join(directory, 'issuers.yaml')
  writeFileSync(file, issuerEntry('https://as.example.com', 'main-administrator'))
  const { exitCode, errors } = await startServe(context, {
    data: join(directory, 'data'),
    args: ['--issuers-file', file],
  }).ended
  assert.equal(exitCode, 2)
  assert.match(errors, /issuers\.yaml:1: "scope" is expected to be service:audit-trail, /)
})
