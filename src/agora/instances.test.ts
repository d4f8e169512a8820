import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError } from '../errors.ts'
import type { TokenProblem } from '../identity/token-refused.ts'
import { TokenRefused } from '../identity/token-refused.ts'
import { ClockDouble } from '../identity/testing/clock-double.ts'
import {
  type Claims,
  IssuerServer,
  json,
  sign,
  type SigningKey,
  signingKey,
} from '../identity/testing/issuer-server.ts'
import type { Instance } from './instance.ts'
import { Instances } from './instances.ts'
import { InstanceSilent } from './silence.ts'

const [key, stranger, curve] = await Promise.all([
  signingKey('key'),
  signingKey('key'),
  signingKey('curve', 'ES256'),
])

/** Where an instance tells its keys. */
const keysPath = '/oauth2/default/v1/keys'

interface Fixture extends AsyncDisposable {
  readonly instances: Instances
  readonly clock: ClockDouble
  readonly recorded: AuditEvent[]
  /** The servers of `acme` (region eu), and of `zeta` (region us). */
  readonly acme: IssuerServer
  readonly zeta: IssuerServer
  readonly list: readonly [Instance, Instance]
  /** A token of acme that is good but for what is given. */
  token(different?: Claims, by?: SigningKey, typ?: string): Promise<string>
  /** What was recorded, as code and message. */
  told(): string[]
}

function instance(name: string, region: string, { origin }: IssuerServer): Instance {
  const publicUrl = `https://${name}.example`
  return {
    name,
    region,
    issuer: `${publicUrl}/oauth2/default`,
    audience: `${publicUrl}/audit-trail/api`,
    url: origin,
    ca: undefined,
    pin: undefined,
  }
}

function claimsOf({ issuer: iss, audience: aud, name, region }: Instance, clock: ClockDouble): Claims {
  const iat = Math.floor(clock.wallMicros() / 1_000_000)
  const jti = '3f0c0f0a-3c55-4b5a-9d54-3a4f3c2b1a00'
  const client = { sub: 'siem-abc', client_id: 'siem-abc', scope: 'service:audit-trail' }
  return { iss, aud, ...client, iat, exp: iat + 900, jti, annals_instance: name, annals_region: region }
}

async function fixture(): Promise<Fixture> {
  const acme = await IssuerServer.start(key, curve)
  const zeta = await IssuerServer.start(stranger)
  for (const server of [acme, zeta])
    server.paths.set(
      keysPath,
      json(() => ({ keys: server.published.map(({ publicJwk }) => publicJwk) })),
    )
  const clock = new ClockDouble()
  const recorded: AuditEvent[] = []
  const record = (event: AuditEvent) => Promise.resolve(void recorded.push(event))
  const instances = new Instances({
    region: 'eu',
    clock,
    record,
    place: { hostName: 'agora-01', component: 'Agora' },
  })
  const list = [instance('acme', 'eu', acme), instance('zeta', 'us', zeta)] as const
  await instances.replace(list)
  return {
    instances,
    clock,
    recorded,
    acme,
    zeta,
    list,
    token: (different = {}, by = key, typ = 'at+jwt') =>
      sign(by, { ...claimsOf(list[0], clock), ...different }, { typ }),
    told: () => recorded.map(({ code, message }) => `${code} ${String(message)}`),
    async [Symbol.asyncDispose]() {
      await instances[Symbol.asyncDispose]()
      await acme[Symbol.asyncDispose]()
      await zeta[Symbol.asyncDispose]()
    },
  }
}

function refused(reason: TokenProblem) {
  return (error: unknown) => {
    assert.ok(error instanceof TokenRefused, String(error))
    assert.equal(error.reason, reason)
    return true
  }
}

