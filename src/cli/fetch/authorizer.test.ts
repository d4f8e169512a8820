import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { isAnnalsError } from '../../errors.ts'
import { testSurroundings } from '../testing/surroundings.ts'
import { type Authorizer, basicAuthorizer, tokenAuthorizer } from './authorizer.ts'
import { openHttpClient } from './http-client.ts'
import { outputDestination } from './output-destination.ts'
import { Setback } from './setback.ts'
import { fetching } from './testing/fetching.ts'
import { cut, logText, refusal, startScriptedServer, type Step, whole } from './testing/scripted-server.ts'

const log = logText(2_000)
const unauthenticated = refusal(401, [{ code: 'UNAUTHENTICATED', message: 'no' }])

test('S1: a name and a password are sent in UTF-8, and never a second time when they are refused', async (context) => {
  const server = await startScriptedServer(context, unauthenticated)
  const authorizer = basicAuthorizer('jürg', 'pass:wörd')
  await assert.rejects(fetched(server.url, authorizer), (error) => isAnnalsError(error, 'UNAUTHENTICATED'))
  const expected = `Basic ${Buffer.from('jürg:pass:wörd').toString('base64')}`
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [expected],
  )
})

test("S2: a token is got with the client's credentials and the scope, once for all requests", async (context) => {
  const bodies: string[] = []
  const give = token('t1', {}, bodies)
  const { authorizer, requests } = await startTokenServer(context, give)
  const server = await startScriptedServer(context, cut(log, 1_000), whole(log))
  assert.equal(await fetched(server.url, authorizer), log)
  assert.deepEqual(bodies, ['grant_type=client_credentials&scope=service%3Aaudit-trail'])
  assert.equal(requests[0]?.method, 'POST')
  assert.equal(requests[0]?.headers['content-type'], 'application/x-www-form-urlencoded')
  const basic = Buffer.from('siem+%2F%C3%BC:a+secret%3A').toString('base64')
  assert.equal(requests[0]?.headers.authorization, `Basic ${basic}`)
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    ['Bearer t1', 'Bearer t1'],
  )
})

test('S2: a token that is refused in the middle is renewed once; a new one that is refused is the end', async (context) => {
  const { authorizer, requests } = await startTokenServer(context, token('t1'), token('t2'), token('t3'))
  const server = await startScriptedServer(context, cut(log, 1_000), unauthenticated, whole(log))
  assert.equal(await fetched(server.url, authorizer), log)
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    ['Bearer t1', 'Bearer t1', 'Bearer t2'],
  )
  const refusing = await startScriptedServer(context, unauthenticated)
  await assert.rejects(fetched(refusing.url, authorizer), (error) => isAnnalsError(error, 'UNAUTHENTICATED'))
  assert.deepEqual(
    refusing.requests.map(({ headers }) => headers.authorization),
    ['Bearer t2', 'Bearer t3'],
  )
  assert.equal(requests.length, 3)
})

test('S2: a token that has run out is not sent any more', async (context) => {
  const { authorizer } = await startTokenServer(context, token('t1', { expires_in: 1e-6 }), token('t2'))
  const signal = new AbortController().signal
  assert.deepEqual(
    [await authorizer.header(signal), await authorizer.header(signal)],
    ['Bearer t1', 'Bearer t2'],
  )
})

test('S2: what the token endpoint refuses is said, and one that is busy is asked again', async (context) => {
  const refused = refusal(401, [])
  const invalid: Step = (_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: 'invalid_client', error_description: 'unknown client' }))
  }
  const expected: [Step, RegExp][] = [
    [refused, /^the token endpoint refuses \(401\)$/],
    [invalid, /^the token endpoint refuses \(401\): invalid_client: unknown client$/],
    [token('with a blank'), /no bearer token/],
    [token('t', { token_type: 'mac' }), /no bearer token/],
  ]
  for (const [step, message] of expected) {
    const { authorizer } = await startTokenServer(context, step)
    await assert.rejects(authorizer.header(new AbortController().signal), { name: 'AnnalsError', message })
  }
  const { authorizer } = await startTokenServer(context, refusal(503, [], { 'retry-after': '7' }))
  await assert.rejects(authorizer.header(new AbortController().signal), (error) => {
    return error instanceof Setback && error.retryAfterMs === 7_000
  })
})

async function startTokenServer(context: TestContext, ...script: Step[]) {
  const { url, requests } = await startScriptedServer(context, ...script)
  const client = await openHttpClient({})
  context.after(() => client[Symbol.asyncDispose]())
  const credentials = { tokenUrl: new URL(url), clientId: 'siem /ü', clientSecret: 'a secret:' }
  return { authorizer: tokenAuthorizer(client, credentials), requests }
}

function token(text: string, fields: object = {}, bodies: string[] = []): Step {
  return (request, response) => {
    let body = ''
    request.on('data', (bytes: Buffer) => (body += bytes.toString()))
    request.on('end', () => {
      bodies.push(body)
      response.end(JSON.stringify({ token_type: 'Bearer', expires_in: 900, access_token: text, ...fields }))
    })
  }
}

async function fetched(url: string, authorizer: Authorizer): Promise<string> {
  const surroundings = testSurroundings()
  await fetching({ url, destination: outputDestination(surroundings.output), authorizer })
  return surroundings.outputText()
}
