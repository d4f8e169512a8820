// Every name that a log gives to something at rest, in one place.

import { join } from 'node:path'
import type { Position } from '../entry/event.ts'
import { tilePath } from '../tree/tile.ts'

/** Where the parts of a data directory are. */
export interface DataLayout {
  /** The log: what `annals check` reads, and what a backup must hold. */
  readonly log: string
  /** What recovery cut off the end of the log. */
  readonly cut: string
  /** Held by the one process that may write (I5). */
  readonly lock: string
  /** Accounts and what waits to be recorded. */
  readonly database: string
  /** The certificates and keys that the node shows its peers. */
  readonly tls: string
  /** Logs that were closed, each under its id. */
  readonly logs: string
  /** There while a log is being closed and another one put in its place. */
  readonly renewal: string
  /** What commands order of whoever holds the log. */
  readonly orders: string
  /** What this node's witness has seen, and its keys: in no backup. */
  readonly witness: string
  /** The URL at which a portal was last reached, for commands beside it. */
  readonly publicUrl: string
}

/** The parts of a data directory. */
export function dataLayout(data: string): DataLayout {
  return {
    log: join(data, 'log'),
    cut: join(data, 'cut'),
    lock: join(data, 'lock'),
    database: join(data, 'annals.db'),
    tls: join(data, 'tls'),
    logs: join(data, 'logs'),
    renewal: join(data, 'renewal.json'),
    orders: join(data, 'orders'),
    witness: join(data, 'witness'),
    publicUrl: join(data, 'public-url'),
  }
}

/** The log's name, public key and beginnings, as JSON, beside its segments. */
export const descriptionFile = 'log.json'

/**
 * The log's private keys (PKCS #8, PEM, 0600), beside its segments: Ed25519, then ML-DSA-44. `generation` counts the
 * rotations before them.
 */
export function keyFilesOf(generation: number): readonly [string, string] {
  const suffix = generation === 0 ? '' : `-${generation + 1}`
  return [`key${suffix}.pem`, `key-ml-dsa-44${suffix}.pem`]
}

/** A segment's sparse index. */
export function indexName(first: Position): string {
  return `index/${digits(first)}.index`
}

/** The fingerprints of a segment's events, kept while they lie within the horizon (I4). */
export function fingerprintsName(first: Position): string {
  return `index/${digits(first)}.ids`
}

/** A full tile of level 1 or above. */
export function tileName(level: number, index: number): string {
  return `tile/${tilePath(level, index)}`
}

/** How far the background check has come. */
export const recheckName = 'recheck.json'

function digits(first: Position): string {
  return String(first).padStart(20, '0')
}
