// The portal's registry of engines: which have joined, what an administrator has made of each, and what is known of
// them. Each change and the event that tells it are one transaction, as with accounts. It works the same in a portal
// and in a command beside it.

import type { Transaction } from '../database/database.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { isHostName } from '../entry/host-name.ts'
import { AnnalsError } from '../errors.ts'
import { joinTokenKeptMicros, joinTokenMicros } from '../limits.ts'
import { parseCertificate } from './certificate.ts'
import { CertificateCache } from './certificate-cache.ts'
import { afterContact, type Contact } from './contact.ts'
import { type Engine, resolveEngine } from './engine.ts'
import * as events from './engine-events.ts'
import type { Author } from './engine-events.ts'
import { engineOf, type EngineRow, toldOf } from './engine-row.ts'
import type { JoinedNode } from './enrolment.ts'
import { type Enrolled, enrolEngine } from './enrol.ts'
import { makeToken } from './join-token.ts'
import { demandKnown } from './node-keys.ts'
import { type RegistryParts, tell, transact } from './registry-parts.ts'
import * as queries from './registry-queries.ts'

/** What a token is for. */
export interface TokenRequest {
  /** The only engine that may use it; any where it is undefined. */
  readonly hostName?: string | undefined
  /** Whether it may replace an engine that is connected; `hostName` says which, by any of its names. */
  readonly mayReplace?: boolean
}

/** A token that was made. */
export interface MadeToken {
  readonly id: string
  /** The whole token, which is a secret and is kept nowhere. */
  readonly token: string
  /** The only engine that may use it. */
  readonly hostName: string | undefined
  readonly expiresAt: Micros
  /** The ids of its events in the outbox (`database/outbox.ts`). */
  readonly eventIds: readonly string[]
}

/** A change that an administrator ordered. */
export interface EngineChange {
  /** The engine's host name. */
  readonly name: string
  /** False where everything was so already, and nothing is recorded. */
  readonly isChanged: boolean
  /** The ids of its events in the outbox. */
  readonly eventIds: readonly string[]
}

/**
 * The engines of a portal. Methods that take a name throw UNKNOWN_ENGINE where it means none, or several; all throw
 * UNAVAILABLE where the database fails. Nothing is changed then.
 */
export class Registry {
  readonly #parts: RegistryParts
  readonly #certificates = new CertificateCache()

  constructor(parts: RegistryParts) {
    this.#parts = parts
  }

