// What a portal holds against outsiders who guess, flood and lie about where they are. They come through a proxy that is
// trusted, so that each can have the address that a test wants; the machine itself comes without one.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { clientTokenRate, nameAttemptRate } from '../../src/limits.ts'
import { type AuditLine, readLine, readLines } from '../conformance/audit-line.ts'
import { type Answer, ask, basic, type Credentials, type Server } from '../conformance/wire.ts'
import {
  administrator,
  annals,
  type PortalProcess,
  startPortal,
  storedLines,
  temporaryDirectory,
} from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const tokenPath = '/oauth2/default/v1/token'
const [home, away] = ['192.0.2.10', '203.0.113.5']
const wrong: Credentials = { ...administrator, password: 'Not-the-password-1' }
const behindProxy = ['--trusted-proxies', '127.0.0.1']

test('S4: who guesses from elsewhere locks no administrator out at home, nor on the machine, and a command ends the lock', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  let portal = await startPortal(context, { data, args: behindProxy })
  const status = async (credentials: Credentials, address?: string) =>
    (await askFrom(portal, address, credentials)).status
  assert.equal(await status(administrator, home), 200)
  for (let n = 0; n < 12; n += 1) assert.equal(await status(wrong, `198.51.100.${n}`), 401)
  // What it has remembered is gone, and where the administrator is at home is not.
  await portal.stop()
  portal = await startPortal(context, { data, args: behindProxy })
  assert.equal(await status(administrator, away), 401)
  assert.equal(await status(administrator, home), 200)
  assert.equal(await status(administrator), 200)
  // The attack goes on, and changes nothing.
  for (let n = 0; n < 5; n += 1) assert.equal(await status(wrong, `198.51.100.${n}`), 401)
  assert.deepEqual([await status(administrator, home), await status(administrator)], [200, 200])
  await annals(context, ['account', 'unlock', administrator.name, '--data', data])
  assert.equal(await status(administrator, away), 200)
  const locked = (await entriesOf(portal)).filter(({ code }) => code === '20104')
  assert.deepEqual(
    locked.map(({ event, detail }) => [event['target'], detail['network']]),
    [[administrator.name, 'elsewhere']],
  )
})

test('E9: attempts beyond a limit are told when to come again, counted, and recorded without the name', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data, args: behindProxy })
  const nobody: Credentials = { name: 'typed-password-1', password: 'x' }
  const [answers, refused]: [Answer[], Answer[]] = [[], []]
  // The slower the portal, the more attempts it has room for meanwhile.
  for (let n = 0; n < 200 && refused.length < 8; n += 1) {
    const answer = await askFrom(portal, `198.51.100.${n}`, nobody)
    answers.push(answer)
    if (answer.status === 429) refused.push(answer)
  }
  assert.ok(refused.length === 8 && answers.every(({ status }) => status === 401 || status === 429))
  assert.deepEqual(
    answers.slice(0, nameAttemptRate.burst).map(({ status }) => status),
    Array.from({ length: nameAttemptRate.burst }, () => 401),
  )
  for (const { headers, body } of refused) {
    assert.match(headers['retry-after'] ?? '', /^[1-3]$/)
    assert.match(body.toString(), /^\[\{"code":"TOO_MANY_REQUESTS","message":"[^"]+"\}\]$/)
  }
  assert.equal((await askFrom(portal, '198.51.100.1', administrator)).status, 200)
  const metrics = (await ask(portal, '/metrics')).body.toString()
  assert.equal(
    /^annals_rate_limited_total\{limit="name"\} (\d+)$/m.exec(metrics)?.[1],
    String(refused.length),
  )
  const entries = await entriesOf(portal)
  const limits = entries.filter(({ code }) => code === '29058')
  assert.deepEqual(
    limits.map(({ event }) => event['limit']),
    ['name'],
  )
  const told = entries.filter(({ event }) => event['reason'] === 'rate-limited')
  assert.equal(told.length, refused.length)
  assert.ok(entries.every(({ bytes }) => !bytes.includes('typed-password')))
})

test('S7: X-Forwarded-For is believed of a trusted proxy, as far as the chain of trusted proxies goes', async (context) => {
  const told = {
    '198.51.100.1': '198.51.100.1',
    '203.0.113.9, 198.51.100.2': '198.51.100.2',
    '198.51.100.3, 10.9.8.7': '198.51.100.3',
    '[2001:db8::1]:4711': '2001:db8::1',
    nonsense: '127.0.0.1',
    '198.51.100.4, nonsense': '127.0.0.1',
  }
  const directory = temporaryDirectory(context)
  const args = ['--trusted-proxies', '127.0.0.1,10.0.0.0/8']
  const trusting = await startPortal(context, { data: join(directory, 'trusting'), args })
  const plain = await startPortal(context, { data: join(directory, 'plain') })
  for (const address of Object.keys(told))
    for (const portal of [trusting, plain]) assert.equal((await askFrom(portal, address)).status, 401)
  const sources = async (portal: PortalProcess) =>
    (await entriesOf(portal)).filter(({ code }) => code === '20103').map(({ detail }) => detail['source'])
  assert.deepEqual(await sources(trusting), Object.values(told))
  assert.deepEqual(
    await sources(plain),
    Object.keys(told).map(() => '127.0.0.1'),
  )
})

