// OAuth 2.0 as others wrote it (S2): libraries and tools that know nothing of Annals get tokens from a real portal over TLS,
// read with them, look at them and end them. Each prints in short what it did.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import * as oauth4webapi from 'oauth4webapi'
import * as openid from 'openid-client'
import { type AccessToken, ClientCredentials } from 'simple-oauth2'
import { one } from '../../src/config/testing/certificates.ts'
import { ask } from '../conformance/wire.ts'
import { addClient, type OAuthClient, revokePath, tokenPath } from './oauth-client.ts'
import {
  type PortalProcess,
  runAnnals,
  startPortal,
  storedLines,
  temporaryDirectory,
} from './portal-process.ts'

const scope = 'service:audit-trail'

/** A portal over TLS, a client of it, and how many tokens it has got. */
interface Stage {
  readonly portal: PortalProcess
  readonly data: string
  readonly caFile: string
  readonly client: OAuthClient
  readonly issuer: URL
  readonly audience: string
  readonly logUrl: URL
  tokens: number
}

test('S2: clients that others wrote get tokens, read with them and end them', async (context) => {
  const stage = await setStage(context)
  await context.test('openid-client', (context) => openidClient(context, stage))
  await context.test('oauth4webapi', (context) => webapiClient(context, stage))
  await context.test('simple-oauth2', (context) => simpleClient(context, stage))
  await context.test('requests-oauthlib', (context) => requestsOauthlib(context, stage))
  await context.test('Authlib', (context) => authlib(context, stage))
  await context.test('curl', (context) => curl(context, stage))
  await context.test('annals fetch', (context) => annalsFetch(context, stage))
  await context.test('S7: every token is an entry, and no secret is anywhere', () => proveEntries(stage))
})

async function setStage(context: TestContext): Promise<Stage> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'data')
  const [caFile, keyFile] = [join(directory, 'portal.crt'), join(directory, 'portal.key')]
  writeFileSync(caFile, one.certificate)
  writeFileSync(keyFile, one.key, { mode: 0o600 })
  const args = ['--tls-certificate-file', caFile, '--tls-key-file', keyFile]
  const portal = await startPortal(context, { data, args, ca: one.certificate })
  // For this process alone: what the libraries trust.
  setDefaultCACertificates([...getCACertificates(), one.certificate])
  const client = await addClient(context, data, 'siem', ['--description', 'pulls the logs'])
  return {
    portal,
    data,
    caFile,
    client,
    issuer: new URL('/oauth2/default', portal.baseUrl),
    audience: new URL('/audit-trail/api', portal.baseUrl).href,
    logUrl: new URL('/audit-trail/api/v1/portal/type/auditlog?elapsed_hours=1', portal.baseUrl),
    tokens: 0,
  }
}

async function openidClient(context: TestContext, stage: Stage): Promise<void> {
  const { clientId, clientSecret } = stage.client
  const methods = { basic: openid.ClientSecretBasic, post: openid.ClientSecretPost } as const
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    for (const [name, method] of Object.entries(methods)) {
      const configuration = await openid.discovery(stage.issuer, clientId, undefined, method(clientSecret), {
        algorithm,
      })
      const token = await openid.clientCredentialsGrant(configuration, { scope })
      stage.tokens += 1
      assert.deepEqual([token.token_type, token.expires_in, token.scope], ['bearer', 900, scope])
      const read = () => openid.fetchProtectedResource(configuration, token.access_token, stage.logUrl, 'GET')
      const bytes = await bodyOf(await read())
      const before = await openid.tokenIntrospection(configuration, token.access_token)
      assert.deepEqual([before.active, before['client_id'], before.scope], [true, clientId, scope])
      await openid.tokenRevocation(configuration, token.access_token)
      assert.deepEqual(await openid.tokenIntrospection(configuration, token.access_token), { active: false })
      await assert.rejects(read, challengedBy('bearer', 'invalid_token'))
      tell(
        context,
        `${algorithm} discovery, ${name}: token 900 s, read 200 (${bytes} bytes), active, revoked, 401`,
      )
    }
  }
  const wrong = async (method: (typeof methods)[keyof typeof methods]) => {
    const configuration = await openid.discovery(stage.issuer, clientId, undefined, method('wrong'))
    await openid.clientCredentialsGrant(configuration, { scope })
  }
  // A 401 that is due to the header has a challenge, and it looks at that first.
  await assert.rejects(wrong(methods.basic), challengedBy('basic'))
  await assert.rejects(wrong(methods.post), refusedAs('invalid_client'))
  tell(context, 'wrong secret: 401 with a challenge, invalid_client')
}

