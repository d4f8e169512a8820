// An engine, towards its portal: how it is, whom it lets in and what it shows, and its part in the rotation of either
// side's certificate. It calls nobody: the portal asks, and each answer says what is held.

import type { TlsOptions } from 'node:tls'
import type { AuditEvent } from '../entry/event.ts'
import { isUnrecordable } from '../errors.ts'
import { peerTimeoutMs, strangersLogMs, tlsOrderLookMs } from '../limits.ts'
import type { AuditLog } from '../log/audit-log.ts'
import { certificateSwitched, keysLearned, nextCertificateHeld } from './engine-events.ts'
import { type Description, hashOfKeys } from './inner-api.ts'
import type { KeptTokenTrust } from './kept-token-trust.ts'
import type { FederationLogger } from './monitor.ts'
import type { PortalTrust } from './portal-trust.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** What an engine's side needs. */
export interface EngineSideParts {
  readonly log: AuditLog
  readonly identity: TlsIdentity
  readonly trust: PortalTrust
  /** What the portal told of access tokens. */
  readonly tokens: Pick<KeptTokenTrust, 'hash' | 'keep'>
  readonly clock: { wallMicros(): number }
  readonly record: (event: AuditEvent) => Promise<void>
  readonly component: string
  readonly version: string
  /** The keys of the log and of this node's witness (`node-keys.ts`). */
  readonly keys: () => string
  readonly logger: FederationLogger
}

/** See the head of this file. Dispose of it to stop looking for orders. */
export class EngineSide implements Disposable {
  readonly #parts: EngineSideParts
  #timer: NodeJS.Timeout | undefined
  #shownChanged: () => void = () => undefined
  #strangers = 0
  #strangersLogMs = 0

  constructor(parts: EngineSideParts) {
    this.#parts = parts
  }

  /** Begins to look whether a command has ordered another certificate. `changed`: what is shown has changed. */
  start(changed: () => void): void {
    this.#shownChanged = changed
    this.#timer = setInterval(() => void this.#lookForOrder(), tlsOrderLookMs)
  }

  /** What its TLS listener demands: version 1.3, and a certificate that is pinned. */
  tlsOptions(): TlsOptions & { readonly cert: string; readonly key: string } {
    const { identity, trust } = this.#parts
    return {
      cert: identity.current.certificate.pem,
      key: identity.current.keyPem,
      // Nobody, where no portal was joined: an empty list would stand for the authorities that browsers trust.
      ca:
        trust.certificates.length === 0
          ? [identity.current.certificate.pem]
          : trust.certificates.map(({ pem }) => pem),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      handshakeTimeout: peerTimeoutMs,
    }
  }

  /** The portal's host name, where one was joined. */
  get portalName(): string {
    return this.#parts.trust.portal?.hostName ?? 'portal'
  }

  /** The portal's log, where one was joined. */
  get portalLog(): string {
    return this.#parts.trust.portal?.log ?? '-'
  }

  /** True where a certificate with this fingerprint is the portal's. The first time that its next one is shown ends a rotation. */
  async isPortal(fingerprint: string | undefined): Promise<boolean> {
    const { trust } = this.#parts
    if (fingerprint === undefined) return false
    if (fingerprint === trust.portal?.nextCertificate?.fingerprint && (await trust.promote(fingerprint))) {
      await this.#say(
        certificateSwitched(this.#node, system, { owner: this.portalName, certificate: fingerprint }),
      )
    }
    return trust.certificates.some((certificate) => certificate.fingerprint === fingerprint)
  }

  /** How the engine is. `holds`: fingerprints of its certificates that the portal trusts. */
  async describe(holds: readonly string[]): Promise<Description> {
    const { identity } = this.#parts
    const { next } = identity
    if (next !== undefined && holds.includes(next.certificate.fingerprint)) await this.#switch()
    return this.#description()
  }

  /** Trusts the certificate that the portal is going to show. Throws INVALID_INPUT. */
  async hold(pem: string): Promise<readonly string[]> {
    const { trust, log } = this.#parts
    const isNews = await trust.hold(pem)
    const certificate = trust.portal?.nextCertificate?.fingerprint
    if (isNews && certificate !== undefined) {
      await this.#say(
        nextCertificateHeld(this.#node, system, { owner: this.portalName, certificate }, log.hostName),
      )
    }
    return this.#held()
  }

  /** Keeps what the portal tells of access tokens, and returns its hash. Throws INVALID_PARAMETER. */
  async learn(text: string): Promise<string> {
    return this.#parts.tokens.keep(text)
  }

  /** Keeps the portal's keys, and returns their hash. Throws INVALID_INPUT where they are not the portal's. */
  async learnKeys(keys: string): Promise<string> {
    const { trust } = this.#parts
    if (await trust.learnKeys(keys))
      await this.#say(keysLearned(this.#node, { owner: this.portalName, log: this.portalLog, keys }))
    return hashOfKeys(keys)
  }

  /**
   * Somebody was not let in: another program, or a portal whose certificate is not the one that was joined. The
   * operator is told why, now and then, for anybody can try.
   */
  noteStranger(why: string): void {
    this.#strangers += 1
    if (performance.now() < this.#strangersLogMs) return
    const fields = { why, connections: this.#strangers }
    this.#parts.logger.warn(fields, 'somebody who is not the portal that was joined tried to connect')
    this.#strangers = 0
    this.#strangersLogMs = performance.now() + strangersLogMs
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  get #node() {
    const { log, component } = this.#parts
    return { hostName: log.hostName, component }
  }

  #held(): readonly string[] {
    return this.#parts.trust.certificates.map(({ fingerprint }) => fingerprint)
  }

  #description(): Description {
    const { log, identity, clock, version, tokens } = this.#parts
    const { size, bytes, firstTime, lastTime } = log.status()
    const { current, next } = identity
    const shown = next === undefined ? [current] : [current, next]
    return {
      hostName: log.hostName,
      log: log.id,
      size,
      bytes,
      firstTime,
      lastTime,
      version,
      clock: clock.wallMicros(),
      certificates: shown.map(({ certificate }) => certificate.pem),
      holds: this.#held(),
      tokens: tokens.hash,
      keys: this.#parts.keys(),
      portalKeys: hashOfKeys(this.#parts.trust.portal?.keys),
    }
  }

  // The entry first, under the order's own id: after a crash between the two it is not written twice (I4).
  async #switch(): Promise<void> {
    const { identity, log } = this.#parts
    const { next } = identity
    if (next === undefined) return
    const { order, certificate } = next
    const told = { owner: log.hostName, certificate: certificate.fingerprint }
    const event = certificateSwitched(this.#node, { actor: order.actor }, told)
    await this.#say({ ...event, id: order.id, occurred: order.at })
    await identity.promote()
    this.#shownChanged()
  }

  async #lookForOrder(): Promise<void> {
    const { identity, trust, logger } = this.#parts
    try {
      await identity.reload()
      // Nobody has to be told.
      if (trust.portal === undefined && identity.next !== undefined) await this.#switch()
    } catch (error) {
      logger.warn({ err: error }, 'the next TLS certificate cannot be used')
    }
  }

  // A full disk is no reason to let the portal wait (I9).
  async #say(event: AuditEvent): Promise<void> {
    try {
      await this.#parts.record(event)
    } catch (error) {
      if (!isUnrecordable(error)) throw error
      this.#parts.logger.warn(
        { err: error },
        'what became of the keys between engine and portal could not be recorded',
      )
    }
  }
}

const system = { actor: '*system' }
