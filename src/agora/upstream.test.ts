import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import { one, other } from '../config/testing/certificates.ts'
import { isAnnalsError } from '../errors.ts'
import { InstanceSilent } from './silence.ts'
import { defaultUpstreamBounds, type InstanceAnswer, Upstream, type UpstreamBounds } from './upstream.ts'
import {
  countedAnswer,
  question,
  type ScriptedInstance,
  type ScriptedOptions,
  startScriptedInstance,
} from './testing/scripted-instance.ts'

const common = Buffer.allocUnsafeSlow(65_536)
const { signal: never } = new AbortController()

interface Opened {
  readonly instance: ScriptedInstance
  readonly upstream: Upstream
}

async function open(
  context: TestContext,
  answer: (socket: Socket) => unknown = (socket) => socket.write(countedAnswer('abc')),
  different: Partial<UpstreamBounds> = {},
): Promise<Opened> {
  const instance = await startScriptedInstance(context, answer)
  const upstream = new Upstream(instance.at, common, { ...defaultUpstreamBounds, lullMs: 1, ...different })
  context.after(() => upstream[Symbol.dispose]())
  return { instance, upstream }
}

async function whole(answer: InstanceAnswer): Promise<string> {
  using _answer = answer
  const [target, parts] = [Buffer.alloc(1000), [] as string[]]
  for (let read = await answer.read(target); read > 0; read = await answer.read(target))
    parts.push(target.toString('latin1', 0, read))
  return parts.join('')
}

describe('the connections to an instance', () => {
  test('one that is free is used again, one whose answer was not read to its end is not', async (context) => {
    const { instance, upstream } = await open(context)
    for (let k = 0; k < 5; k++) assert.equal(await whole(await upstream.ask(question, never)), 'abc')
    assert.equal(instance.connections.length, 1)
    ;(await upstream.ask(question, never))[Symbol.dispose]()
    await whole(await upstream.ask(question, never))
    assert.equal(instance.connections.length, 2)
  })

  test('one that ended unnoticed is replaced at once, and a new one that ends is a failure', async (context) => {
    let asked = 0
    const { instance, upstream } = await open(context, (socket) => {
      asked += 1
      if (asked === 1 || asked === 3) socket.write(countedAnswer('abc'))
      else socket.destroy()
    })
    await whole(await upstream.ask(question, never))
    await whole(await upstream.ask(question, never))
    assert.equal(instance.connections.length, 2)
    instance.connections[1]?.destroy()
    await assert.rejects(upstream.ask(question, never), { reason: 'cut' })
  })

  test('there are so many and no more: what is beyond is refused, and none is lost', async (context) => {
    const { instance, upstream } = await open(context, undefined, { connections: 3 })
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 3 }, () => upstream.ask(question, never)))
      await assert.rejects(upstream.ask(question, never), (error) => isAnnalsError(error, 'UNAVAILABLE'))
      for (const answer of answers) await whole(answer)
    }
    assert.equal(instance.connections.length, 3)
    // Those that fail are given back too.
    await instance.leave()
    for (let k = 0; k < 10; k++) await assert.rejects(upstream.ask(question, never), { reason: 'refused' })
  })

  test('one that is idle for long is closed', async (context) => {
    const { instance, upstream } = await open(context, undefined, { idleMs: 20 })
    await whole(await upstream.ask(question, never))
    await once(instance.connections[0] ?? assert.fail(), 'close')
    await whole(await upstream.ask(question, never))
    assert.equal(instance.connections.length, 2)
  })

  test('a head that does not come in time is a timeout', async (context) => {
    const { instance, upstream } = await open(context, () => undefined, { headMs: 30 })
    await assert.rejects(upstream.ask(question, never), { reason: 'timeout' })
    // It may have come to be known only after that.
    while (instance.connections[0]?.closed !== true) await sleep(5)
  })

  test('a body may take longer than a head', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] })
    const begun = (socket: Socket) => socket.write(countedAnswer('a', '', 3))
    const { instance, upstream } = await open(context, begun, { headMs: 30 })
    const answer = await upstream.ask(question, never)
    context.mock.timers.tick(60)
    instance.connections[0]?.write('bc')
    assert.equal(await whole(answer), 'abc')
  })

  test('what nobody waits for any more is ended, before the head and after', async (context) => {
    const reason = new Error('the client has gone')
    const { instance, upstream } = await open(context, () => undefined)
    const before = new AbortController()
    const asking = upstream.ask(question, before.signal)
    while (instance.questions.length === 0) await sleep(5)
    before.abort(reason)
    await assert.rejects(asking, reason)
    await once(instance.connections[0] ?? assert.fail(), 'close')
    await assert.rejects(upstream.ask(question, before.signal), reason)
    assert.equal(instance.connections.length, 1)

    const { instance: begun, upstream: begins } = await open(context, (socket) =>
      socket.write(countedAnswer('abc', '', 10)),
    )
    const after = new AbortController()
    using answer = await begins.ask(question, after.signal)
    const reading = whole(answer)
    after.abort(reason)
    await assert.rejects(reading, { reason: 'cut' })
    await once(begun.connections[0] ?? assert.fail(), 'close')
  })

  test('once it is over, what is under way goes on to its end, and then its connection ends', async (context) => {
    const { instance, upstream } = await open(context)
    const [idle, used] = await Promise.all([upstream.ask(question, never), upstream.ask(question, never)])
    await whole(idle)
    upstream[Symbol.dispose]()
    await once(instance.connections[0] ?? assert.fail(), 'close')
    assert.equal(await whole(used), 'abc')
    await once(instance.connections[1] ?? assert.fail(), 'close')
  })

  test('whoever is not reached is told apart', async (context) => {
    const { instance, upstream } = await open(context)
    await instance.leave()
    await assert.rejects(upstream.ask(question, never), { reason: 'refused' })
    const nowhere = new Upstream({ url: 'https://nowhere.invalid', ca: undefined, pin: undefined }, common)
    await assert.rejects(nowhere.ask(question, never), { reason: 'network' })
  })
})