async function webapiClient(context: TestContext, stage: Stage): Promise<void> {
  const { clientId, clientSecret } = stage.client
  const server = await oauth4webapi.processDiscoveryResponse(
    stage.issuer,
    await oauth4webapi.discoveryRequest(stage.issuer, { algorithm: 'oauth2' }),
  )
  const resource = new URL(stage.audience)
  const described = await oauth4webapi.processResourceDiscoveryResponse(
    resource,
    await oauth4webapi.resourceDiscoveryRequest(resource),
  )
  assert.deepEqual(described.authorization_servers, [server.issuer])
  const client = { client_id: clientId }
  // Encodes every character of a client's id that is no letter or digit, in the header.
  for (const method of [oauth4webapi.ClientSecretBasic, oauth4webapi.ClientSecretPost]) {
    const authentication = method(clientSecret)
    const parameters = { scope, resource: stage.audience }
    const answer = await oauth4webapi.clientCredentialsGrantRequest(
      server,
      client,
      authentication,
      parameters,
    )
    const token = await oauth4webapi.processClientCredentialsResponse(server, client, answer)
    stage.tokens += 1
    const headers = { authorization: `Bearer ${token.access_token}` }
    const claims = await oauth4webapi.validateJwtAccessToken(
      server,
      new Request(stage.logUrl, { headers }),
      stage.audience,
      { signingAlgorithms: ['RS256'] },
    )
    assert.deepEqual([claims.sub, claims.client_id, claims.scope], [clientId, clientId, scope])
    const read = () => oauth4webapi.protectedResourceRequest(token.access_token, 'GET', stage.logUrl)
    const bytes = await bodyOf(await read())
    const introspect = async () => {
      const asked = await oauth4webapi.introspectionRequest(
        server,
        client,
        authentication,
        token.access_token,
      )
      return await oauth4webapi.processIntrospectionResponse(server, client, asked)
    }
    assert.equal((await introspect()).active, true)
    const revoked = await oauth4webapi.revocationRequest(server, client, authentication, token.access_token)
    await oauth4webapi.processRevocationResponse(revoked)
    assert.deepEqual(await introspect(), { active: false })
    await assert.rejects(read, challengedBy('bearer', 'invalid_token'))
    tell(
      context,
      `${method.name}: RFC 8414 and RFC 9728 metadata, token valid by RFC 9068, read 200 (${bytes} bytes), active, revoked, 401`,
    )
  }
}

async function simpleClient(context: TestContext, stage: Stage): Promise<void> {
  const ways = [
    { credentialsEncodingMode: 'strict' },
    { credentialsEncodingMode: 'loose' },
    { authorizationMethod: 'body' },
  ] as const
  for (const options of ways) {
    const token = await simpleOf(stage, stage.client.clientSecret, options).getToken({ scope })
    stage.tokens += 1
    assert.deepEqual([token.token.scope, token.token.expires_in, token.expired()], [scope, 900, false])
    const bytes = await bodyOf(await readWith(stage, token))
    await token.revoke('access_token')
    assert.equal((await readWith(stage, token)).status, 401)
    tell(context, `${Object.values(options).join()}: token 900 s, read 200 (${bytes} bytes), revoked, 401`)
  }
  await assert.rejects(simpleOf(stage, 'wrong', {}).getToken({}), statusIs(401))
  // It can send JSON, which RFC 6749 does not know.
  const json = simpleOf(stage, stage.client.clientSecret, { bodyFormat: 'json' })
  await assert.rejects(json.getToken({ scope }), statusIs(400))
  tell(context, 'wrong secret: 401; JSON instead of a form: 400')
}

function simpleOf(
  { client, portal }: Stage,
  secret: string,
  options: ConstructorParameters<typeof ClientCredentials>[0]['options'],
): ClientCredentials {
  return new ClientCredentials({
    client: { id: client.clientId, secret },
    auth: { tokenHost: portal.baseUrl, tokenPath, revokePath },
    options,
  })
}

async function readWith({ logUrl }: Stage, { token }: AccessToken): Promise<Response> {
  return await fetch(logUrl, { headers: { authorization: `Bearer ${token.access_token}` } })
}

