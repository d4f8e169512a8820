// Who may do what (E5, E6, S1, S2): every route of every face, asked by every kind of caller. The whole route tables are
// walked, and what is expected stands below as text: a route that is not there fails, and so does one that is gone.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { type CryptoKey, decodeJwt, generateKeyPair, importPKCS8, type JWTPayload, SignJWT } from 'jose'
import { joinPath } from '../../src/federation/enrolment.ts'
import * as routeTables from '../../src/http/routes.ts'
import {
  IssuerServer,
  json,
  signingKey,
  sign as signElsewhere,
} from '../../src/identity/testing/issuer-server.ts'
import { type Answer, ask, basic, type Credentials, type Server } from '../conformance/wire.ts'
import { enginePath, enginesPath, type EngineProcess, joinEngine, listEngines } from './engine-process.ts'
import { addClient, basicOf, type OAuthClient, postForm, revokePath, tokenOf } from './oauth-client.ts'
import {
  addAccount,
  administrator,
  annals,
  hostName,
  type PortalProcess,
  startAnnals,
  startPortal,
  temporaryDirectory,
  whenReady,
} from './portal-process.ts'

const engineName = 'engine-01.example.com'

/** The kinds of callers, in the order of the columns. */
const callers = [
  'nobody',
  'wrong password',
  'plain user',
  'auditor',
  'central administrator',
  'main administrator',
  'client with the scope',
  'client that lost the scope',
  'client for this engine',
  'client for another engine',
  'record-only client',
  'expired token',
  'revoked token',
  'token of a foreign issuer',
  'token of a listed issuer, with a grant',
  'token of a listed issuer, without one',
  'token of an instance in another region',
  'tampered token',
  'unsigned token',
  'token of a disabled client',
  'token of a removed client',
  "a client's id and secret",
] as const

const { agoraRoutes, innerRoutes, portalRoutes } = routeTables
// The record socket asks nobody: who can open it is let in (`engine-recording.test.ts`).
const engineRoutes = [
  ...routeTables.engineRoutes,
  ...routeTables.recordingRoutes,
  ...routeTables.witnessRoutes,
  ...routeTables.engineCheckpointRoutes,
]

type Caller = (typeof callers)[number]

/** What a portal answers. */
const portalMatrix = `
                                                             A   B   C   D   E   F   G   H   I   J   K   L   M   N   O   P   Q   R   S   T   U   V
/audit-trail/api/v1/portal/type/auditlog                     401 401 403 200 200 200 200 403 403 403 403 401 401 401 200 403 401 401 401 401 401 401
/audit-trail/api/v1/engine/:host/type/auditlog               401 401 403 200 200 200 200 403 200 403 403 401 401 401 200 403 401 401 401 401 401 401
/audit-trail/api/v1/engines/type/auditlog                    401 401 403 200 200 200 200 403 403 403 403 401 401 401 200 403 401 401 401 401 401 401
/audit-trail/api/v2/logs/:log/checkpoint                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/logs/:log/keys                           200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/logs/:log/tile/*                         401 401 403 200 200 200 200 403 403 403 403 401 401 401 200 403 401 401 401 401 401 401
/audit-trail/api/v2/logs/:log/entries/:position/proof        401 401 403 200 200 200 200 403 403 403 403 401 401 401 200 403 401 401 401 401 401 401
/audit-trail/api/v2/logs/:log/reads/:position/proof          401 401 403 200 200 200 200 403 403 403 403 401 401 401 200 403 401 401 401 401 401 401
/audit-trail/api/v2/engines                                  403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403
/oauth2/default/v1/token                                     401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 200
/oauth2/default/v1/introspect                                401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 200
/oauth2/default/v1/revoke                                    401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 200
/oauth2/default/v1/keys                                      200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/.well-known/oauth-authorization-server/oauth2/default       200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/oauth2/default/.well-known/oauth-authorization-server       200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/oauth2/default/.well-known/openid-configuration             200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/.well-known/oauth-protected-resource/audit-trail/api        200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/logs/:log/entries                        401 401 403 403 201 201 403 403 403 403 201 401 401 401 403 403 401 401 401 401 401 401
/v1/logs                                                     401 401 403 403 200 200 403 403 403 403 200 401 401 401 403 403 401 401 401 401 401 401
/audit-trail/api/v2/schemas/event                            200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/witness/add-checkpoint                   400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400
/audit-trail/api/v2/witness/:hash/checkpoint                 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404
/audit-trail/api/v2/witness/vkeys                            200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/healthz                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/readyz                                                      200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/metrics                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/version                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200`

