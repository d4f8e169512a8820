// The instances of a gateway, by their issuers. A token that is not yet verified only says whose keys it is to be verified
// with; which instance is asked is decided once it is, and the instance decides everything else. The list can be
// replaced while calls are passed on.

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import type { Clock } from '../identity/clock.ts'
import { oauthPaths } from '../identity/oauth-paths.ts'
import { claimedIssuer } from '../identity/presented-token.ts'
import { RemoteDocuments } from '../identity/remote-documents.ts'
import { KeysUnavailable, RemoteKeys } from '../identity/remote-keys.ts'
import { clientActor } from '../identity/token-events.ts'
import { TokenRefused } from '../identity/token-refused.ts'
import { gatewayTokens, instanceReadBytes } from '../limits.ts'
import { type GatewayPlace, instanceBack, instanceSilent, instancesLoaded } from './gateway-events.ts'
import type { Instance } from './instance.ts'
import { InstanceSilent, unreachableInstance } from './silence.ts'
import { Upstream, type UpstreamBounds } from './upstream.ts'

/** What the instances of a gateway need. */
export interface InstancesParts {
  /** The gateway's own region. */
  readonly region: string
  readonly clock: Clock
  readonly place: GatewayPlace
  readonly record: (event: AuditEvent) => Promise<void>
  /** How long instances may take over what; as nodes have it unless it is given. */
  readonly bounds?: UpstreamBounds
}

/** Who calls, and which instance is theirs. */
export interface Caller {
  readonly name: string
  /** The token's `jti`. */
  readonly session: string
  readonly instance: string
  readonly isOfRegion: boolean
  readonly upstream: Upstream
}

/** The instances. Dispose of it to close the connections to them. */
export class Instances implements AsyncDisposable {
  readonly #parts: InstancesParts
  readonly #common = Buffer.allocUnsafeSlow(instanceReadBytes)
  #served: ReadonlyMap<string, Served> = new Map()

  constructor(parts: InstancesParts) {
    this.#parts = parts
  }

  /** Puts other instances in the place of the present ones. Those that stay as they are keep what is known of them. */
  async replace(instances: readonly Instance[]): Promise<void> {
    const before = this.#served
    this.#served = new Map(
      instances.map((instance) => {
        const present = before.get(instance.issuer)
        const isSame = present !== undefined && isDeepStrictEqual(present.instance, instance)
        return [instance.issuer, isSame ? present : this.#begin(instance)]
      }),
    )
    await this.#end([...before.values()].filter((served) => !this.#isServed(served)))
    await this.#recordChange(before)
  }