async function requestsOauthlib(context: TestContext, stage: Stage): Promise<void> {
  const told = await python(context, stage, 'requests_oauthlib')
  if (told === undefined) return
  const [{ version } = {}, basic = {}, post = {}, ...refused] = told
  for (const [facts, method] of [
    [basic, 'client_secret_basic'],
    [post, 'client_secret_post'],
  ] as const) {
    stage.tokens += 1
    proveTold(facts, method)
    tell(context, `${String(version)}, ${method}: token 900 s, read 200 (${String(facts['bytes'])} bytes)`)
  }
  assert.deepEqual(refused, [{ refused: 'invalid_client' }, { refused: 'invalid_scope' }])
  tell(context, 'wrong secret: invalid_client; unknown scope: invalid_scope')
}

async function authlib(context: TestContext, stage: Stage): Promise<void> {
  const told = await python(context, stage, 'authlib')
  if (told === undefined) return
  const [{ version } = {}, basic = {}, post = {}, ...refused] = told
  for (const [facts, method] of [
    [basic, 'client_secret_basic'],
    [post, 'client_secret_post'],
  ] as const) {
    stage.tokens += 1
    proveTold(facts, method)
    assert.equal(facts['subject'], stage.client.clientId)
    const { active, revoked, active_after: after, status_after: status } = facts
    assert.deepEqual([active, revoked, after, status], [true, 200, false, 401])
    tell(
      context,
      `${String(version)}, ${method}: token 900 s, valid by its key set, read 200 (${String(facts['bytes'])} bytes), active, revoked, 401`,
    )
  }
  assert.deepEqual(refused, [{ refused: 'invalid_client' }])
  tell(context, 'wrong secret: invalid_client')
}

function proveTold(facts: Readonly<Record<string, unknown>>, method: string): void {
  const { method: told, token_type: type, expires_in: seconds, scope: granted, status } = facts
  assert.deepEqual([told, type, seconds, granted, status], [method, 'Bearer', 900, scope, 200])
  assert.ok(Number(facts['bytes']) > 0)
  assert.equal(facts['bytes'], facts['length'])
}

// What a script prints. Undefined, and said so, where this machine has not what it needs: never on a CI machine.
async function python(
  context: TestContext,
  stage: Stage,
  library: 'requests_oauthlib' | 'authlib',
): Promise<Readonly<Record<string, unknown>>[] | undefined> {
  const known = spawnSync(systemPython, ['-c', `import requests, ${library}`])
  if (known.status !== 0) {
    assert.equal(process.env['CI'], undefined, `python3-${library.replace('_', '-')} is missing`)
    context.skip(`NOT RUN: this machine has no python3-${library.replace('_', '-')}`)
    return undefined
  }
  const { client, portal, audience, logUrl, caFile } = stage
  const asked = {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    token_url: `${portal.baseUrl}${tokenPath}`,
    metadata_url: `${portal.baseUrl}/.well-known/oauth-authorization-server/oauth2/default`,
    log_url: logUrl.href,
    audience,
  }
  const script = join(import.meta.dirname, 'foreign', `${library}_client.py`)
  const environment = { PATH: process.env['PATH'] ?? '', REQUESTS_CA_BUNDLE: caFile }
  const output = await run(systemPython, ['-W', 'ignore', script], JSON.stringify(asked), environment)
  const lines = output.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

// Debian's own, which has Debian's packages.
const systemPython = '/usr/bin/python3'

async function curl(context: TestContext, stage: Stage): Promise<void> {
  const { clientId, clientSecret } = stage.client
  const url = `${stage.portal.baseUrl}${tokenPath}`
  // By a file, which is standard input here: what stands in the arguments, every process of the machine can read.
  const basic = `user = "${clientId}:${clientSecret}"\n`
  const post = `data = "client_id=${clientId}"\ndata = "client_secret=${clientSecret}"\n`
  for (const [name, secrets] of Object.entries({ '--user': basic, '--data': post })) {
    const grant = `data = "grant_type=client_credentials"\ndata = "scope=${scope}"\n`
    const answer = await runCurl(stage, [url], `${secrets}${grant}`)
    const { access_token: token, ...rest } = JSON.parse(answer) as { readonly access_token: string }
    stage.tokens += 1
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 900, scope })
    const log = await runCurl(stage, [stage.logUrl.href], `oauth2-bearer = "${token}"\n`)
    assert.match(log, /^<\d+>1 [^]*\n$/)
    tell(context, `${name}: token 900 s, --oauth2-bearer: read ${log.length} bytes`)
  }
  const refused = await runCurl(
    stage,
    ['--write-out', ' %{http_code}', url],
    'user = "nobody:nothing"\ndata = "grant_type=client_credentials"\n',
  )
  assert.match(refused, /^\{"error":"invalid_client","error_description":"[^"]+"\} 401$/)
  tell(context, `unknown client: ${refused}`)
}

