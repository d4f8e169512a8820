// The certificates that a person trusts, from a file.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import { fetchCaFileBytes } from '../../limits.ts'

/** Reads a PEM file. Throws INVALID_INPUT where there is no certificate in it: nothing would be trusted then. */
export async function readCaFile(directory: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  const bytes = await readFile(resolve(directory, file)).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError('INVALID_INPUT', `--ca-file: the file cannot be read: ${why}`, { cause })
  })
  const text = bytes.toString('latin1')
  if (bytes.length <= fetchCaFileBytes && isCertificate(text)) return text
  throw new AnnalsError('INVALID_INPUT', `--ca-file: there is no certificate in ${file} (PEM)`)
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}
