// What an engine was told of access tokens, at rest in `DATA/token-keys.json`: so it knows whom to let record when it
// starts while its portal is away. It counts only for the portal that told it: whoever joins another one, or the same one
// anew with another log, is told anew.

import { join } from 'node:path'
import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError, isUnrecordable } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { type Recorded, tokenKeysLearned } from './engine-events.ts'
import type { FederationLogger } from './monitor.ts'
import {
  hashTokenTrust,
  nothingTold,
  parseTokenTrust,
  renderTokenTrust,
  type TokenTrust,
} from './token-trust.ts'

/** What keeping it needs. */
export interface KeptTokenTrustParts {
  readonly disk: Disk
  /** The data directory. */
  readonly directory: string
  /** The log of the portal that was joined; undefined where none was. */
  readonly portalLog: () => string | undefined
  readonly node: Recorded
  readonly record: (event: AuditEvent) => Promise<void>
  readonly logger: FederationLogger
}

/** See the head of this file. */
export class KeptTokenTrust {
  readonly #parts: KeptTokenTrustParts
  #kept: Kept | undefined
  // Changes take turns.
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(parts: KeptTokenTrustParts, kept: Kept | undefined) {
    this.#parts = parts
    this.#kept = kept
  }

  /** Opens what a data directory says. A file that cannot be read is as good as none: the portal tells it again. */
  static async open(parts: KeptTokenTrustParts): Promise<KeptTokenTrust> {
    const bytes = await readWhole(parts.disk, fileIn(parts))
    return new KeptTokenTrust(parts, bytes && parseKept(parts, bytes.toString()))
  }

  /** What the portal that was joined told last; undefined where it has told nothing yet. */
  get current(): TokenTrust | undefined {
    return this.#kept?.portal === this.#parts.portalLog() ? this.#kept?.trust : undefined
  }

  /** The hash of that. */
  get hash(): string {
    return this.current === undefined || this.#kept === undefined ? nothingTold : this.#kept.hash
  }

  /**
   * Keeps what the portal tells, and returns its hash: from then on that counts, and still does after a restart. Throws
   * INVALID_PARAMETER.
   */
  async keep(text: string): Promise<string> {
    const trust = parseTokenTrust(text)
    const change = this.#turn.then(() => this.#replace(trust))
    this.#turn = change.catch(() => undefined)
    await change
    return this.hash
  }

  async #replace(trust: TokenTrust): Promise<void> {
    const portal = this.#parts.portalLog()
    const hash = hashTokenTrust(renderTokenTrust(trust))
    if (portal === undefined || hash === this.hash) return
    // The entry first: after a crash between the two the portal tells it again, and it is recorded twice, not never.
    if (!isSameKeys(this.current, trust)) await this.#say(trust)
    const text = `${JSON.stringify({ format, portal, ...trust })}\n`
    await replaceFile(this.#parts.disk, fileIn(this.#parts), Buffer.from(text))
    this.#kept = { portal, hash, trust }
  }

  // A full disk is no reason to go on with keys that may have been stolen (I9).
  async #say({ issuer, keys }: TokenTrust): Promise<void> {
    const { record, node, logger } = this.#parts
    try {
      await record(tokenKeysLearned(node, issuer, idsOf(keys)))
    } catch (error) {
      if (!isUnrecordable(error)) throw error
      logger.warn({ err: error }, 'that the keys of access tokens have changed could not be recorded')
    }
  }
}

interface Kept {
  /** The log of the portal that told it. */
  readonly portal: string
  readonly hash: string
  readonly trust: TokenTrust
}

const format = 'annals token keys v1'

function fileIn({ directory }: KeptTokenTrustParts): string {
  return join(directory, 'token-keys.json')
}

function parseKept(parts: KeptTokenTrustParts, text: string): Kept | undefined {
  try {
    const trust = parseTokenTrust(text)
    const { format: said, portal } = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (said === format && typeof portal === 'string')
      return { portal, hash: hashTokenTrust(renderTokenTrust(trust)), trust }
  } catch (error) {
    if (!isAnnalsError(error, 'INVALID_PARAMETER')) throw error
  }
  const file = fileIn(parts)
  parts.logger.warn(
    { file },
    'what was told of access tokens cannot be read: none is accepted until it is told',
  )
  return undefined
}

function isSameKeys(before: TokenTrust | undefined, after: TokenTrust): boolean {
  if (before === undefined || before.issuer !== after.issuer) return false
  return idsOf(before.keys).join(' ') === idsOf(after.keys).join(' ')
}

function idsOf(keys: TokenTrust['keys']): string[] {
  return keys.flatMap(({ kid }) => kid ?? [])
}