describe('whom a connection trusts', () => {
  const pin = new X509Certificate(one.certificate).fingerprint256.replaceAll(':', '').toLowerCase()

  /** What becomes of a question to a server with a certificate, of which this is known. */
  async function outcome(
    context: TestContext,
    shown: ScriptedOptions,
    known: { readonly ca?: string; readonly pin?: string; readonly host?: string },
  ): Promise<string> {
    const { host = 'localhost', ca, pin } = known
    const at = host === 'localhost' ? shown : { ...shown, host }
    const instance = await startScriptedInstance(context, (socket) => socket.write(countedAnswer('abc')), at)
    using upstream = new Upstream({ url: `https://${host}:${instance.port}`, ca, pin }, common)
    try {
      return await whole(await upstream.ask(question, never))
    } catch (error) {
      assert.ok(error instanceof InstanceSilent, String(error))
      assert.deepEqual(instance.questions, [], 'nothing is said to a stranger')
      return error.reason
    }
  }

  test('the authorities that are named, and a name that fits', async (context) => {
    assert.equal(await outcome(context, one, { ca: one.certificate }), 'abc')
    assert.equal(await outcome(context, one, { ca: one.certificate, host: '127.0.0.1' }), 'abc')
    assert.equal(await outcome(context, one, { ca: one.certificate, host: '127.0.0.2' }), 'untrusted')
    assert.equal(await outcome(context, other, { ca: one.certificate }), 'untrusted')
    assert.equal(await outcome(context, one, {}), 'untrusted')
  })

  test('the certificate that is pinned, whatever its name, and no other', async (context) => {
    assert.equal(await outcome(context, one, { pin }), 'abc')
    assert.equal(await outcome(context, one, { pin, host: '127.0.0.2' }), 'abc')
    assert.equal(await outcome(context, other, { pin }), 'untrusted')
  })
})
