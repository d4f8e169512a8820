// Which portal an engine has joined, at rest in `DATA/portal.json`, and whom it therefore lets in: who shows one of that
// portal's certificates, and nobody else. Each change is durable before it counts.

import { join } from 'node:path'
import type { LogId, Micros } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import type { JoinedNode } from './enrolment.ts'
import { demandKnown } from './node-keys.ts'

/** The portal that an engine has joined. */
export interface JoinedPortal extends JoinedNode {
  /** The one that it has announced: it shows either, until it shows this one. */
  readonly nextCertificate: Certificate | undefined
  /** Where it was joined. */
  readonly url: string
  /** RFC 3339. */
  readonly joinedAt: string
}

/** See the head of this file. */
export class PortalTrust {
  readonly #disk: Disk
  readonly #file: string
  readonly #changed: () => void
  #portal: JoinedPortal | undefined
  // Changes take turns.
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(disk: Disk, file: string, portal: JoinedPortal | undefined, changed: () => void) {
    this.#disk = disk
    this.#file = file
    this.#portal = portal
    this.#changed = changed
  }

  /**
   * Opens what a data directory says. `changed` is called after every change. Throws INVALID_CONFIGURATION where
   * the file is not what was written.
   */
  static async open(
    disk: Disk,
    directory: string,
    changed: () => void = () => undefined,
  ): Promise<PortalTrust> {
    const file = join(directory, 'portal.json')
    const bytes = await readWhole(disk, file)
    return new PortalTrust(disk, file, bytes && parse(file, bytes.toString()), changed)
  }

  /** Undefined where none was joined. */
  get portal(): JoinedPortal | undefined {
    return this.#portal
  }

  /** Whoever shows one of these is the portal. */
  get certificates(): readonly Certificate[] {
    if (this.#portal === undefined) return []
    const { certificate, nextCertificate } = this.#portal
    return nextCertificate === undefined ? [certificate] : [certificate, nextCertificate]
  }

  /** Keeps the portal that was joined. */
  async join(portal: JoinedNode, url: string, now: Micros): Promise<void> {
    const { hostName, log, logKey, keys, certificate } = portal
    const joined = { hostName, log, logKey, keys, certificate, url, joinedAt: formatMicros(now) }
    await this.#change(() => ({ ...joined, nextCertificate: undefined }))
  }

  /**
   * Trusts the certificate that the portal is going to show, beside its present one. Throws INVALID_INPUT where it is
   * none of the portal's name. True where that is news.
   */
  async hold(pem: string): Promise<boolean> {
    const next = parseCertificate(pem)
    let isNews = false
    await this.#change((portal) => {
      if (portal === undefined || next.hostName !== portal.hostName) {
        throw new AnnalsError('INVALID_INPUT', "the certificate is not for the portal's host name")
      }
      isNews = !this.certificates.some(({ fingerprint }) => fingerprint === next.fingerprint)
      return isNews ? { ...portal, nextCertificate: next } : portal
    })
    return isNews
  }

  /** The portal told its keys. Throws INVALID_INPUT where they are not its own. True where that is news. */
  async learnKeys(keys: string): Promise<boolean> {
    let isNews = false
    await this.#change((portal) => {
      if (portal === undefined) throw new AnnalsError('INVALID_INPUT', 'this engine has not joined a portal')
      demandKnown(keys, portal)
      isNews = portal.keys !== keys
      return isNews ? { ...portal, keys } : portal
    })
    return isNews
  }

  /** The portal showed its next certificate: the one before is trusted no longer. */
  async promote(fingerprint: string): Promise<boolean> {
    let isNews = false
    await this.#change((portal) => {
      if (portal?.nextCertificate?.fingerprint !== fingerprint) return portal
      isNews = true
      return { ...portal, certificate: portal.nextCertificate, nextCertificate: undefined }
    })
    return isNews
  }

  async #change(next: Change): Promise<void> {
    const change = this.#changeAfter(this.#turn, next)
    this.#turn = change.catch(() => undefined)
    await change
  }

  async #changeAfter(earlier: Promise<unknown>, next: Change): Promise<void> {
    await earlier
    const portal = next(this.#portal)
    if (portal === undefined || portal === this.#portal) return
    await replaceFile(this.#disk, this.#file, Buffer.from(render(portal)))
    this.#portal = portal
    this.#changed()
  }
}

type Change = (portal: JoinedPortal | undefined) => JoinedPortal | undefined

const format = 'annals portal v1'

function render({ certificate, nextCertificate, ...portal }: JoinedPortal): string {
  const next = nextCertificate === undefined ? {} : { nextCertificate: nextCertificate.pem }
  return `${JSON.stringify({ format, ...portal, certificate: certificate.pem, ...next }, undefined, 2)}\n`
}

function parse(file: string, text: string): JoinedPortal {
  try {
    const value = JSON.parse(text) as Record<string, string>
    const {
      hostName = '',
      log = '',
      logKey = '',
      keys,
      certificate = '',
      nextCertificate,
      url = '',
      joinedAt = '',
    } = value
    if (value['format'] !== format || hostName === '' || log === '')
      throw new TypeError(`it is no "${format}"`)
    return {
      hostName,
      log: log as LogId,
      logKey,
      keys,
      certificate: parseCertificate(certificate),
      nextCertificate: nextCertificate === undefined ? undefined : parseCertificate(nextCertificate),
      url,
      joinedAt,
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `${file} is not what this engine wrote when it joined its portal (${why}): restore it from a backup, or remove it ` +
        'and join again with a token of "annals engines token --replace"',
      { cause },
    )
  }
}
