// Looks after the engines while the portal runs: asks each how it is, keeps in the registry what came of it, and brings
// the rotation of certificates forward, on either side. It works on what is due, and waits for nobody: an engine that
// swallows packets holds up no other.

import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError } from '../errors.ts'
import { engineContactMs, engineFirstContactMs, engineJoinMicros, tlsOrderLookMs } from '../limits.ts'
import { parseCertificate } from './certificate.ts'
import type { Contact } from './contact.ts'
import { certificateSwitched } from './engine-events.ts'
import { type EngineFailure, failureOf } from './failure.ts'
import { type Description, hashOfKeys } from './inner-api.ts'
import type { Link } from './link.ts'
import type { Registry } from './registry.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** The operator's log; pino's own form. */
export interface FederationLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** What the monitor works on. */
export interface MonitorParts {
  readonly registry: Registry
  readonly identity: TlsIdentity
  readonly clock: { wallMicros(): number }
  readonly record: (event: AuditEvent) => Promise<void>
  readonly hostName: string
  readonly component: string
  readonly logger: FederationLogger
  readonly links: () => readonly Link[]
  /** The keys of the portal's log and of its witness (`node-keys.ts`). */
  readonly keys: () => string
}

/** See the head of this file. */
export class Monitor {
  readonly #parts: MonitorParts
  readonly #calls = new Set<Promise<void>>()
  readonly #contacts: Contact[] = []
  #orderLookMs = 0

  constructor(parts: MonitorParts) {
    this.#parts = parts
  }

  /** One look at everything. Throws where the registry or the disk fails; the next turn tries again. */
  async turn(): Promise<void> {
    await this.#lookForOrder()
    for (const link of this.#parts.links()) {
      if (!link.isCalled && performance.now() >= link.dueMs) this.#begin(link)
    }
    await this.#parts.registry.noteContacts(this.#contacts.splice(0))
  }