/**
 * What a gateway answers in front of that portal: it knows the tokens of instances alone, and those of its region pass. What
 * the instance shows to everybody it shows here to every token that leads to it, be it revoked.
 */
const agoraMatrix = `
                                                             A   B   C   D   E   F   G   H   I   J   K   L   M   N   O   P   Q   R   S   T   U   V
/audit-trail/api/v1/portal/type/auditlog                     401 401 401 401 401 401 200 403 403 403 403 401 401 401 401 401 403 401 401 401 401 401
/audit-trail/api/v1/engine/:host/type/auditlog               401 401 401 401 401 401 200 403 200 403 403 401 401 401 401 401 403 401 401 401 401 401
/audit-trail/api/v1/engines/type/auditlog                    401 401 401 401 401 401 200 403 403 403 403 401 401 401 401 401 403 401 401 401 401 401
/audit-trail/api/v2/logs/:log/checkpoint                     401 401 401 401 401 401 200 200 200 200 200 401 200 401 401 401 403 401 401 200 200 401
/audit-trail/api/v2/logs/:log/keys                           401 401 401 401 401 401 200 200 200 200 200 401 200 401 401 401 403 401 401 200 200 401
/audit-trail/api/v2/logs/:log/tile/*                         401 401 401 401 401 401 200 403 403 403 403 401 401 401 401 401 403 401 401 401 401 401
/audit-trail/api/v2/logs/:log/entries/:position/proof        401 401 401 401 401 401 200 403 403 403 403 401 401 401 401 401 403 401 401 401 401 401
/audit-trail/api/v2/logs/:log/reads/:position/proof          401 401 401 401 401 401 200 403 403 403 403 401 401 401 401 401 403 401 401 401 401 401
/healthz                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/readyz                                                      200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/metrics                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/version                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200`

/** What an engine answers everybody, beside its portal. It knows the tokens that were made for it alone. */
const engineMatrix = `
                                                             A   B   C   D   E   F   G   H   I   J   K   L   M   N   O   P   Q   R   S   T   U   V
/healthz                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/readyz                                                      200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/metrics                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/version                                                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/logs/:log/entries                        401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401
/v1/logs                                                     401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401 401
/audit-trail/api/v2/schemas/event                            200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/witness/add-checkpoint                   400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400 400
/audit-trail/api/v2/witness/:hash/checkpoint                 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404 404
/audit-trail/api/v2/witness/vkeys                            200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/logs/:log/checkpoint                     200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
/audit-trail/api/v2/logs/:log/keys                           200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200`

/** What an engine answers on the port that is for its portal, whose certificate no caller has: TLS ends there. */
const innerMatrix = `
                                                             A   B   C   D   E   F   G   H   I   J   K   L   M   N   O   P   Q   R   S   T   U   V
/audit-trail/inner/v1/description                            tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/inner/v1/window                                 tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/inner/v1/entries                                tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/inner/v1/log/*                                  tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/inner/v1/certificate                            tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/inner/v1/tokens                                 tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/inner/v1/keys                                   tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/api/v2/witness/add-checkpoint                   tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/api/v2/witness/:hash/checkpoint                 tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls
/audit-trail/api/v2/witness/vkeys                            tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls tls`

/** What stands behind the callers. */
interface Stage {
  readonly portal: PortalProcess & { readonly data: string }
  readonly engine: EngineProcess
  /** The client that introspects and revokes, and a token of its own to do it with. */
  readonly client: OAuthClient
  readonly token: string
  /** The position of a read of the portal's log in that log. */
  readonly mark: number
  /** What each caller sends. */
  readonly authorization: Readonly<Record<Caller, string | undefined>>
  /** Another authorization server, which gateways take for an instance in another region. */
  readonly elsewhere: IssuerServer
}

