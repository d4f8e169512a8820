// Certificates that were read before. A portal looks at its engines at every question, and reading a certificate takes
// longer than all the rest of a row.

import { cachedCertificates } from '../limits.ts'
import { type Certificate, parseCertificate } from './certificate.ts'

/** Reads certificates as `parseCertificate` does, and remembers them. */
export class CertificateCache {
  readonly #read = new Map<string, Certificate>()

  /** The certificate of a text. Throws INVALID_INPUT. */
  readonly read = (pem: string): Certificate => {
    const known = this.#read.get(pem)
    if (known !== undefined) return known
    const certificate = parseCertificate(pem)
    if (this.#read.size >= cachedCertificates) this.#read.clear()
    this.#read.set(pem, certificate)
    return certificate
  }
}