  /** All engines, in order of host name. */
  async list(): Promise<Engine[]> {
    return (await queries.rowsOf(this.#parts.database, 'all')).map((row) => this.#engineOf(row))
  }

  /** Those that are connected in the sense of the contract (A6), in order of host name, by code units (A3). */
  async connected(): Promise<Engine[]> {
    return (await queries.rowsOf(this.#parts.database, 'connected')).map((row) => this.#engineOf(row))
  }

  /** The connected engine that a name means (A2, E1). */
  async find(name: string): Promise<Engine> {
    const { read } = this.#parts.database
    const { id } = resolveEngine(await queries.namesOf(read, 'connected'), name)
    const row = await queries.rowOf(read, id)
    if (row !== undefined && row.state !== 'DISCONNECTED') return this.#engineOf(row)
    // It was disconnected, or replaced, between the two: what holds now decides.
    return resolveEngine(await this.connected(), name)
  }

  /** The engine that a name means, connected or not. */
  async findAny(name: string): Promise<Engine> {
    return resolveEngine(await this.list(), name, unknown)
  }

  /**
   * Makes a token with which one engine can join once. Throws INVALID_INPUT for a host name that is none, or is the
   * portal's; UNKNOWN_ENGINE where there is nothing to replace.
   */
  async makeToken({ hostName, mayReplace = false }: TokenRequest, by: Author): Promise<MadeToken> {
    if (mayReplace && hostName === undefined)
      throw new AnnalsError('INVALID_INPUT', 'a token that may replace an engine needs to know which')
    const asked = hostName === undefined ? undefined : this.#engineName(hostName)
    const { id, key, text } = makeToken(this.#parts.random)
    const now = this.#parts.clock.wallMicros()
    const until = now + joinTokenMicros
    return transact(this.#parts, async (transaction) => {
      const only = mayReplace && asked !== undefined ? (await rowFor(transaction, asked)).host_name : asked
      await queries.keepToken(
        transaction,
        {
          id,
          key: key.toString('hex'),
          host_name: only ?? null,
          may_replace: mayReplace ? 1 : 0,
          created_at: now,
          expires_at: until,
          created_by: by.actor,
        },
        now - joinTokenKeptMicros,
      )
      const told = events.tokenMade(this.#node, by, { id, hostName: only, mayReplace, until })
      return {
        id,
        token: text,
        hostName: only,
        expiresAt: until,
        eventIds: await tell(this.#parts, transaction, told),
      }
    })
  }

  /**
   * Lets an engine join: the use of its token, the engine and the events are one transaction. `portal` says who the
   * portal is, and which certificate it will show. Throws INVALID_INPUT for a body that is no such request;
   * JOIN_REFUSED for a token that is not good for it, in the same words where there is no such token and where its
   * secret is not known; ENGINE_EXISTS where another engine of this host name is connected.
   */
  async enrol(body: Buffer, mac: string, portal: JoinedNode): Promise<Enrolled> {
    return enrolEngine(this.#parts, body, mac, portal)
  }

  /** Takes an engine out of what is read and called, until it is connected again. */
  async disconnect(name: string, by: Author): Promise<EngineChange> {
    return this.#order(name, async (transaction, row) => {
      if (row.state === 'DISCONNECTED') return []
      await this.#setState(transaction, row, 'DISCONNECTED')
      return [events.engineDisconnected(this.#node, by, toldOf(row))]
    })
  }

  /** Takes an engine in again that was disconnected. It is CONNECTED once a call to it has succeeded. */
  async reconnect(name: string, by: Author): Promise<EngineChange> {
    return this.#order(name, async (transaction, row) => {
      if (row.state !== 'DISCONNECTED') return []
      await this.#setState(transaction, row, 'CONNECTING')
      return [events.reconnectOrdered(this.#node, by, row.host_name)]
    })
  }

  /** A call to an engine that is CONNECTING succeeded over mutual TLS. True where that was news. */
  async noteConnected(id: number): Promise<boolean> {
    return this.#note(id, async (transaction, row) => {
      if (row.state !== 'CONNECTING') return undefined
      await this.#setState(transaction, row, 'CONNECTED')
      return [events.engineConnected(this.#node, toldOf(row))]
    })
  }

  /** Keeps what came of calling engines, in one transaction. Those that are gone are passed over. */
  async noteContacts(contacts: readonly Contact[]): Promise<void> {
    if (contacts.length === 0) return
    await transact(this.#parts, async (transaction) => {
      for (const contact of contacts) {
        const row = await queries.rowOf(transaction, contact.engine)
        if (row === undefined) continue
        const change = afterContact(this.#node, row, contact)
        await queries.updateEngine(transaction, row.id, change.values)
        await tell(this.#parts, transaction, ...change.events)
      }
    })
  }

  /**
   * An engine announced the certificate that it will show next, which `by` ordered there: from now on both are trusted.
   * True where that was news. Throws INVALID_INPUT where it is no certificate of that engine's name.
   */
  async noteNextCertificate(id: number, pem: string, by: Author): Promise<boolean> {
    const next = parseCertificate(pem)
    return this.#note(id, async (transaction, row) => {
      const { certificate, nextCertificate } = this.#engineOf(row)
      demandName(next.hostName, row.host_name)
      if ([certificate, nextCertificate].some((held) => held?.fingerprint === next.fingerprint))
        return undefined
      await queries.updateEngine(transaction, id, { next_certificate: next.pem })
      const told = { owner: row.host_name, certificate: next.fingerprint }
      return [events.nextCertificateHeld(this.#node, by, told, this.#parts.hostName)]
    })
  }

  /**
   * An engine told the keys of its log and of its witness. True where that was news. Throws INVALID_INPUT where they are
   * not its own.
   */
  async noteKeys(id: number, keys: string): Promise<boolean> {
    return this.#note(id, async (transaction, row) => {
      if (row.keys === keys) return undefined
      const { hostName, log, logKey, keys: known } = this.#engineOf(row)
      demandKnown(keys, { hostName, log, logKey, keys: known })
      await queries.updateEngine(transaction, id, { keys })
      return [events.keysLearned(this.#node, { owner: hostName, log, keys })]
    })
  }

  /**
   * An engine shows its next certificate, the one of this fingerprint: the one before is trusted no longer. True where
   * that was news.
   */
  async promoteCertificate(id: number, fingerprint: string): Promise<boolean> {
    return this.#note(id, async (transaction, row) => {
      const { nextCertificate: next } = this.#engineOf(row)
      if (next === undefined || next.fingerprint !== fingerprint) return undefined
      await queries.updateEngine(transaction, id, { certificate: next.pem, next_certificate: null })
      const told = { owner: row.host_name, certificate: fingerprint }
      return [events.certificateSwitched(this.#node, system, told)]
    })
  }

  /**
   * An engine said which certificates of the portal it trusts, by fingerprint; `by` ordered the next one. True where
   * that was news.
   */
  async noteHeldPortalCertificate(
    id: number,
    current: string,
    next: string | undefined,
    by: Author = system,
  ): Promise<boolean> {
    const held = { portal_certificate: current, next_portal_certificate: next ?? null }
    return this.#note(id, async (transaction, row) => {
      const known = row.next_portal_certificate ?? undefined
      if (row.portal_certificate === current && known === next) return undefined
      await queries.updateEngine(transaction, id, held)
      if (next === undefined || next === known) return []
      const told = { owner: this.#parts.hostName, certificate: next }
      return [events.nextCertificateHeld(this.#node, by, told, row.host_name)]
    })
  }

  get #node(): events.Recorded {
    return { hostName: this.#parts.hostName }
  }

  #engineOf(row: EngineRow): Engine {
    return engineOf(row, this.#certificates.read)
  }

  #engineName(text: string): string {
    const hostName = text.toLowerCase()
    if (!isHostName(text))
      throw new AnnalsError('INVALID_INPUT', 'an engine is named by its host name (RFC 1123)')
    if (hostName === this.#parts.hostName)
      throw new AnnalsError('INVALID_INPUT', `${hostName} is the portal's own name: an engine has another`)
    return hostName
  }

  async #setState(transaction: Transaction, { id }: EngineRow, state: EngineRow['state']): Promise<void> {
    await queries.setState(transaction, id, state, this.#parts.clock.wallMicros())
  }

  /** Does what an administrator ordered of one engine; `change` returns the events that tell it, none for no change. */
  async #order(
    name: string,
    change: (transaction: Transaction, row: EngineRow) => Promise<readonly AuditEvent[]>,
  ): Promise<EngineChange> {
    return transact(this.#parts, async (transaction) => {
      const row = await rowFor(transaction, name)
      const told = await change(transaction, row)
      const eventIds = await tell(this.#parts, transaction, ...told)
      return { name: row.host_name, isChanged: told.length > 0, eventIds }
    })
  }

  /** Keeps what was learnt of one engine; `change` returns the events that tell it, or undefined where it was known. */
  async #note(
    id: number,
    change: (transaction: Transaction, row: EngineRow) => Promise<readonly AuditEvent[] | undefined>,
  ): Promise<boolean> {
    return transact(this.#parts, async (transaction) => {
      const row = await queries.rowOf(transaction, id)
      const told = row === undefined ? undefined : await change(transaction, row)
      await tell(this.#parts, transaction, ...(told ?? []))
      return told !== undefined
    })
  }
}

const unknown = 'there is no engine of this name: "annals engines list" shows those that there are'
const system: Author = { actor: '*system' }

async function rowFor(transaction: Transaction, name: string): Promise<EngineRow> {
  const { id } = resolveEngine(await queries.namesOf(transaction, 'all'), name, unknown)
  const row = await queries.rowOf(transaction, id)
  if (row === undefined) throw new AnnalsError('INTERNAL', 'an engine went away within a transaction')
  return row
}

function demandName(given: string, hostName: string): void {
  if (given === hostName) return
  throw new AnnalsError('INVALID_INPUT', "the engine's next certificate is for another host name", {
    detail: `${hostName} announced one for ${given}`,
    engine: hostName,
  })
}
