// Whom a gateway lets through, and what it says to the others (contract, table E).

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import {
  countedAnswer,
  type ScriptedInstance,
  startScriptedInstance,
} from '../agora/testing/scripted-instance.ts'
import { agoraRoutes, portalRoutes } from './routes.ts'
import { type AgoraServer, client, foreigner, startAgora } from './testing/agora-server.ts'
import { type Answer, ask } from './testing/client.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'

async function open(
  context: TestContext,
  answer: (socket: Socket) => unknown = (socket) => socket.write(countedAnswer('abc')),
): Promise<{ readonly instance: ScriptedInstance; readonly agora: AgoraServer }> {
  const instance = await startScriptedInstance(context, answer)
  return { instance, agora: await startAgora(context, instance) }
}

/** Asserts that an answer is a refusal in the contract's form, and returns its message. */
function refusal(answer: Answer, status: number, code: string): string {
  assert.equal(answer.status, status)
  assert.equal(answer.headers['content-type'], 'application/json')
  const elements = JSON.parse(answer.body.toString()) as { code: string; message: string }[]
  assert.deepEqual(
    elements.map((element) => element.code),
    [code],
  )
  return elements[0]?.message ?? ''
}

describe('a gateway', () => {
  test('A4: all three paths of the contract lead to the instance, by GET and HEAD', async (context) => {
    const { instance, agora } = await open(context, (socket) => socket.write(countedAnswer('')))
    for (const at of ['portal', 'engine/engine-01.example.com', 'engines'])
      for (const method of ['GET', 'HEAD']) {
        const target = `/audit-trail/api/v1/${at}/type/auditlog`
        const { status } = await ask(agora.port, target, { method, headers: { authorization: client } })
        assert.deepEqual([status, instance.questions.at(-1)?.split(' ').slice(0, 2)], [200, [method, target]])
      }
  })

  test('E7: what else there is at a portal is not at a gateway, and 404 and 405 come before 401', async (context) => {
    const { instance, agora } = await open(context)
    const own = new Set(agoraRoutes.map((route) => route.path))
    const paths = portalRoutes.map((route) => route.path).filter((at) => !own.has(at))
    assert.ok(paths.length >= 8)
    for (const at of paths)
      for (const method of ['GET', 'POST'])
        refusal(await ask(agora.port, at, { method, headers: { authorization: '' } }), 404, 'NOT_FOUND')
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await ask(agora.port, path, { method, headers: { authorization: '' } })
      refusal(answer, 405, 'METHOD_NOT_ALLOWED')
      assert.equal(answer.headers.allow, 'GET, HEAD')
    }
    assert.deepEqual([instance.questions, agora.failures], [[], []])
  })

  test('it says how it is, to everybody', async (context) => {
    const { agora } = await open(context)
    for (const at of ['/healthz', '/readyz', '/metrics', '/version'])
      assert.equal((await ask(agora.port, at, { headers: { authorization: '' } })).status, 200)
  })

  test('E5: without a valid token nobody gets further, Basic is never offered, and each such call is noted', async (context) => {
    const { instance, agora } = await open(context)
    const basic = `Basic ${Buffer.from('admin:Correct-horse-7').toString('base64')}`
    for (const [authorization, reason, challenge] of [
      ['', 'no-credentials', 'Bearer realm="annals"'],
      [basic, 'other-scheme', 'Bearer realm="annals"'],
      ['Negotiate abc', 'other-scheme', 'Bearer realm="annals"'],
      ['Bearer', 'token-malformed', /^Bearer realm="annals", error="invalid_token"/],
      ['Bearer a.b', 'token-malformed', /^Bearer realm="annals", error="invalid_token"/],
      ['bearer own.instance.token extra', 'token-malformed', /error="invalid_token"/],
      ['Bearer wrong.instance.token', 'token-signature', /error="invalid_token"/],
      [
        `Bearer ${'a'.repeat(4000)}.${'b'.repeat(4000)}.${'c'.repeat(4000)}`,
        'token-malformed',
        /invalid_token/,
      ],
    ] as const) {
      const answer = await ask(agora.port, path, { headers: { authorization } })
      const message = refusal(answer, 401, 'UNAUTHENTICATED')
      assert.equal(message, 'an access token of an instance of this region is needed')
      const told = answer.headers['www-authenticate'] ?? ''
      if (typeof challenge === 'string') assert.equal(told, challenge)
      else assert.match(told, challenge)
      assert.doesNotMatch(told, /basic/i)
      assert.deepEqual(agora.failures.at(-1), { account: '(none)', reason, source: '127.0.0.1' })
    }
    // They are counted and recorded by `identity/failures.ts`, and nowhere else.
    assert.deepEqual([instance.questions, agora.log.recorded], [[], []])
  })

  test('E6: a verified token of another region is refused, and its instance is not asked', async (context) => {
    const { instance, agora } = await open(context)
    const answer = await ask(agora.port, path, { headers: { authorization: foreigner } })
    assert.equal(refusal(answer, 403, 'FORBIDDEN'), 'the instance "acme" is of another region')
    assert.deepEqual(instance.questions, [])
    assert.match(
      agora.log.recorded[0] ?? '',
      / 29002 .*actor="client:siem" component="Agora".*reason="FORBIDDEN"/,
    )
    assert.equal(agora.log.recorded.length, 1)
  })

  test('E11: an instance that does not answer, or answers badly, is told so in an array of one', async (context) => {
    const { instance, agora } = await open(context, (socket) => socket.write('nonsense\r\n\r\n'))
    const headers = { authorization: client }
    const bad = await ask(agora.port, path, { headers })
    assert.equal(refusal(bad, 500, 'UNREACHABLE_INSTANCE'), 'the instance "acme" answered badly')
    await instance.leave()
    const away = await ask(agora.port, path, { headers })
    assert.match(refusal(away, 500, 'UNREACHABLE_INSTANCE'), /^the instance "acme" cannot be reached/)
    assert.ok(!away.body.toString().includes(String(instance.port)), 'the caller is told no address')
    assert.deepEqual(agora.noted, ['answer', 'refused'])
    assert.equal(agora.log.recorded.filter((line) => line.includes('UNREACHABLE_INSTANCE')).length, 2)
    // The operator is told what the caller is not.
    assert.match(JSON.stringify(agora.logged), new RegExp(`refused: .*${instance.port}`))
    assert.ok(!agora.logged.some(({ level }) => level === 'error'))
  })

  test('E10: while it starts and stops it refuses everybody alike', async (context) => {
    const { agora } = await open(context)
    agora.state.isReady = false
    for (const authorization of [client, ''])
      refusal(await ask(agora.port, path, { headers: { authorization } }), 503, 'UNAVAILABLE')
  })

  test('S7: an entry names only what could be an engine', async (context) => {
    const { instance, agora } = await open(context)
    await instance.leave()
    for (const [name, told] of [
      ['Engine-01.example.com', 'Engine-01.example.com'],
      ['my%20secret', '(no host name)'],
      ['a%0ab', '(no host name)'],
    ]) {
      const target = `/audit-trail/api/v1/engine/${name}/type/auditlog`
      await ask(agora.port, target, { headers: { authorization: client } })
      const line = agora.log.recorded.at(-1) ?? ''
      assert.ok(line.includes(`target="instance/acme/engine/${told}"`), line)
    }
  })
})
