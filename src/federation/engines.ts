// The connected engines of a running portal. The registry, which commands change beside it, says which there are; it is
// read at every question, and several times a second for what is under way: an engine that is disconnected is not
// read to its end. Beside that each engine is asked now and then how it is (`monitor.ts`).

import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent } from '../entry/event.ts'
import type { Window } from '../entry/window.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { engineLookMs } from '../limits.ts'
import type { KeyPair } from './certificate.ts'
import { type Engine, matchEngines, resolveEngine } from './engine.ts'
import { type EngineSet, engineSetOf, type RememberedRun, SetMemory } from './engine-set.ts'
import type { EngineRun } from './engine-run.ts'
import { EngineFailure, unreachable } from './failure.ts'
import type { Question, Reader } from './inner-api.ts'
import { type EngineMetrics, Link } from './link.ts'
import { type FederationLogger, Monitor } from './monitor.ts'
import { ReadBuffers } from './read-buffers.ts'
import type { Registry } from './registry.ts'
import type { TlsIdentity } from './tls-identity.ts'
import { engineWitness } from './witness/engine-witness.ts'
import type { WitnessPeer } from './witness/witness-peer.ts'
import { TokenTeller } from './token-teller.ts'
import type { TokenTrust } from './token-trust.ts'

/** What a portal's engines need. */
export interface EnginesParts {
  readonly registry: Registry
  readonly identity: TlsIdentity
  readonly clock: { wallMicros(): number }
  /** How long an engine may take over a question, or over no byte of its entries. */
  readonly timeoutMs: number
  /** How long a transfer that it broke off is tried again. */
  readonly resumeMs: number
  /** Records an event of the portal's own. */
  readonly record: (event: AuditEvent) => Promise<void>
  /** The portal's, for such events. */
  readonly hostName: string
  readonly component: string
  /** What engines are to know of access tokens at this moment. */
  readonly tokenTrust: () => Promise<TokenTrust>
  /** The keys of the portal's log and of its witness (`node-keys.ts`). */
  readonly keys: () => string
  readonly metrics: EngineMetrics
  readonly logger: FederationLogger
}

/** An engine that was asked for by name. */
export interface FoundEngine {
  readonly hostName: string
  readonly log: string
  /** As `Link.fix`. */
  fix(question: Question, signal: AbortSignal): Promise<EngineRun | undefined>
  /** As `Link.published`. */
  published(path: string): Promise<Buffer>
  /** As `Link.checkpoint`. */
  checkpoint(): Promise<Buffer>
  /** As `Link.keys`. */
  keys(): Promise<Buffer>
}

/** What is known of an engine, for the metrics. */
export interface EngineNumbers {
  readonly hostName: string
  readonly state: Engine['state']
  readonly isReachable: boolean
  readonly clockOffsetMicros: number | undefined
  readonly certificateExpiresAt: number
}

/** The engines of a portal that runs. Dispose of it to break off every call. */
export class Engines implements AsyncDisposable {
  readonly #parts: EnginesParts
  readonly #links = new Map<number, Link>()
  readonly #sets = new SetMemory()
  readonly #buffers = new ReadBuffers()
  readonly #monitor: Monitor
  readonly #teller: TokenTeller
  readonly #stopping = new AbortController()
  #looking: Promise<void> | undefined

  constructor(parts: EnginesParts) {
    this.#parts = parts
    this.#monitor = new Monitor({ ...parts, links: () => [...this.#links.values()] })
    this.#teller = new TokenTeller(parts)
  }

  /** Begins to look after the engines. */
  start(): void {
    this.#looking = this.#look()
  }

  /** The connected engine that a name means (A2). Throws UNKNOWN_ENGINE (E1). */
  async find(name: string): Promise<FoundEngine> {
    return this.#linkOf(resolveEngine(await this.#sync(), name))
  }

  /** The connected engine whose log has an id, or which a name means. Throws UNKNOWN_ENGINE. */
  async findLog(name: string): Promise<FoundEngine> {
    const engines = await this.#sync()
    const engine = engines.find(({ log }) => log === name.toLowerCase())
    return this.#linkOf(engine ?? resolveEngine(engines, name))
  }

  /** The id of the log of the connected engine that a log id or a name means (A2); undefined where there is none such. */
  async logOf(name: string): Promise<string | undefined> {
    const engines = await this.#sync()
    const asked = name.toLowerCase()
    if (engines.some(({ log }) => log === asked)) return asked
    const [engine, ...others] = matchEngines(engines, name)
    return others.length === 0 ? engine?.log : undefined
  }

