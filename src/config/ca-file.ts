// Certificates of authorities that alone are trusted for one server, from a file.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { trustListBytes } from '../limits.ts'

/** The text of a PEM file, or why it cannot be used: nothing would be trusted with a file that holds no certificate. */
export function readCa(path: string): string | Error {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > trustListBytes) return new Error(`it is longer than ${trustListBytes} bytes`)
    const text = bytes.toString('latin1')
    return new X509Certificate(text).subject === undefined ? new Error('it names nobody') : text
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}