  /** Waits for the calls under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#calls)
  }

  #begin(link: Link): void {
    link.isCalled = true
    link.dueMs = Number.POSITIVE_INFINITY
    const call = this.#call(link).finally(() => {
      link.isCalled = false
      this.#calls.delete(call)
    })
    this.#calls.add(call)
  }

  async #call(link: Link): Promise<void> {
    const { clock, logger } = this.#parts
    const before = clock.wallMicros()
    try {
      const description = await link.client.describe()
      const now = clock.wallMicros()
      // As far as can be told, it looked at its clock half-way between.
      link.clockOffsetMicros = description.clock - Math.round((before + now) / 2)
      link.tokens = description.tokens
      const isRotating = await this.#answered(link, description)
      await this.#exchangeKeys(link, description)
      this.#keep(link, { engine: link.engine.id, at: now, described: describedOf(link, description) })
      const isWaitedFor = isRotating || this.#isWaitedFor(link)
      // At once where a read has failed meanwhile.
      const nextMs = performance.now() + (isWaitedFor ? engineFirstContactMs : engineContactMs)
      link.dueMs = Math.min(link.dueMs, nextMs)
    } catch (error) {
      if (isJoining(link, clock.wallMicros())) {
        link.dueMs = 0
        return
      }
      link.dueMs = performance.now() + engineFirstContactMs
      // The registry's own: no word on the engine.
      if (isAnnalsError(error, 'UNAVAILABLE'))
        logger.warn({ err: error }, 'what an engine answered could not be kept')
      else this.#failed(link, failureOf(error))
    }
  }

  #failed(link: Link, failure: EngineFailure): void {
    link.noteFailure(failure)
    link.dueMs = performance.now() + engineFirstContactMs
    if (link.failure === undefined) {
      const { hostName: engine, address } = link.engine
      const detail = failure.cause instanceof Error ? failure.cause.message : undefined
      const fields = { engine, address, reason: failure.message, detail }
      this.#parts.logger.warn(fields, 'an engine does not answer')
    }
    const at = this.#parts.clock.wallMicros()
    this.#keep(link, { engine: link.engine.id, at, failure: failure.message })
  }

  // What has changed is kept at once, and that nothing has now and then: each is a transaction.
  #keep(link: Link, contact: Contact): void {
    const isNews = contact.failure !== link.failure
    if (isNews && contact.failure === undefined)
      this.#parts.logger.info({ engine: link.hostName }, 'an engine answers again')
    if (!isNews && performance.now() - link.keptMs < engineContactMs) return
    link.failure = contact.failure
    link.keptMs = performance.now()
    this.#contacts.push(contact)
  }

  // True where the engine has just announced its next certificate, and waits to hear that it is trusted.
  async #answered(link: Link, { certificates, holds }: Description): Promise<boolean> {
    const { registry, identity, logger } = this.#parts
    const { engine } = link
    if (await registry.noteConnected(engine.id)) {
      logger.info({ engine: link.hostName }, 'an engine is connected')
      // It said of itself what `list` shows.
      link.keptMs = Number.NEGATIVE_INFINITY
    }
    const isRotating = await this.#noteCertificates(link, certificates)
    const { next } = identity
    if (next === undefined) return isRotating
    const { fingerprint } = next.certificate
    const held = holds.includes(fingerprint) ? holds : await link.client.announce(next.certificate)
    if (!held.includes(fingerprint)) return isRotating
    const by = { actor: next.order.actor }
    await registry.noteHeldPortalCertificate(
      engine.id,
      identity.current.certificate.fingerprint,
      fingerprint,
      by,
    )
    return isRotating
  }

  // Keys are told along with everything else, so that engines which joined before there were such keys get them too.
  async #exchangeKeys({ engine, client }: Link, { keys, portalKeys }: Description): Promise<void> {
    const { registry, logger, keys: own } = this.#parts
    try {
      if (keys !== undefined && keys !== engine.keys) await registry.noteKeys(engine.id, keys)
    } catch (error) {
      if (!isAnnalsError(error, 'INVALID_INPUT')) throw error
      logger.warn({ err: error, engine: engine.hostName }, 'an engine told keys that are not its own')
    }
    if (portalKeys !== undefined && portalKeys !== hashOfKeys(own())) await client.tellKeys(own())
  }

  async #noteCertificates({ engine }: Link, [present, next]: readonly string[]): Promise<boolean> {
    const { registry } = this.#parts
    const shown = present === undefined ? undefined : parseCertificate(present).fingerprint
    if (engine.nextCertificate !== undefined && shown === engine.nextCertificate.fingerprint) {
      await registry.promoteCertificate(engine.id, shown)
    } else if (next !== undefined && shown === engine.certificate.fingerprint) {
      return await registry.noteNextCertificate(engine.id, next, { actor: '*system' })
    }
    return false
  }

  #isWaitedFor({ engine }: Link): boolean {
    const { next } = this.#parts.identity
    const isAnnounced = next === undefined || engine.nextPortalCertificate === next.certificate.fingerprint
    return engine.nextCertificate !== undefined || !isAnnounced
  }

  // A command may have ordered another certificate of the portal's. It is switched to once every engine trusts it:
  // those that already do are shown it before that.
  async #lookForOrder(): Promise<void> {
    const { identity, registry } = this.#parts
    if (performance.now() < this.#orderLookMs) return
    this.#orderLookMs = performance.now() + tlsOrderLookMs
    const before = identity.next
    await identity.reload()
    const { next } = identity
    if (next === undefined) return
    if (before === undefined) for (const link of this.#parts.links()) link.dueMs = 0
    const { fingerprint } = next.certificate
    const engines = await registry.connected()
    const isHeld = engines.every(
      (engine) => engine.nextPortalCertificate === fingerprint || engine.portalCertificate === fingerprint,
    )
    if (!isHeld) return
    await this.#switch(next.order, fingerprint)
    for (const { id } of engines) await registry.noteHeldPortalCertificate(id, fingerprint, undefined)
  }

  // The entry first, under the order's own id: after a crash between the two it is not written twice (I4).
  async #switch(order: { id: string; actor: string; at: number }, certificate: string): Promise<void> {
    const { record, hostName, component, identity } = this.#parts
    const event = certificateSwitched(
      { hostName, component },
      { actor: order.actor },
      { owner: hostName, certificate },
    )
    await record({ ...event, id: order.id, occurred: order.at })
    await identity.promote()
  }
}

// Between the portal's answer and the moment at which the engine lets the portal in, a call fails, and says nothing.
function isJoining({ engine: { state, stateAt } }: Link, now: number): boolean {
  return state === 'CONNECTING' && now - stateAt < engineJoinMicros
}

function describedOf({ clockOffsetMicros = 0 }: Link, description: Description): Contact['described'] {
  const { size, bytes, lastTime, version } = description
  return { logSize: size, logBytes: bytes, lastEntryAt: lastTime, version, clockOffsetMicros }
}