/** A route of any face. */
interface AnyRoute {
  readonly path: string
  readonly methods: readonly string[]
}

test('E5, E6: every route of every face answers every caller as the matrix says', async (context) => {
  const stage = await setStage(context)
  for (const [index, caller] of callers.entries()) context.diagnostic(`${letterOf(index)} = ${caller}`)
  assert.deepEqual(Object.keys(routeTables).sort(), [
    'agoraRoutes',
    'engineCheckpointRoutes',
    'engineRoutes',
    'innerRoutes',
    'portalRoutes',
    'recordingRoutes',
    'socketRoutes',
    'witnessRoutes',
  ])
  await context.test('the portal', async (context) => {
    await prove(context, portalRoutes, portalMatrix, (...asked) => statusOf(stage, stage.portal, ...asked))
  })
  await context.test('a gateway in front of it', async (context) => {
    const agora = await startAgora(context, stage)
    await prove(context, agoraRoutes, agoraMatrix, (...asked) => statusOf(stage, agora, ...asked))
    await proveNothingElse(stage, agora, agoraRoutes)
  })
  await context.test("the engine's own port", async (context) => {
    await prove(context, engineRoutes, engineMatrix, (...asked) => statusOf(stage, stage.engine, ...asked))
  })
  await context.test("the engine's port for its portal", async (context) => {
    const [listed] = await listEngines(context, stage.portal)
    const address = `https://${listed?.address}`
    await prove(context, innerRoutes, innerMatrix, (...asked) => innerStatus(stage, address, ...asked))
  })
  await context.test('the engine has nothing that its portal has', () =>
    proveNothingElse(stage, stage.engine, engineRoutes),
  )
  await context.test('E6: the right is asked for before the engine', () => proveOrder(stage))
  await context.test('S6: what fails to authenticate gives one answer', () => proveOneAnswer(stage))
})

async function prove(
  context: TestContext,
  routes: readonly AnyRoute[],
  expected: string,
  statusOf: (method: string, path: string, caller: Caller) => Promise<string>,
): Promise<void> {
  const lines = [
    '',
    row(
      '',
      callers.map((_, index) => letterOf(index)),
    ),
  ]
  for (const { path, methods } of routes) {
    const statuses = callers.map(async (caller) => {
      const each: string[] = []
      for (const method of methods) each.push(await statusOf(method, path, caller))
      // All methods of a route answer alike.
      return [...new Set(each)].join('|')
    })
    lines.push(row(path, await Promise.all(statuses)))
  }
  for (const line of lines.slice(1)) context.diagnostic(line)
  assert.deepEqual(lines, expected.split('\n'))
}

async function statusOf(
  stage: Stage,
  server: Server,
  method: string,
  path: string,
  caller: Caller,
): Promise<string> {
  return String((await send(stage, server, method, path, caller)).status)
}

// What a portal has and another face has not is not found there, whoever asks.
async function proveNothingElse(stage: Stage, server: Server, own: readonly AnyRoute[]): Promise<void> {
  for (const { path } of portalRoutes.filter((route) => !own.some(({ path }) => path === route.path)))
    for (const caller of ['nobody', 'main administrator', 'client with the scope'] as const)
      assert.equal(await statusOf(stage, server, 'GET', path, caller), '404', path)
}

// The engine's certificate is for its portal to know: whoever else comes here trusts anything. `tls` where the connection
// ends before there is an answer.
async function innerStatus(
  { authorization }: Stage,
  address: string,
  method: string,
  path: string,
  caller: Caller,
): Promise<string> {
  const headers = { authorization: authorization[caller] ?? '' }
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const outgoing = request(`${address}${path}`, { method, headers, agent: false, rejectUnauthorized: false })
  outgoing.on('response', (answer) => {
    answer.resume()
    resolve(String(answer.statusCode))
  })
  outgoing.on('error', (error) => (isTlsRefusal(error) ? resolve('tls') : reject(error)))
  outgoing.end()
  return await promise
}

