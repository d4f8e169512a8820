// The certificate and key that a node shows its peers, at rest: `current.pem` in the directory of the federation's
// certificates, and beside it, while a rotation is under way, `next.pem`. Each is one file of text (RFC 7468) with a
// certificate and its key, so that no crash can part them; `next.pem` says above them who ordered the rotation.
//
// A command writes `next.pem`, and the node finds it there. One rename over `current.pem` ends the rotation: a crash
// before it leaves the rotation under way, and after it the rotation is done.

import { strict as assert } from 'node:assert'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Micros } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { type Certificate, type KeyPair, makeCertificate } from './certificate.ts'
import {
  type NextKeyPair,
  parseNextPair,
  parsePair,
  renderPair,
  type RotationOrder,
  wrongFile,
} from './tls-file.ts'

/** What a node shows its peers. Not changed by anybody but its own methods, which work one at a time. */
export interface TlsIdentity {
  readonly current: KeyPair
  /** Undefined where no rotation is under way, as far as was seen. */
  readonly next: NextKeyPair | undefined
  /** True where `current` was made by this opening. Peers that held another one do not know it. */
  readonly isNew: boolean
  /** Looks whether a rotation was ordered since. Cheap: one small file is read. Throws INVALID_CONFIGURATION. */
  reload(): Promise<void>
  /**
   * Ends the rotation: what was next is current, durably, and its forerunner's key is gone. Throws
   * INVALID_CONFIGURATION, and does nothing, where `next.pem` is not what was seen last: no peer knows that one.
   */
  promote(): Promise<void>
}

/** Where the certificates are, and whose they are. */
export interface TlsPlace {
  readonly disk: Disk
  readonly directory: string
  readonly hostName: string
}

/**
 * Opens the certificates of a node, and makes the first one where there is none. One node at a time for each
 * directory. Throws INVALID_CONFIGURATION, naming the file, where one cannot be read or is not what it should be.
 */
export async function openTlsIdentity(place: TlsPlace & { readonly now: Micros }): Promise<TlsIdentity> {
  const known = await readCurrent(place)
  const current = known ?? (await makeCurrent(place))
  const identity = new StoredIdentity(place, current, known === undefined)
  await identity.reload()
  return identity
}

/**
 * Orders a rotation: makes the next certificate and puts it where the node finds it. One caller at a time for each
 * directory. Throws ROTATION_UNDER_WAY where one was ordered before and has not ended.
 */
export async function orderNext(
  place: TlsPlace & { readonly now: Micros; readonly actor: string },
): Promise<Certificate> {
  const { disk, directory, hostName, now, actor } = place
  const known = await readNext(place)
  if (known !== undefined) throw underWay(known.pair.order)
  const pair = await makeCertificate(hostName, now)
  const order = { id: randomUUID(), actor, at: now }
  await disk.makeDirectory(directory)
  // A crash before the end of this leaves no order, or one whose author was not told of it: it is carried out.
  await replaceFile(disk, join(directory, nextFile), renderPair(pair, order))
  return pair.certificate
}

/** The certificates of a node as they are at rest, for people. Throws INVALID_CONFIGURATION. */
export async function readCertificates(
  place: TlsPlace,
): Promise<{ current: Certificate | undefined; next: (Certificate & { order: RotationOrder }) | undefined }> {
  const current = await readCurrent(place)
  const next = (await readNext(place))?.pair
  return {
    current: current?.certificate,
    next: next === undefined ? undefined : { ...next.certificate, order: next.order },
  }
}

const currentFile = 'current.pem'
const nextFile = 'next.pem'

class StoredIdentity implements TlsIdentity {
  readonly #place: TlsPlace
  readonly isNew: boolean
  #current: KeyPair
  #next: StoredNext | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(place: TlsPlace, current: KeyPair, isNew: boolean) {
    this.#place = place
    this.#current = current
    this.isNew = isNew
  }

  get current(): KeyPair {
    return this.#current
  }

  get next(): NextKeyPair | undefined {
    return this.#next?.pair
  }

  reload(): Promise<void> {
    return this.#inTurn(async () => {
      this.#next = await readNext(this.#place, this.#next)
    })
  }

  promote(): Promise<void> {
    return this.#inTurn(async () => {
      const { disk, directory } = this.#place
      const [from, to] = [join(directory, nextFile), join(directory, currentFile)]
      const next = this.#next
      assert.ok(next !== undefined, 'a rotation is under way')
      if ((await readNext(this.#place, next)) !== next)
        throw wrongFile(from, 'was changed or removed during a rotation, and is not used')
      await disk.rename(from, to)
      // From here on the file is the current one, for this process and for the next. A power cut may still take that
      // back: then the rotation is under way again, with what the peers hold already.
      this.#current = next.pair
      this.#next = undefined
      await disk.syncDirectory(directory)
    })
  }

  // A look that began before the rename must not bring back what it has read.
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

interface StoredNext {
  readonly bytes: Buffer
  readonly pair: NextKeyPair
}

async function readCurrent({ disk, directory, hostName }: TlsPlace): Promise<KeyPair | undefined> {
  const file = join(directory, currentFile)
  const bytes = await read(disk, file)
  return bytes === undefined ? undefined : parsePair(file, bytes.toString(), hostName)
}

async function makeCurrent({ disk, directory, hostName, now }: TlsPlace & { now: Micros }): Promise<KeyPair> {
  const pair = await makeCertificate(hostName, now)
  await disk.makeDirectory(directory)
  await replaceFile(disk, join(directory, currentFile), renderPair(pair))
  return pair
}

// What was read before is given back where the file still holds it.
async function readNext(
  { disk, directory, hostName }: TlsPlace,
  before?: StoredNext,
): Promise<StoredNext | undefined> {
  const file = join(directory, nextFile)
  const bytes = await read(disk, file)
  if (bytes === undefined) return undefined
  if (before?.bytes.equals(bytes) === true) return before
  return { bytes, pair: parseNextPair(file, bytes.toString(), hostName) }
}

async function read(disk: Disk, file: string): Promise<Buffer | undefined> {
  try {
    return await readWhole(disk, file)
  } catch (cause) {
    throw wrongFile(file, 'cannot be read', cause)
  }
}

function underWay({ actor, at }: RotationOrder): AnnalsError {
  return new AnnalsError(
    'ROTATION_UNDER_WAY',
    `a rotation of this node's TLS certificate is under way, ordered by ${actor} at ${formatMicros(at)}: ` +
      'it ends once the running node and all its peers hold the next one',
  )
}
