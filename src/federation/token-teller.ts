// Tells engines what they must know of access tokens, whenever that has changed: each look compares what is to be known now
// with what each engine said that it knows. What an engine could not be told is told once it answers again.

import { setTimeout as sleep } from 'node:timers/promises'
import { isAnnalsError } from '../errors.ts'
import { engineFirstContactMs, tokenTrustLookMs, tokenTrustTellMs } from '../limits.ts'
import { failureOf } from './failure.ts'
import type { Link } from './link.ts'
import type { FederationLogger } from './monitor.ts'
import { hashTokenTrust, renderTokenTrust, type TokenTrust } from './token-trust.ts'

/** What telling needs. */
export interface TokenTellerParts {
  /** What is to be known at this moment. */
  readonly tokenTrust: () => Promise<TokenTrust>
  readonly logger: FederationLogger
}

/** See the head of this file. */
export class TokenTeller {
  readonly #parts: TokenTellerParts
  readonly #calls = new WeakMap<Link, Calls>()
  readonly #underWay = new Set<Promise<void>>()
  #lookMs = 0

  constructor(parts: TokenTellerParts) {
    this.#parts = parts
  }

  /** Begins to tell every engine that does not know what is to be known. Throws where the database fails. */
  async look(links: readonly Link[]): Promise<void> {
    const willing = links.filter(isWilling)
    if (willing.length === 0 || performance.now() < this.#lookMs) return
    this.#lookMs = performance.now() + tokenTrustLookMs
    const { hash } = await this.#told()
    for (const link of willing) if (link.tokens !== hash) void this.#share(link)
  }

  /** Tells one engine what is to be known from now on. Resolves once it knows, fails, or takes too long. Never rejects. */
  async tell(link: Link): Promise<void> {
    if (!isWilling(link)) return
    using late = timeLimit(tokenTrustTellMs)
    await Promise.race([this.#share(link), late.over])
  }

  /** Waits for the calls under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  // One call at a time, and one that waits for it and tells what is to be known by then: an older state never comes last.
  #share(link: Link): Promise<void> {
    const calls = this.#calls.get(link) ?? {}
    this.#calls.set(link, calls)
    if (calls.running === undefined) return this.#begin(link, calls)
    calls.next ??= calls.running.then(() => {
      delete calls.next
      return this.#begin(link, calls)
    })
    return calls.next
  }

  #begin(link: Link, calls: Calls): Promise<void> {
    const call = this.#call(link).finally(() => {
      this.#underWay.delete(call)
      if (calls.running === call) delete calls.running
    })
    calls.running = call
    this.#underWay.add(call)
    return call
  }

  async #call(link: Link): Promise<void> {
    try {
      const { text, hash } = await this.#told()
      if (link.tokens === hash) return
      link.tokens = await link.client.tell(text)
      link.tokensDueMs = 0
    } catch (error) {
      this.#failed(link, error)
    }
  }

  #failed(link: Link, error: unknown): void {
    const { logger } = this.#parts
    link.tokensDueMs = performance.now() + engineFirstContactMs
    // The database's own: no word on the engine.
    if (isAnnalsError(error, 'UNAVAILABLE'))
      return logger.warn({ err: error }, 'what engines are to be told of access tokens could not be read')
    const failure = failureOf(error)
    link.noteFailure(failure)
    const { hostName: engine } = link
    logger.warn({ engine, reason: failure.message }, 'an engine could not be told of access tokens')
  }

  async #told(): Promise<{ readonly text: string; readonly hash: string }> {
    const text = renderTokenTrust(await this.#parts.tokenTrust())
    return { text, hash: hashTokenTrust(text) }
  }
}

// By engine: what is under way, and what comes after it.
interface Calls {
  running?: Promise<void>
  next?: Promise<void>
}

// One that does not answer is asked how it is first (`monitor.ts`).
function isWilling({ tokens, failure, tokensDueMs }: Link): boolean {
  return tokens !== undefined && failure === undefined && performance.now() >= tokensDueMs
}

function timeLimit(ms: number): Disposable & { readonly over: Promise<void> } {
  const ended = new AbortController()
  const over = sleep(ms, undefined, { signal: ended.signal }).catch(() => undefined)
  return { over, [Symbol.dispose]: () => ended.abort() }
}
