// How often somebody may try to prove who they are, before anything is hashed or compared: for each network, for each name
// and where it is tried from, and for each client. What turns out to be right is given back, so that only failures count.

import type { AuditEvent, Micros } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import { AnnalsError, isUnrecordable } from '../errors.ts'
import {
  limitEntryMicros,
  clientTokenRate,
  networkAttemptRate,
  nameAttemptRate,
  namedClientAttemptRate,
} from '../limits.ts'
import type { Clock } from './clock.ts'
import { elsewhere, networkOf } from './network.ts'
import { TokenBuckets } from './token-bucket.ts'

/** What is limited. */
export const limitNames = ['network', 'name', 'client', 'token'] as const

/** One of the limits, as the metric and the entry name it. */
export type LimitName = (typeof limitNames)[number]

/** What limits need. */
export interface RateLimitsParts {
  readonly clock: Clock
  readonly record: (event: AuditEvent) => Promise<void>
  readonly hostName: string
  /** Told of each refusal. */
  readonly limited: (limit: LimitName) => void
}

/** One attempt, and what it took from which buckets. */
export interface Attempt {
  /** Whoever made it is admitted, or nothing was compared at all. */
  giveBack(): void
}

/** A limit is reached. */
export class RateLimited extends AnnalsError {
  constructor(retryAfterSeconds: number) {
    super('TOO_MANY_REQUESTS', 'too many attempts: try again later', { retryAfterSeconds })
  }
}

interface Toll {
  readonly limit: LimitName
  readonly buckets: TokenBuckets
  readonly key: string
}

/**
 * The limits of one portal. Each attempt throws TOO_MANY_REQUESTS where one of its limits is reached, once that is counted
 * and, once a minute for each limit, recorded (29058).
 */
export class RateLimits {
  readonly #parts: RateLimitsParts
  readonly #networks: TokenBuckets
  readonly #names: TokenBuckets
  readonly #clients: TokenBuckets
  readonly #tokens: TokenBuckets
  readonly #recordedAt = new Map<LimitName, Micros>()

  constructor(parts: RateLimitsParts) {
    this.#parts = parts
    this.#networks = new TokenBuckets(parts.clock, networkAttemptRate)
    this.#names = new TokenBuckets(parts.clock, nameAttemptRate)
    this.#clients = new TokenBuckets(parts.clock, namedClientAttemptRate)
    this.#tokens = new TokenBuckets(parts.clock, clientTokenRate)
  }

  /**
   * A password is about to be compared. `partition` is where failures of that name from there count (`account-state.ts`):
   * whoever tries a name from elsewhere does not use up what it has at home.
   */
  async login(name: string, network: string, partition: string = elsewhere): Promise<Attempt> {
    return this.#take([
      { limit: 'network', buckets: this.#networks, key: network },
      { limit: 'name', buckets: this.#names, key: `${partition}\0${name}` },
    ])
  }

  /** A client's secret, or its token, is about to be compared. */
  async client(clientId: string, source: string): Promise<Attempt> {
    const network = networkOf(source)
    return this.#take([
      { limit: 'network', buckets: this.#networks, key: network },
      // By network too: nobody can use up what a client has by naming it.
      { limit: 'client', buckets: this.#clients, key: `${network}\0${clientId}` },
    ])
  }

  /** A client that has proved itself is about to get a token. This counts, however right it is. */
  async token(clientId: string): Promise<void> {
    await this.#take([{ limit: 'token', buckets: this.#tokens, key: clientId }])
  }

  async #take(tolls: readonly Toll[]): Promise<Attempt> {
    const taken: Toll[] = []
    const giveBack = () => {
      for (const { buckets, key } of taken.splice(0)) buckets.giveBack(key)
    }
    for (const toll of tolls) {
      const seconds = toll.buckets.take(toll.key)
      if (seconds > 0) {
        giveBack()
        throw await this.#refusal(toll.limit, seconds)
      }
      taken.push(toll)
    }
    return { giveBack }
  }

  async #refusal(limit: LimitName, seconds: number): Promise<RateLimited> {
    this.#parts.limited(limit)
    await this.#recordOnce(limit, seconds)
    return new RateLimited(seconds)
  }

  // An outsider decides how often this comes.
  async #recordOnce(limit: LimitName, seconds: number): Promise<void> {
    const now = this.#parts.clock.monotonicMicros()
    if (now - (this.#recordedAt.get(limit) ?? -Infinity) < limitEntryMicros) return
    this.#recordedAt.set(limit, now)
    const { hostName, record } = this.#parts
    const fields = { limit, seconds: String(seconds) }
    const event = selfEvent({ code: 29058, actor: '*system', hostName, outcome: 'failure', fields })
    await record(event).catch((error: unknown) => {
      if (!isUnrecordable(error)) throw error
    })
  }
}