  /**
   * Whom a token proves. Throws `TokenRefused` where it proves nobody, and UNREACHABLE_INSTANCE where its instance does
   * not say its keys.
   */
  async callerOf(token: string): Promise<Caller> {
    const served = this.#served.get(claimedIssuer(token))
    if (served === undefined) throw new TokenRefused('token-issuer')
    const { name: instance, region } = served.instance
    const { name, session } = await this.#verify(served, token)
    return { name, session, instance, isOfRegion: region === this.#parts.region, upstream: served.upstream }
  }

  /**
   * Notes that an instance did not answer, and says so in the gateway's log where it did before. Returns the refusal for
   * whoever called.
   */
  async noteSilent(name: string, silence: InstanceSilent): Promise<AnnalsError> {
    const served = this.#named(name)
    if (served !== undefined && served.silentSince === undefined) {
      served.silentSince = this.#parts.clock.monotonicMicros()
      await this.#parts.record(instanceSilent(this.#parts.place, name, silence.reason))
    }
    return unreachableInstance(name, silence)
  }

  /** Notes that an instance answered. */
  async noteAnswer(name: string): Promise<void> {
    const served = this.#named(name)
    if (served?.silentSince === undefined) return
    const seconds = Math.round((this.#parts.clock.monotonicMicros() - served.silentSince) / 1_000_000)
    served.silentSince = undefined
    await this.#parts.record(instanceBack(this.#parts.place, name, seconds))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end([...this.#served.values()])
  }

  async #verify(served: Served, token: string): Promise<Known> {
    const digest = createHash('sha256').update(token).digest('base64url')
    const now = this.#parts.clock.wallMicros()
    const known = served.tokens.get(digest)
    if (known !== undefined && now < known.expires) return known
    const { issuer, audience, name, region } = served.instance
    const demand = { issuer, audience, algorithms: ['RS256'], clockSkewSeconds } as const
    const claims = await served.keys.verify(token, demand).catch(async (error: unknown) => {
      if (error instanceof KeysUnavailable) {
        throw await this.noteSilent(name, new InstanceSilent('keys', { cause: error }))
      }
      throw error
    })
    // An instance speaks for itself alone.
    if (claims['annals_instance'] !== name || claims['annals_region'] !== region)
      throw new TokenRefused('token-issuer')
    const fresh = knownOf(claims)
    remember(served.tokens, digest, fresh)
    return fresh
  }

  #begin(instance: Instance): Served {
    const documents = new RemoteDocuments({ ca: instance.ca, pin: instance.pin })
    const keys = new RemoteKeys({
      issuer: instance.issuer,
      jwksUri: `${instance.url}${oauthPaths.keys}`,
      documents,
      clock: this.#parts.clock,
    })
    const upstream = new Upstream(instance, this.#common, this.#parts.bounds)
    return { instance, documents, keys, upstream, tokens: new Map(), silentSince: undefined }
  }

  async #end(served: readonly Served[]): Promise<void> {
    for (const { documents, upstream } of served) {
      upstream[Symbol.dispose]()
      await documents[Symbol.asyncDispose]()
    }
  }

  async #recordChange(before: ReadonlyMap<string, Served>): Promise<void> {
    const [old, now] = [byName(before), byName(this.#served)]
    const names = [...now.keys()]
    const change = {
      all: now.size,
      added: names.filter((name) => !old.has(name)),
      changed: names.filter((name) => old.has(name) && old.get(name) !== now.get(name)),
      removed: [...old.keys()].filter((name) => !now.has(name)),
    }
    await this.#parts.record(instancesLoaded(this.#parts.place, this.#parts.region, change))
  }

  #isServed(served: Served): boolean {
    return this.#served.get(served.instance.issuer) === served
  }

  #named(name: string): Served | undefined {
    return [...this.#served.values()].find(({ instance }) => instance.name === name)
  }
}

interface Served {
  readonly instance: Instance
  readonly documents: RemoteDocuments
  readonly keys: RemoteKeys
  readonly upstream: Upstream
  /** Tokens that were verified, by the SHA-256 of the whole token, in order of age. */
  readonly tokens: Map<string, Known>
  /** Since when it has not answered. */
  silentSince: Micros | undefined
}

interface Known {
  readonly name: string
  readonly session: string
  readonly expires: Micros
}

const clockSkewSeconds = 30

function byName(served: ReadonlyMap<string, Served>): ReadonlyMap<string, Served> {
  return new Map([...served.values()].map((one) => [one.instance.name, one]))
}

function remember(tokens: Map<string, Known>, digest: string, known: Known): void {
  for (const oldest of tokens.keys()) {
    if (tokens.size < gatewayTokens) break
    tokens.delete(oldest)
  }
  tokens.set(digest, known)
}

function knownOf({ client_id, sub, jti, exp }: Awaited<ReturnType<RemoteKeys['verify']>>): Known {
  const isWhole = typeof client_id === 'string' && client_id === sub && /^[a-z0-9-]{1,64}$/.test(client_id)
  if (!isWhole || typeof jti !== 'string' || !/^[0-9a-f-]{36}$/.test(jti) || exp === undefined)
    throw new TokenRefused('token-malformed')
  return { name: clientActor(client_id), session: jti, expires: exp * 1_000_000 }
}