// The alert that a certificate is needed, or the end of the connection that followed it.
function isTlsRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && tlsRefusals.has(String(error.code))
}

const tlsRefusals = new Set(['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ECONNRESET', 'EPIPE'])

async function send(
  { authorization, engine, token, mark }: Stage,
  server: Server,
  method: string,
  path: string,
  caller: Caller,
): Promise<Answer> {
  const headers = {
    // From an address of its own, so that no caller's failures are another's.
    'x-forwarded-for': `192.0.2.${callers.indexOf(caller) + 1}`,
    ...(authorization[caller] === undefined ? {} : { authorization: authorization[caller] }),
  }
  const asked = path
    .replace(':host', engineName)
    .replace(':log', server === engine ? engineName : hostName)
    .replace(':position', String(mark))
    .replace(':hash', '0'.repeat(64))
    .replace('*', '0/000.p/1')
  if (method !== 'POST') return await ask(server, asked, { method, headers })
  const posted = bodies.get(path)
  if (posted !== undefined)
    return await ask(server, asked, { method, headers: { ...headers, ...jsonType }, body: posted })
  if (path === joinPath) return await ask(server, asked, { method, headers, body: unknownJoinToken })
  return await postForm(server, asked, { grant_type: 'client_credentials', token }, { headers })
}

const jsonType = { 'content-type': 'application/json' }

// What the record-only client may record, and an export of OpenTelemetry with nothing in it.
const bodies = new Map([
  [
    '/audit-trail/api/v2/logs/:log/entries',
    JSON.stringify({ code: 40_001, component: 'Shop', actor: 'x', message: 'sold' }),
  ],
  ['/v1/logs', JSON.stringify({ resourceLogs: [] })],
  // Whoever asks a witness proves itself with what it shows; this is no checkpoint.
  ['/audit-trail/api/v2/witness/add-checkpoint', 'nothing'],
])

// Well-formed, but nobody made it: an engine proves itself with its token alone, whatever else it sends.
const unknownJoinToken = JSON.stringify({ version: 1, token: '0123456789abcdef' })

// Who may not read an engine learns nothing of whether there is one of that name (E6).
async function proveOrder(stage: Stage): Promise<void> {
  for (const caller of ['plain user', 'client that lost the scope', 'record-only client'] as const) {
    for (const name of ['nowhere', engineName, 'engine-01'])
      assert.equal((await send(stage, stage.portal, 'GET', enginePath(name), caller)).status, 403, caller)
  }
  const other = 'client for another engine'
  assert.equal((await send(stage, stage.portal, 'GET', enginePath('nowhere'), other)).status, 403)
  assert.equal((await send(stage, stage.portal, 'GET', enginePath('engine-02'), other)).status, 500)
  // The engine that was granted by its full name has a short one too.
  assert.equal(
    (await send(stage, stage.portal, 'GET', enginePath('engine-01'), 'client for this engine')).status,
    200,
  )
}

// By scheme: what was wrong is told to the log alone.
async function proveOneAnswer(stage: Stage): Promise<void> {
  const answers = new Map<string, Set<string>>()
  for (const caller of callers) {
    for (const { path } of portalRoutes.slice(0, 3)) {
      const answer = await send(stage, stage.portal, 'GET', path, caller)
      if (answer.status !== 401) continue
      const scheme = stage.authorization[caller]?.startsWith('Bearer') === true ? 'Bearer' : 'Basic'
      const told = `${answer.body.toString()} ${String(answer.headers['www-authenticate'])}`
      answers.set(scheme, (answers.get(scheme) ?? new Set()).add(told))
    }
  }
  const [[bearer = ''] = [], [basic = ''] = []] = [answers.get('Bearer'), answers.get('Basic')]
  assert.deepEqual([answers.get('Bearer')?.size, answers.get('Basic')?.size], [1, 1])
  assert.match(bearer, /Basic realm="annals".*Bearer realm="annals", error="invalid_token"/)
  assert.match(basic, /Basic realm="annals".*Bearer realm="annals", resource_metadata="[^"]+"$/)
}