describe('the instances of a gateway', () => {
  test('A4: a token leads to its instance, whose own keys verify it', async () => {
    await using f = await fixture()
    const caller = await f.instances.callerOf(await f.token())
    assert.deepEqual([caller.name, caller.instance, caller.isOfRegion], ['client:siem-abc', 'acme', true])
    assert.equal(caller.session, '3f0c0f0a-3c55-4b5a-9d54-3a4f3c2b1a00')
    assert.deepEqual([f.acme.asked, f.zeta.asked], [[keysPath], []])
  })

  test('A4: a token of an instance of another region is known as that', async () => {
    await using f = await fixture()
    const token = await sign(stranger, claimsOf(f.list[1], f.clock))
    const caller = await f.instances.callerOf(token)
    assert.deepEqual([caller.instance, caller.isOfRegion], ['zeta', false])
  })

  test('E5: an issuer that is not listed is refused, and nobody is asked', async () => {
    await using f = await fixture()
    for (const iss of [
      'https://evil.example/oauth2/default',
      `${f.list[0].issuer}/`,
      f.acme.origin,
      5,
      undefined,
    ])
      await assert.rejects(f.instances.callerOf(await f.token({ iss })), refused('token-issuer'))
    for (const text of ['', 'a.b', 'a.b.c', 'e30.e30.e30x', '..', 'e30.bnVsbA.e30'])
      await assert.rejects(f.instances.callerOf(text), TokenRefused)
    assert.deepEqual([f.acme.asked, f.zeta.asked], [[], []])
  })

  test('E5: a token that is not exactly one of its instance is refused', async () => {
    await using f = await fixture()
    const wrong: readonly (readonly [TokenProblem, Claims, SigningKey?, string?])[] = [
      ['token-signature', {}, stranger],
      ['token-signature', {}, curve],
      ['token-malformed', {}, key, 'JWT'],
      ['token-audience', { aud: f.list[1].audience }],
      ['token-audience', { aud: undefined }],
      ['token-expired', { exp: Math.floor(f.clock.wallMicros() / 1_000_000) - 31 }],
      ['token-malformed', { exp: undefined }],
      ['token-malformed', { jti: undefined }],
      ['token-malformed', { jti: 'x\ny' }],
      ['token-malformed', { client_id: undefined }],
      ['token-malformed', { client_id: 'other-client' }],
      ['token-malformed', { client_id: 'a b', sub: 'a b' }],
      ['token-issuer', { annals_instance: 'zeta' }],
      ['token-issuer', { annals_instance: undefined }],
      ['token-issuer', { annals_region: 'us' }],
      ['token-issuer', { annals_region: undefined }],
    ]
    for (const [reason, different, by, typ] of wrong)
      await assert.rejects(f.instances.callerOf(await f.token(different, by, typ)), refused(reason))
    const [header, , signature] = (await f.token()).split('.')
    const [, payload] = (await f.token({ sub: 'admin', client_id: 'admin' })).split('.')
    await assert.rejects(
      f.instances.callerOf(`${header}.${payload}.${signature}`),
      refused('token-signature'),
    )
  })

  test('E5: an instance cannot speak for another one, which has a region of its own', async () => {
    await using f = await fixture()
    // zeta signs with its own key what acme would sign.
    for (const claims of [
      claimsOf(f.list[0], f.clock),
      { ...claimsOf(f.list[1], f.clock), annals_region: 'eu' },
    ])
      await assert.rejects(f.instances.callerOf(await sign(stranger, claims)), TokenRefused)
  })

  test('a token is verified once, and no longer believed when it has expired', async () => {
    await using f = await fixture()
    const token = await f.token()
    await f.instances.callerOf(token)
    await f.acme.leave()
    assert.equal((await f.instances.callerOf(token)).instance, 'acme')
    f.clock.pass(931_000)
    await assert.rejects(f.instances.callerOf(token))
  })

  test('E11: an instance that does not say its keys does not answer, which is told once, and once that it is back', async () => {
    await using f = await fixture()
    const published = f.acme.paths.get(keysPath) ?? assert.fail()
    f.acme.paths.set(keysPath, (_request, response) => void response.writeHead(503).end())
    for (let k = 0; k < 3; k++)
      await assert.rejects(f.instances.callerOf(await f.token()), (error) => {
        assert.ok(isAnnalsError(error, 'UNREACHABLE_INSTANCE'))
        assert.match(error.message, /^the instance "acme" does not say the keys/)
        assert.ok(!error.message.includes(f.acme.origin), 'the caller is told no address')
        assert.match(error.detail ?? '', /503/)
        return true
      })
    assert.deepEqual(f.told().slice(1), [
      '29063 [Agora|AUDIT|29063|*system] Instance acme does not answer - keys',
    ])
    f.acme.paths.set(keysPath, published)
    f.clock.pass(31_000)
    await f.instances.callerOf(await f.token())
    await f.instances.noteAnswer('acme')
    await f.instances.noteAnswer('acme')
    assert.match(f.told().at(-1) ?? '', /^29064 .*Instance acme answers again after 31 seconds$/)
    assert.equal(f.recorded.length, 3)
  })

  test('an instance that falls silent again is told again', async () => {
    await using f = await fixture()
    for (let k = 0; k < 2; k++) {
      await f.instances.noteSilent('acme', new InstanceSilent('refused'))
      await f.instances.noteSilent('acme', new InstanceSilent('timeout'))
      await f.instances.noteAnswer('acme')
    }
    await f.instances.noteAnswer('zeta')
    assert.deepEqual(
      f.recorded.map(({ code }) => code),
      ['29062', '29063', '29064', '29063', '29064'],
    )
  })

  test('another list takes the place of the first, and says what has changed', async () => {
    await using f = await fixture()
    const [acme, zeta] = f.list
    const token = await f.token()
    await f.instances.callerOf(token)
    // Whatever is as it was keeps what is known of it: no keys are asked for again.
    await f.instances.replace([{ ...acme }, { ...zeta, region: 'eu' }, { ...zeta, name: 'new', issuer: 'x' }])
    await f.instances.callerOf(token)
    assert.equal(f.acme.asked.length, 1)
    const moved = await sign(stranger, { ...claimsOf(zeta, f.clock), annals_region: 'eu' })
    assert.equal((await f.instances.callerOf(moved)).isOfRegion, true)
    await f.instances.replace([{ ...zeta, region: 'eu' }])
    await assert.rejects(f.instances.callerOf(token), refused('token-issuer'))
    assert.deepEqual(
      f.recorded.map(({ code, details }) => [code, details]),
      [
        ['29062', [['added', 'acme zeta']]],
        [
          '29062',
          [
            ['added', 'new'],
            ['changed', 'zeta'],
          ],
        ],
        ['29062', [['removed', 'acme new']]],
      ],
    )
    assert.match(f.told()[1] ?? '', /Gateway of region eu serves 3 instances$/)
  })
})