test('S5: with Basic switched off nobody gets in with it, on the machine itself neither, and tokens go on', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data, args: ['--basic-authentication', 'off'] })
  const refusal = await ask(portal, path, { credentials: administrator })
  assert.equal(refusal.status, 401)
  const challenges = valuesOf(refusal, 'www-authenticate')
  assert.ok(challenges.length > 0)
  for (const challenge of challenges) assert.match(challenge, /^Bearer /)
  const client = await makeClient(context, data, 'siem')
  // A client's secret by Basic at the token endpoint is another thing (RFC 6749 section 2.3.1).
  const { status, body } = await askToken(portal, basic(client))
  assert.equal(status, 200)
  const { access_token: token } = JSON.parse(body) as { access_token: string }
  const answer = await ask(portal, path, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 200)
  const reasons = readLines(answer.body).flatMap(({ event: { reason } }) => reason ?? [])
  assert.deepEqual(reasons, ['basic-off'])
})

test('S6: whatever is wrong with a client, the token endpoint says the same', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const [client, ended] = [await makeClient(context, data, 'siem'), await makeClient(context, data, 'old')]
  await annals(context, ['client', 'set', ended.name, '--disable', '--data', data])
  const presented = [
    { ...client, password: `${client.password.slice(0, -1)}${client.password.endsWith('A') ? 'B' : 'A'}` },
    { name: 'siem-aaaaaaaaaa', password: client.password },
    { name: '', password: '' },
    ended,
  ]
  const answers = []
  for (const credentials of presented) answers.push(await askToken(portal, basic(credentials)))
  assert.deepEqual([answers[0]?.status, JSON.parse(answers[0]?.body ?? '').error], [401, 'invalid_client'])
  for (const answer of answers) assert.deepEqual(answer, answers[0])
})

test('E9: a client that asks for tokens without end is refused, in the words of OAuth, and each refusal is told', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data })
  const client = await makeClient(context, data, 'siem')
  const other = await makeClient(context, data, 'other')
  const answers = []
  const refused = []
  // The slower the portal, the more tokens it has room for meanwhile.
  for (let n = 0; n < 1_000 && refused.length < 10; n += 1) {
    const answer = await askToken(portal, basic(client))
    answers.push(answer)
    if (answer.status !== 200) refused.push(answer)
  }
  assert.equal(refused.length, 10)
  assert.ok(answers.slice(0, clientTokenRate.burst).every(({ status }) => status === 200))
  for (const { status, headers, body } of refused) {
    assert.deepEqual([status, JSON.parse(body).error], [429, 'temporarily_unavailable'])
    assert.match(new Map(headers).get('retry-after') ?? '', /^1$/)
  }
  assert.equal((await askToken(portal, basic(other))).status, 200)
  const entries = await entriesOf(portal)
  const issued = entries.filter(
    ({ code, event }) => code === '29051' && event['actor'] === `client:${client.name}`,
  )
  assert.equal(issued.length, answers.length - refused.length)
  const told = entries.filter(({ event }) => event['reason'] === 'rate-limited')
  assert.deepEqual(
    told.map(({ event }) => event['target']),
    refused.map(() => `client:${client.name}`),
  )
})