async function setStage(context: TestContext): Promise<Stage> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const listed = await listedIssuer(context, join(directory, 'issuers.yaml'))
  const args = ['--trusted-proxies', '127.0.0.1', '--issuers-file', listed.file]
  const portal = { ...(await startPortal(context, { data, args })), data }
  const engine = await joinEngine(context, portal, { data: join(directory, 'engine'), hostName: engineName })
  const client = await addClient(context, data, 'prober')
  const token = await tokenOf(portal, client)
  await proveOwnKey(portal, token)
  const authorization = {
    nobody: undefined,
    ...(await accountHeaders(context, data)),
    ...(await clientHeaders(context, portal)),
    ...(await forgedHeaders(data, token)),
    ...listed.headers,
    "a client's id and secret": basic(basicOf(client)),
  }
  return {
    portal,
    engine,
    client,
    token,
    mark: await readOnce(portal),
    authorization,
    elsewhere: listed.server,
  }
}

async function readOnce(portal: PortalProcess): Promise<number> {
  const answer = await ask(portal, '/audit-trail/api/v1/portal/type/auditlog', { credentials: administrator })
  return Number(/\/reads\/(\d+)\/proof$/.exec(String(answer.headers['annals-proof']))?.[1])
}

// Another authorization server, whose auditors may read everything. For a gateway it plays an instance, too.
async function listedIssuer(context: TestContext, file: string) {
  const key = await signingKey('theirs')
  const server = await IssuerServer.start(key)
  context.after(() => server.leave())
  server.paths.set(
    '/oauth2/default/v1/keys',
    json(() => ({ keys: [key.publicJwk] })),
  )
  const grant = '{ claim: roles, value: auditor, scope: "service:audit-trail" }'
  writeFileSync(file, `- { issuer: "${server.issuer}", audience: audit, grants: [${grant}] }\n`)
  const now = Math.floor(Date.now() / 1000)
  const common = { sub: 'olga', client_id: 'olga', jti: randomUUID(), iat: now, exp: now + 600 }
  const listed = { ...common, iss: server.issuer, aud: 'audit' }
  const far = {
    ...common,
    iss: `${server.origin}/oauth2/default`,
    aud: `${server.origin}/audit-trail/api`,
    scope: 'service:audit-trail',
    annals_instance: 'far',
    annals_region: 'elsewhere',
  }
  const headers = {
    'token of a listed issuer, with a grant': bearer(
      await signElsewhere(key, { ...listed, roles: ['auditor'] }),
    ),
    'token of a listed issuer, without one': bearer(
      await signElsewhere(key, { ...listed, roles: ['developer'] }),
    ),
    'token of an instance in another region': bearer(await signElsewhere(key, far)),
  }
  return { file, server, headers }
}

async function startAgora(context: TestContext, { portal, elsewhere }: Stage): Promise<Server> {
  const directory = temporaryDirectory(context)
  const instances = join(directory, 'instances.yaml')
  const listed = [
    { name: hostName, region: 'local', url: portal.baseUrl },
    { name: 'far', region: 'elsewhere', url: elsewhere.origin },
  ]
  const lines = listed.map((one) => JSON.stringify({ ...one, issuer: `${one.url}/oauth2/default` }))
  writeFileSync(instances, lines.map((line) => `- ${line}\n`).join(''))
  const fixed = ['--data', join(directory, 'data'), '--listen', '127.0.0.1:0', '--instances-file', instances]
  return await whenReady(startAnnals(context, ['agora', ...fixed]))
}

async function accountHeaders(context: TestContext, data: string) {
  const password = 'Just-a-test-1'
  const account = async (name: string, profile: string): Promise<string> => {
    await addAccount(context, data, { name, password }, profile)
    return basic({ name, password })
  }
  await annals(context, ['profile', 'enable', 'auditor', '--data', data])
  const wrong: Credentials = { name: 'berta', password: 'Not-the-right-1' }
  await account(wrong.name, 'main-administrator')
  return {
    'wrong password': basic(wrong),
    'plain user': await account('anna', 'user'),
    auditor: await account('otto', 'auditor'),
    'central administrator': await account('carla', 'central-administrator'),
    'main administrator': basic(administrator),
  }
}