  /** Tells the engine of a log what has changed of access tokens. Resolves once it knows, fails, or takes too long. */
  async tell(log: string): Promise<void> {
    const link = [...this.#links.values()].find((link) => link.log === log)
    if (link !== undefined) await this.#teller.tell(link)
  }

  /**
   * Fixes a window in every connected engine at once. Throws UNREACHABLE_ENGINE, with one element for each that could
   * not, where some could not (E3): by then every other one has.
   */
  async fixAll(window: Window, reader: Reader, signal: AbortSignal): Promise<EngineSet> {
    const links = (await this.#sync()).map((engine) => this.#linkOf(engine))
    const runs = await allOf(
      links.map(async (link) => {
        const run = await link.fix({ of: window, reader }, signal)
        return run ?? refuseBadAnswer(link)
      }),
    )
    await this.#demandConnected(links)
    const set = engineSetOf(runs)
    this.#sets.remember(set)
    return set
  }

  /**
   * Fixes again what an earlier answer of that tag was made of (R4). Undefined where that is not known any more, or
   * is not to be had as it was.
   */
  async fixSet(tag: string, reader: Reader, signal: AbortSignal): Promise<EngineSet | undefined> {
    const remembered = this.#sets.recall(tag)
    if (remembered === undefined) return undefined
    const links = linksOf(await this.#sync(), remembered)?.map((engine) => this.#linkOf(engine))
    if (links === undefined) return undefined
    const runs = await allOf(
      links.map((link, k) => {
        const { from = 0, to = 0 } = remembered[k] ?? {}
        return link.fix({ of: { from, to }, reader }, signal)
      }),
    )
    await this.#demandConnected(links)
    const found = runs.filter((run) => run !== undefined)
    return found.length === runs.length ? engineSetOf(found) : undefined
  }

  /** The engines as witnesses of the portal's log. One that is known not to answer is one all the same: it is behind. */
  witnesses(): WitnessPeer[] {
    return [...this.#links.values()].map(({ engine, client }) => engineWitness(engine, client))
  }

  /** What is known of each engine, for the metrics. */
  numbers(): EngineNumbers[] {
    return [...this.#links.values()].map(({ engine, failure, clockOffsetMicros }) => ({
      hostName: engine.hostName,
      state: engine.state,
      isReachable: failure === undefined && engine.state === 'CONNECTED',
      clockOffsetMicros,
      certificateExpiresAt: engine.certificate.notAfter,
    }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    const links = [...this.#links.values()]
    this.#links.clear()
    for (const link of links) link.close('cut')
    await this.#looking
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#sync()
        await this.#monitor.turn()
        await this.#teller.look([...this.#links.values()])
      } catch (error) {
        this.#parts.logger.warn({ err: error }, 'the engines could not be looked after; it is tried again')
      }
      await sleep(engineLookMs, undefined, { signal }).catch(() => undefined)
    }
    await this.#monitor.idle()
    await this.#teller.idle()
  }

  // Reads the registry, and has a link for each connected engine and for no other.
  async #sync(): Promise<Engine[]> {
    const engines = await this.#parts.registry.connected()
    if (engines.length === 0 && this.#links.size === 0) return engines
    this.#relink(engines)
    return engines
  }

  #relink(engines: readonly Engine[]): void {
    if (this.#stopping.signal.aborted) return
    const { identity } = this.#parts
    const gone = new Set(this.#links.keys())
    for (const engine of engines) {
      gone.delete(engine.id)
      const shown = shownTo(engine, identity)
      const link = this.#links.get(engine.id)
      if (link === undefined)
        this.#links.set(engine.id, new Link({ ...this.#parts, buffers: this.#buffers }, engine, shown))
      else link.update(engine, shown)
    }
    for (const id of gone) {
      const link = this.#links.get(id)
      this.#links.delete(id)
      link?.close('disconnected')
    }
  }

  #linkOf(engine: Engine): Link {
    const link = this.#links.get(engine.id)
    if (link !== undefined) return link
    throw unreachable(engine.hostName, new EngineFailure('disconnected'))
  }

  // Whoever was taken out while its snapshot was being fixed is not left out in silence (A6).
  async #demandConnected(links: readonly Link[]): Promise<void> {
    await this.#sync()
    const gone = links.filter((link) => this.#links.get(link.engine.id) !== link)
    refuseAll(gone.map(({ hostName }) => unreachable(hostName, new EngineFailure('disconnected'))))
  }
}

/**
 * Engines as witnesses of a portal's log, before the portal runs: each with a connection of its own. Dispose of `parts` to
 * end them.
 */
export async function witnessesAtRest(
  parts: AsyncDisposableStack,
  registry: Pick<Registry, 'connected'>,
  identity: TlsIdentity,
  timeoutMs: number,
): Promise<WitnessPeer[]> {
  const buffers = new ReadBuffers()
  const metrics = { failed: () => undefined, resumed: () => undefined }
  const engines = await registry.connected()
  return engines.map((engine) => {
    const link = new Link({ buffers, timeoutMs, resumeMs: 0, metrics }, engine, shownTo(engine, identity))
    parts.defer(() => link.close('cut'))
    return engineWitness(engine, link.client)
  })
}

// An engine that trusts the next certificate may have forgotten the present one.
function shownTo({ portalCertificate, nextPortalCertificate }: Engine, identity: TlsIdentity): KeyPair {
  const { current, next } = identity
  const held = [portalCertificate, nextPortalCertificate]
  return next !== undefined && held.includes(next.certificate.fingerprint) ? next : current
}

function linksOf(engines: readonly Engine[], runs: readonly RememberedRun[]): Engine[] | undefined {
  const found = runs.flatMap(({ log }) => engines.filter((engine) => engine.log === log))
  return found.length === runs.length ? found : undefined
}

function refuseBadAnswer({ hostName }: Link): never {
  throw unreachable(hostName, new EngineFailure('answer'))
}

// Waits for all, so that every engine that could not is named.
async function allOf<T>(answers: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(answers)
  const refusals: AnnalsError[] = []
  for (const result of settled) {
    if (result.status === 'fulfilled') continue
    if (!isAnnalsError(result.reason, 'UNREACHABLE_ENGINE')) throw result.reason
    refusals.push(result.reason)
  }
  refuseAll(refusals)
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

function refuseAll(each: readonly AnnalsError[]): void {
  const [first] = each
  if (first !== undefined) throw new AnnalsError('UNREACHABLE_ENGINE', first.message, { each, cause: first })
}
