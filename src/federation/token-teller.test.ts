import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnnalsError } from '../errors.ts'
import { tokenTrustTellMs } from '../limits.ts'
import { EngineFailure } from './failure.ts'
import type { Link } from './link.ts'
import { TokenTeller } from './token-teller.ts'
import { hashTokenTrust, nothingTold, renderTokenTrust, type TokenTrust } from './token-trust.ts'

const trust = (k: number): TokenTrust => ({
  issuer: `https://portal-${k}.example.com`,
  keys: [],
  clients: [],
  revoked: [],
  endedUntil: 0,
})
const hashOf = (k: number) => hashTokenTrust(renderTokenTrust(trust(k)))

test('an engine is told what it does not know, and only then', async () => {
  const { teller, state } = tellerUnderTest()
  const [engine, other] = [new EngineDouble(), new EngineDouble({ tokens: hashOf(0) })]
  await teller.look([engine.link, other.link])
  await teller.idle()
  assert.deepEqual([engine.told, other.told], [[hashOf(0)], []])
  assert.equal(engine.link.tokens, hashOf(0))
  state.now = 1
  await teller.tell(engine.link)
  await teller.tell(engine.link)
  assert.deepEqual(engine.told, [hashOf(0), hashOf(1)])
})

test('one that takes nothing of the kind, or does not answer, is not told', async () => {
  const { teller } = tellerUnderTest()
  const engines = [
    new EngineDouble({ tokens: undefined }),
    new EngineDouble({ failure: 'the connection was cut' }),
  ]
  await teller.look(engines.map(({ link }) => link))
  for (const { link } of engines) await teller.tell(link)
  await teller.idle()
  assert.deepEqual(
    engines.map(({ told }) => told),
    [[], []],
  )
})

test('looks are not made more often than they are needed', async () => {
  const { teller, state } = tellerUnderTest()
  const engine = new EngineDouble()
  for (let k = 0; k < 5; k += 1) await teller.look([engine.link])
  await teller.idle()
  // One look, and the call that it led to.
  assert.equal(state.asked, 2)
})

test('whoever comes while an engine is being told shares one call after it, and an older state never comes last', async () => {
  const { teller, state } = tellerUnderTest()
  const engine = new EngineDouble()
  const gate = engine.hold()
  const first = teller.tell(engine.link)
  await engine.asked
  state.now = 1
  const others = [1, 2, 3].map(() => teller.tell(engine.link))
  gate.resolve()
  await Promise.all([first, ...others])
  assert.deepEqual(engine.told, [hashOf(0), hashOf(1)])
})

test('an engine that does not answer is waited for a while, and not longer', async (context) => {
  const { teller } = tellerUnderTest()
  const engine = new EngineDouble()
  const gate = engine.hold()
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let isOver = false
  const telling = teller.tell(engine.link).then(() => (isOver = true))
  await engine.asked
  assert.equal(isOver, false)
  context.mock.timers.tick(tokenTrustTellMs)
  await telling
  gate.resolve()
  await teller.idle()
  assert.deepEqual(engine.told, [hashOf(0)])
})

test('one that fails is noted, told of once, and left alone for a while', async () => {
  const { teller, state } = tellerUnderTest()
  const engine = new EngineDouble()
  engine.failure = new EngineFailure('cut')
  await teller.tell(engine.link)
  await teller.tell(engine.link)
  assert.deepEqual([engine.failures, state.warnings], [['cut'], 1])
  assert.equal(engine.link.tokens, nothingTold)
})

test('a database that fails is no fault of an engine', async () => {
  const { teller, state } = tellerUnderTest()
  const engine = new EngineDouble()
  state.problem = new AnnalsError('UNAVAILABLE', 'the database fails')
  await teller.tell(engine.link)
  assert.deepEqual([engine.failures, engine.told, state.warnings], [[], [], 1])
})

function tellerUnderTest() {
  const state = { now: 0, asked: 0, warnings: 0, problem: undefined as AnnalsError | undefined }
  const teller = new TokenTeller({
    async tokenTrust() {
      state.asked += 1
      if (state.problem !== undefined) throw state.problem
      return trust(state.now)
    },
    logger: { info: () => undefined, warn: () => (state.warnings += 1) },
  })
  return { teller, state }
}

/** A link, as far as telling goes. */
class EngineDouble {
  readonly told: string[] = []
  readonly failures: string[] = []
  failure: EngineFailure | undefined
  readonly #asked = Promise.withResolvers<void>()
  #gate: Promise<void> | undefined
  readonly link: Link

  constructor(state: { readonly tokens?: string | undefined; readonly failure?: string } = {}) {
    const double = {
      hostName: 'engine-01',
      tokens: nothingTold,
      tokensDueMs: 0,
      failure: undefined,
      ...state,
      noteFailure: ({ reason }: EngineFailure) => this.failures.push(reason),
      client: { tell: (text: string) => this.#tell(text) },
    }
    this.link = double as unknown as Link
  }

  /** Resolves once it is being told something. */
  get asked(): Promise<void> {
    return this.#asked.promise
  }

  /** From now on it answers once the gate is open. */
  hold(): PromiseWithResolvers<void> {
    const gate = Promise.withResolvers<void>()
    this.#gate = gate.promise
    return gate
  }

  async #tell(text: string): Promise<string> {
    this.#asked.resolve()
    await this.#gate
    if (this.failure !== undefined) throw this.failure
    const hash = hashTokenTrust(text)
    this.told.push(hash)
    return hash
  }
}