async function clientHeaders(context: TestContext, portal: PortalProcess & { readonly data: string }) {
  const { data } = portal
  const command = (...args: readonly string[]) => annals(context, ['client', ...args, '--data', data])
  const withScope = async (name: string, ...flags: readonly string[]) => {
    const client = await addClient(context, data, name, flags)
    return { client, token: await tokenOf(portal, client) }
  }
  const ofEngine = (name: string) => ['--scope', `service:audit-trail:engine:${name}`]
  const recording = ['--record-components', 'Shop', '--record-codes', '40000-40999']
  const [reader, narrowed, revoked, disabled, removed, ofThis, ofOther, recorder] = await Promise.all([
    withScope('reader'),
    withScope('narrowed'),
    withScope('revoked'),
    withScope('disabled'),
    withScope('removed'),
    withScope('this', ...ofEngine(engineName)),
    withScope('other', ...ofEngine('engine-02')),
    withScope('recorder', '--scope', 'service:audit-trail:record', ...recording),
  ])
  await command('set', 'narrowed', ...ofEngine('engine-99'))
  await command('set', 'disabled', '--disable')
  await command('remove', 'removed')
  const credentials = basicOf(revoked.client)
  assert.equal((await postForm(portal, revokePath, { token: revoked.token }, { credentials })).status, 200)
  return {
    'client with the scope': bearer(reader.token),
    'client that lost the scope': bearer(narrowed.token),
    'client for this engine': bearer(ofThis.token),
    'client for another engine': bearer(ofOther.token),
    'record-only client': bearer(recorder.token),
    'revoked token': bearer(revoked.token),
    'token of a disabled client': bearer(disabled.token),
    'token of a removed client': bearer(removed.token),
  }
}

// What the test signs with the portal's own key is good, so that what is refused below is refused for the one thing that
// is wrong with it.
async function proveOwnKey(portal: Server & { readonly data: string }, good: string): Promise<void> {
  const headers = { authorization: bearer(await sign(decodeJwt(good), await ownKey(portal.data))) }
  assert.equal((await ask(portal, enginesPath, { headers })).status, 200)
}

// Of a good token: the same but for one thing.
async function forgedHeaders(data: string, good: string) {
  const claims = decodeJwt(good)
  const [head = '', body = '', signature = ''] = good.split('.')
  const now = Math.floor(Date.now() / 1000)
  const own = await ownKey(data)
  const other = await generateKeyPair('RS256')
  const foreign = { ...claims, iss: 'https://elsewhere.example/oauth2/default' }
  return {
    'expired token': bearer(await sign({ ...claims, iat: now - 3600, exp: now - 1800 }, own)),
    'token of a foreign issuer': bearer(await sign(foreign, { kid: 'theirs', key: other.privateKey })),
    'tampered token': bearer(`${head}.${encoded({ ...claims, exp: now + 86_400 })}.${signature}`),
    'unsigned token': bearer(`${encoded({ alg: 'none', typ: 'at+jwt' })}.${body}.${signature}`),
  }
}

interface SigningKey {
  readonly kid: string
  readonly key: CryptoKey
}

// The portal's own, as somebody has it who got hold of its data directory.
async function ownKey(data: string): Promise<SigningKey> {
  using database = new DatabaseSync(join(data, 'annals.db'), { readOnly: true })
  const row = database.prepare("SELECT kid, private_key FROM token_key WHERE state = 'current'").get()
  return { kid: String(row?.['kid']), key: await importPKCS8(String(row?.['private_key']), 'RS256') }
}

async function sign(claims: JWTPayload, { kid, key }: SigningKey): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid }).sign(key)
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function bearer(token: string): string {
  return `Bearer ${token}`
}

function letterOf(index: number): string {
  return String.fromCodePoint('A'.charCodeAt(0) + index)
}

function row(path: string, cells: readonly string[]): string {
  return `${path.padEnd(60)} ${cells.map((cell) => cell.padEnd(3)).join(' ')}`.trimEnd()
}
