// The certificate and the key that a node speaks TLS with, read and tried out before anything else happens.

import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { AnnalsError } from '../errors.ts'
import { readCa } from './ca-file.ts'
import type { Configuration } from './configuration.ts'

/** A certificate chain and its key, PEM, and what the operator should know of the files. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
  /** Whose certificates senders of syslog must show. */
  readonly clientCa?: string
  readonly warnings: readonly string[]
}

/**
 * Reads the files of `tls`, and that of the authority of syslog senders. Throws INVALID_CONFIGURATION where they cannot be
 * read or do not fit together.
 */
export function readTlsFiles(
  { certificateFile, keyFile }: NonNullable<Configuration['tls']>,
  clientCaFile?: string,
): TlsFiles {
  const cert = read('tls.certificateFile', certificateFile)
  const key = read('tls.keyFile', keyFile)
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `${certificateFile} and ${keyFile} are no certificate and its key (PEM): ${reason(cause)}`,
      { cause },
    )
  }
  return { cert, key, ...readClientCa(clientCaFile), warnings: keyWarnings(keyFile) }
}

function readClientCa(file: string | undefined): { clientCa?: string } {
  if (file === undefined) return {}
  const text = readCa(file)
  if (typeof text === 'string') return { clientCa: text }
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `"syslog.clientCaFile" cannot be used: ${file}: ${text.message}`,
    { cause: text },
  )
}

function read(key: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new AnnalsError('INVALID_CONFIGURATION', `"${key}" cannot be read: ${reason(cause)}`, { cause })
  }
}

// Whoever reads the key can be this node to everybody else. A group may have been given it on purpose.
function keyWarnings(keyFile: string): string[] {
  const readableByOthers = 0o004
  return (statSync(keyFile).mode & readableByOthers) === 0
    ? []
    : [`${keyFile} can be read by every user of this machine: chmod o= ${keyFile}`]
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
