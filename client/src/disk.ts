// Events that wait on disk, and their own way to the server: beside that of those in memory, so that a long backlog does
// not stand before what is recorded now.

import { open } from 'node:fs/promises'
import type { Receipt } from './attempt.ts'
import type { AuditTrailError } from './errors.ts'
import type { EncodedEvent } from './event.ts'
import { Lane, type LaneParts } from './lane.ts'
import type { Settings } from './options.ts'
import type { Post } from './poster.ts'
import { Spool } from './spool.ts'
import { SpoolSender } from './spool-sender.ts'

/** What both ways share. */
export interface SharedParts extends Omit<LaneParts, 'post' | 'giveUpAfterMs' | 'isPatient' | 'failed'> {
  readonly post: Post
}

/** What the disk needs. */
export interface DiskParts extends SharedParts {
  readonly spool: NonNullable<Settings['spool']>
  /** Told of each event that the server has, or refuses for good. */
  readonly settled: (outcome: Receipt | AuditTrailError, line: string) => void
  /** Told of what is wrong beside any event. */
  readonly tell: (error: AuditTrailError, line: undefined) => void
}

/** A spool with its sender. */
export class Disk {
  readonly #spool: Spool
  readonly #lane: Lane
  readonly #sender: SpoolSender

  constructor({ spool, settled, tell, ...parts }: DiskParts) {
    const { monotonicMs, moved } = parts
    const failed = (error: AuditTrailError): void => tell(error, undefined)
    this.#spool = new Spool({
      ...spool,
      openFile: open,
      monotonicMs,
      filled: () => this.#sender.wake(),
      failed,
    })
    this.#lane = new Lane({
      ...parts,
      post: (items) => this.#sender.post(items, parts.post),
      giveUpAfterMs: Infinity,
      isPatient: true,
      // That the server is away is what the disk is for.
      failed: ({ mayPass, error }) => {
        if (!mayPass) failed(error)
      },
    })
    this.#sender = new SpoolSender({
      spool: this.#spool,
      lane: this.#lane,
      monotonicMs,
      settled,
      failed,
      moved,
    })
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#spool.bytes
  }

  /** As `Spool.unwritten`. */
  get unwritten(): { readonly events: number; readonly bytes: number } {
    return this.#spool.unwritten
  }

  /** How often an event was sent again. */
  get retries(): number {
    return this.#lane.retries
  }

  /** Whether the last request failed, or all that is left was refused. */
  get isFailing(): boolean {
    return this.#lane.isFailing || this.#sender.isResting
  }

  /** Whether all is sent. */
  get isIdle(): boolean {
    return this.#sender.isIdle
  }

  /** Whether no request is under way, after `stop`. */
  get isAtRest(): boolean {
    return this.#lane.waiting === 0
  }

  /** As `Spool.opened`. */
  opened(): Promise<void> {
    return this.#spool.opened()
  }

  /** As `Spool.append`. */
  append(event: EncodedEvent): Promise<void> {
    return this.#spool.append(event)
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#sender.stop()
    this.#lane.stop()
  }

  /** As `Spool.close`, after `stop`. */
  close(): Promise<void> {
    return this.#spool.close()
  }
}
