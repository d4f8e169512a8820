// The keys of an open log, and how they are replaced: ordered by a command, carried out by whoever holds the log, one step
// after the other. Each step replaces the log's description whole, so that a crash anywhere leaves the step before it, which
// is gone on with, or the one behind it.
//
// 1. Keys are made that nothing names yet. All four keys sign the statement over the latest checkpoint.
// 2. The description names the new keys (`begun`): from here on checkpoints bear four signatures.
// 3. The entry that says so, with the statement, is durable (`told`).
// 4. After `keyOverlapMicros` the old keys sign no more (`retired`). There is a checkpoint with all four by then.
// 5. The old keys' files are removed; the entry that says so is durable (`ended`).

import { randomUUID } from 'node:crypto'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import { keyOverlapMicros } from '../limits.ts'
import type { Disk } from '../store/disk.ts'
import type { Checkpoint } from '../tree/checkpoint.ts'
import { type LogKeys, signedRotation } from '../tree/key-rotation.ts'
import { formatVkey, type NoteKey, type NoteSigner } from '../tree/note-key.ts'
import {
  destroyOldKeys,
  type LogDescription,
  logKeysOf,
  makeNextKeys,
  putDescription,
  readSigners,
} from './description.ts'
import { readRotationOrder, removeRotationOrder, type RotationOrder } from './rotation-order.ts'
import type { RotationStep, StoredRotation } from './stored-rotation.ts'

/** Where a log's keys are. */
export interface KeyPlaces {
  readonly disk: Disk
  /** The log's directory. */
  readonly directory: string
  /** Where commands put their orders. */
  readonly orders: string
}

/** What replacing keys needs of the open log. */
export interface KeyWork {
  readonly wallMicros: () => Micros
  /** Signs what the log holds now, and returns it once it is durable. */
  readonly checkpoint: () => Promise<Checkpoint>
  /** Records an event; resolves once it is durable, or was already. */
  readonly record: (event: AuditEvent) => Promise<unknown>
  /** The name in the header of the log's own entries. */
  readonly component: string
}

/** The keys of an open log. */
export class HeldKeys {
  readonly #places: KeyPlaces
  #description: LogDescription
  #signers: readonly NoteSigner[]
  // Made once for an order: where the description could not be replaced for certain, it may name them.
  #prepared: StoredRotation | undefined
  #tending: Promise<void> = Promise.resolve()

  private constructor(places: KeyPlaces, description: LogDescription, signers: readonly NoteSigner[]) {
    this.#places = places
    this.#description = description
    this.#signers = signers
  }

  /** Reads the private keys. Throws LOG_DAMAGED where one is not there, or is not the log's own. */
  static async open(places: KeyPlaces, description: LogDescription): Promise<HeldKeys> {
    const signers = await readSigners(places.disk, places.directory, description)
    return new HeldKeys(places, description, signers)
  }

  /** What signs checkpoints now. */
  get signers(): readonly NoteSigner[] {
    return this.#signers
  }

  /** What anybody may know of them. */
  get told(): LogKeys {
    return logKeysOf(this.#description)
  }

  /** Carries out an order, and whatever a rotation that was begun has come to. One call after the other. */
  tend(work: KeyWork): Promise<void> {
    const done = this.#tending.then(() => this.#tend(work))
    this.#tending = done.catch(() => undefined)
    return done
  }

  async #tend(work: KeyWork): Promise<void> {
    const { disk, orders } = this.#places
    const order = await readRotationOrder(disk, orders)
    if (order !== undefined && !this.#isBegun(order)) await this.#begin(order, work)
    if (order !== undefined && this.#isBegun(order)) await removeRotationOrder(disk, orders)
    for (let last: RotationStep | undefined; last !== this.#last?.step;) {
      last = this.#last?.step
      await this.#goOn(work)
    }
  }

  get #last(): StoredRotation | undefined {
    return this.#description.rotations.at(-1)
  }

  #isBegun({ id }: RotationOrder): boolean {
    return this.#description.rotations.some((rotation) => rotation.id === id)
  }

  // An order that comes before the last rotation has ended waits for its end.
  async #begin(order: RotationOrder, work: KeyWork): Promise<void> {
    const { rotations } = this.#description
    if (this.#last !== undefined && this.#last.step !== 'ended') return
    if (this.#prepared?.id !== order.id) this.#prepared = await this.#prepare(order, work)
    await this.#put([...rotations, this.#prepared])
  }

  async #prepare({ id, actor, at }: RotationOrder, work: KeyWork): Promise<StoredRotation> {
    const { disk, directory } = this.#places
    const old = this.#signers
    const next = await makeNextKeys(disk, directory, this.#description)
    const { origin, size, root } = await work.checkpoint()
    const since = work.wallMicros()
    const statement = signedRotation({ origin, size, root }, { old, next }, Math.floor(since / 1e6))
    const named = { id, endId: randomUUID(), actor, ordered: at, since, statement }
    return { ...named, step: 'begun', old: old.map(publicOf), next: next.map(publicOf) }
  }

  async #goOn(work: KeyWork): Promise<void> {
    const last = this.#last
    if (last?.step === 'begun') {
      await work.record(this.#begunEvent(last, work.component))
      await this.#step(last, 'told')
    } else if (last?.step === 'told' && work.wallMicros() >= last.since + keyOverlapMicros) {
      await work.checkpoint()
      await this.#step(last, 'retired')
    } else if (last?.step === 'retired') {
      await destroyOldKeys(this.#places.disk, this.#places.directory, this.#description)
      await work.record(this.#endedEvent(last, work.component))
      await this.#step(last, 'ended')
    }
  }

  async #step(last: StoredRotation, step: RotationStep): Promise<void> {
    await this.#put([...this.#description.rotations.slice(0, -1), { ...last, step }])
  }

  async #put(rotations: readonly StoredRotation[]): Promise<void> {
    const { disk, directory } = this.#places
    const description = { ...this.#description, rotations }
    const isOther = rotations.at(-1)?.step === 'begun' || rotations.at(-1)?.step === 'retired'
    await putDescription(disk, directory, description)
    if (isOther) this.#signers = await readSigners(disk, directory, description)
    this.#description = description
  }

  #begunEvent(rotation: StoredRotation, component: string): AuditEvent {
    const { id, actor, ordered: occurred, statement, old, next } = rotation
    const { hostName } = this.#description
    const fields = { key: vkeyOf(next), old: vkeyOf(old) }
    const details = [['statement', statement]] as const
    return { ...selfEvent({ code: 29086, actor, component, hostName, fields, details, occurred }), id }
  }

  #endedEvent({ endId: id, old }: StoredRotation, component: string): AuditEvent {
    const { hostName } = this.#description
    return {
      ...selfEvent({ code: 29087, actor: '*system', component, hostName, fields: { old: vkeyOf(old) } }),
      id,
    }
  }
}

// People tell keys apart by that of Ed25519; the statement has both.
function vkeyOf([ed25519]: readonly NoteKey[]): string {
  return ed25519 === undefined ? '' : formatVkey(ed25519)
}

function publicOf({ name, id, type, publicKey }: NoteSigner): NoteKey {
  return { name, id, type, publicKey }
}