async function runCurl({ caFile }: Stage, args: readonly string[], config: string): Promise<string> {
  const environment = { PATH: process.env['PATH'] ?? '' }
  return await run(
    'curl',
    ['--silent', '--show-error', '--cacert', caFile, '--config', '-', ...args],
    config,
    environment,
  )
}

async function annalsFetch(context: TestContext, stage: Stage): Promise<void> {
  const { portal, client, caFile } = stage
  const output = join(temporaryDirectory(context), 'portal.log')
  const who = ['--client-id', client.clientId, '--client-secret-file', '-']
  const args = ['portal', '--url', portal.baseUrl, '--ca-file', caFile, ...who, '--output', output]
  const { exitCode, errors } = await runAnnals(context, ['fetch', ...args], `${client.clientSecret}\n`)
  assert.equal(exitCode, 0, errors)
  stage.tokens += 1
  const text = readFileSync(output, 'utf8')
  assert.equal(
    text,
    storedLines(stage.data)
      .map((line) => `${line}\n`)
      .join('')
      .slice(0, text.length),
  )
  tell(context, `portal: ${text.length} bytes, as they are stored`)
}

// S7: what was issued stands in the log under its client and its token's id; the token itself, and secrets, nowhere.
function proveEntries({ portal, data, client, tokens }: Stage): void {
  const lines = storedLines(data)
  const issued = lines.filter(
    (line) => line.includes(' 29051 ') && line.includes(`client:${client.clientId}`),
  )
  assert.equal(issued.length, tokens)
  for (const text of [...lines, portal.output(), portal.errors()]) {
    assert.ok(!text.includes(client.clientSecret))
    assert.doesNotMatch(text, /eyJ[A-Za-z0-9_-]{20}/)
  }
}

test('S2, A1: the answer of the token endpoint is exactly what the product gives', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const { clientId, clientSecret } = await addClient(context, data, 'siem')
  const form = { grant_type: 'client_credentials', scope, client_id: clientId, client_secret: clientSecret }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams(form).toString()
  const answer = await ask(portal, tokenPath, { method: 'POST', headers, body })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.match(
    answer.body.toString(),
    /^\{"token_type":"Bearer","expires_in":900,"access_token":"[\w-]+\.[\w-]+\.[\w-]+","scope":"service:audit-trail"\}$/,
  )
})

/** The length of an answer that was read, which must be the log. */
async function bodyOf(answer: Response): Promise<number> {
  assert.equal(answer.status, 200)
  const bytes = Buffer.from(await answer.arrayBuffer())
  // They ask for gzip, which has no length until it is sent (R5).
  const length = answer.headers.get('annals-content-length') ?? answer.headers.get('content-length')
  assert.equal(bytes.length, Number(length))
  assert.match(bytes.toString(), /^<\d+>1 [^]*\n$/)
  return bytes.length
}

const challengedBy =
  (scheme: 'basic' | 'bearer', code?: string) =>
  (thrown: unknown): boolean =>
    thrown instanceof oauth4webapi.WWWAuthenticateChallengeError &&
    thrown.cause.some((challenge) => challenge.scheme === scheme && challenge.parameters.error === code)

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof openid.ResponseBodyError && error.error === code

const statusIs = (status: number) => (error: unknown) =>
  error instanceof Error && 'output' in error && isStatus(error.output, status)

function isStatus(output: unknown, status: number): boolean {
  return (
    typeof output === 'object' && output !== null && 'statusCode' in output && output.statusCode === status
  )
}

async function run(
  program: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(program, args, { env, timeout: 60_000 })
  let [output, errors] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  child.stdin.end(input)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  assert.equal(await promise, 0, `${program}: ${errors}${output}`)
  return output
}

function tell(context: TestContext, line: string): void {
  context.diagnostic(`${context.name}: ${line}`)
}