test('S7: of ten thousand bad calls each is in the log once, and the log grows by some sixty entries a minute', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const portal = await startPortal(context, { data, args: behindProxy })
  const client = await makeClient(context, data, 'siem')
  const before = storedLines(data).length
  const kinds = badCalls(portal, client)
  const begin = performance.now()
  const calls = 10_000
  const statuses = new Map<number, number>()
  let made = 0
  const flood = async () => {
    for (let n = made++; n < calls; n = made++) {
      const status = await kinds[n % kinds.length]?.(n)
      assert.ok(status !== undefined)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 16 }, flood))
  const minutes = (performance.now() - begin) / 60_000
  assert.equal((await portal.stop()).exitCode, 0)
  context.diagnostic(`${calls} calls in ${Math.round(minutes * 60)} s: ${JSON.stringify([...statuses])}`)
  assert.deepEqual(
    [...statuses.keys()].filter((status) => status !== 400 && status !== 401 && status !== 429),
    [],
  )
  const grown = storedLines(data)
    .slice(before)
    .map((line) => readLine(Buffer.from(line)))
  const alone = grown.filter(({ code }) => code === '20103')
  const summaries = grown.filter(({ code }) => code === '29004')
  assert.ok(alone.length <= 60 * (1 + Math.floor(minutes)), `${alone.length} entries`)
  assert.ok(summaries.length >= 1 && summaries.length <= 2 + minutes)
  // Beside these: that a limit refuses, a lock, what the portal says of its own stop.
  assert.ok(grown.length - alone.length - summaries.length <= 12 + 8 * minutes, `${grown.length} entries`)
  const counted = summaries.map(({ event }) => Number(event['n']))
  assert.equal(alone.length + counted.reduce((sum, n) => sum + n, 0), calls)
  for (const { event } of summaries) assert.equal(sumOfReasons(event), Number(event['n']))
})

/** Every kind of call without valid credentials, from ever new addresses. */
function badCalls(portal: PortalProcess, client: Credentials): ((n: number) => Promise<number>)[] {
  const get = async (n: number, authorization?: string) => {
    const headers = { ...forwarded(n), ...(authorization === undefined ? {} : { authorization }) }
    const answer = await fetch(`${portal.baseUrl}${path}`, { headers })
    await answer.arrayBuffer()
    return answer.status
  }
  const post = async (n: number, headers: Record<string, string>, body: string) => {
    const answer = await fetch(`${portal.baseUrl}${tokenPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...forwarded(n), ...headers },
      body,
    })
    await answer.arrayBuffer()
    return answer.status
  }
  const grant = 'grant_type=client_credentials'
  return [
    (n) => get(n),
    (n) => get(n, 'Basic !!!'),
    (n) => get(n, 'Digest username="admin"'),
    (n) => get(n, basic({ name: 'admin', password: `Guess-${n}` })),
    (n) => get(n, basic({ name: `user-${n % 7}`, password: 'x' })),
    (n) => get(n, basic({ name: 'ann@example.com', password: 'x' })),
    (n) => get(n, 'Bearer nonsense'),
    (n) => get(n, `Bearer ${unsigned({ alg: 'none' }, { iss: 'https://elsewhere.example' })}`),
    (n) => get(n, `Bearer ${unsigned({ alg: 'RS256' }, { iss: `${portal.baseUrl}/oauth2/default` })}`),
    (n) => post(n, { authorization: basic({ ...client, password: 'wrong' }) }, grant),
    (n) => post(n, {}, `${grant}&client_id=nobody-${n}&client_secret=x`),
    (n) => post(n, {}, grant),
    (n) => post(n, {}, 'client_id=a&client_id=b'),
  ]
}

// Some hundred addresses, so that limits of addresses are met too.
function forwarded(n: number): Record<string, string> {
  return { 'x-forwarded-for': `198.51.${100 + (n % 3)}.${n % 101}` }
}

function unsigned(header: object, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${Buffer.alloc(256).toString('base64url')}`
}

const notReasons = new Set(['n', 'seconds', 'reasons', 'actor', 'account', 'outcome', 'engineName'])

function sumOfReasons(event: Readonly<Record<string, string>>): number {
  const told = Object.entries(event).filter(([name, value]) => !notReasons.has(name) && /^\d+$/.test(value))
  return told.reduce((sum, [, count]) => sum + Number(count), 0)
}

async function askFrom(portal: Server, address?: string, credentials?: Credentials): Promise<Answer> {
  return await ask(portal, path, {
    ...(credentials === undefined ? {} : { credentials }),
    ...(address === undefined ? {} : { headers: { 'x-forwarded-for': address } }),
  })
}

async function entriesOf(portal: Server): Promise<AuditLine[]> {
  const { status, body } = await askFrom(portal, undefined, administrator)
  assert.equal(status, 200)
  return readLines(body)
}

function valuesOf({ rawHeaders }: Answer, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
}

/** Makes a client that may read all logs: its id and its secret. */
async function makeClient(context: TestContext, data: string, name: string): Promise<Credentials> {
  const made = await annals(context, ['client', 'add', name, '--data', data, '--json'])
  const { client_id, client_secret } = JSON.parse(made) as { client_id: string; client_secret: string }
  return { name: client_id, password: client_secret }
}

/** Asks for a token; what there is of the answer that a client can see. */
async function askToken(portal: Server, authorization: string) {
  const answer = await fetch(`${portal.baseUrl}${tokenPath}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  })
  const headers = [...answer.headers].filter(([name]) => name !== 'date')
  return { status: answer.status, headers, body: await answer.text() }
}
