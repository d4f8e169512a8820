// The keys that nodes tell each other: those that a node's log signs checkpoints with, and those of its witness, as vkeys
// (C2SP signed-note) with spaces between. Of a node that joined before there were such keys the log's Ed25519 key alone is
// known. Pure.

import type { LogId } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { nodeKeysOfAKind } from '../limits.ts'
import { originOf } from '../log/description.ts'
import { formatVkey, type NoteKey, noteKey, parseVkey, signatureTypes } from '../tree/note-key.ts'
import { witnessName } from './witness/witness-keys.ts'

/** Which node it is, and what was told of its keys, where anything was. */
export interface KeyedNode {
  readonly hostName: string
  readonly log: LogId
  /** The log's public key: Ed25519, base64. */
  readonly logKey: string
  readonly keys?: string | undefined
}

/** A node's keys. */
export interface NodeKeys {
  readonly log: readonly NoteKey[]
  /** Empty where they are not known. */
  readonly witness: readonly NoteKey[]
}

/** The keys as they are told. */
export function renderNodeKeys({ log, witness }: NodeKeys): string {
  return [...log, ...witness].map(formatVkey).join(' ')
}

/** Everything that is known of a node's keys. Throws INVALID_INPUT where what was told is none of that node. */
export function nodeKeysOf(node: KeyedNode): NodeKeys {
  if (node.keys !== undefined) return readNodeKeys(node.keys, node)
  const key = noteKey(logOriginOf(node), signatureTypes.ed25519, Buffer.from(node.logKey, 'base64'))
  return { log: [key], witness: [] }
}

/** Reads keys. Throws INVALID_INPUT where they are not named after that log and that node's witness. */
export function readNodeKeys(text: string, node: Pick<KeyedNode, 'hostName' | 'log'>): NodeKeys {
  const [origin, name] = [logOriginOf(node), witnessName(node.hostName)]
  const keys = text.split(' ').map((vkey) => parseVkey(vkey) ?? refuse('one of them is no key'))
  const log = keys.filter((key) => key.name === origin && logTypes.includes(key.type))
  const witness = keys.filter((key) => key.name === name && witnessTypes.includes(key.type))
  if (log.length + witness.length !== keys.length) refuse('one of them is of another name')
  if (log.length > nodeKeysOfAKind || witness.length > nodeKeysOfAKind) refuse('there are too many')
  return { log, witness }
}

/**
 * Demands of keys that a node tells anew that one of those which its log has been known by is among them. Throws
 * INVALID_INPUT.
 */
export function demandKnown(text: string, node: KeyedNode): void {
  const known = nodeKeysOf(node).log.filter(isEd25519)
  const told = readNodeKeys(text, node).log.filter(isEd25519)
  if (!told.some(({ publicKey }) => known.some((key) => key.publicKey.equals(publicKey))))
    refuse('none of those that its log is known by is among them')
}

function isEd25519({ type }: NoteKey): boolean {
  return type === signatureTypes.ed25519
}

/** The origin of a node's log. */
export function logOriginOf({ hostName, log: id }: Pick<KeyedNode, 'hostName' | 'log'>): string {
  return originOf({ hostName, id })
}

const logTypes: readonly number[] = [signatureTypes.ed25519, signatureTypes.mlDsa44]
const witnessTypes: readonly number[] = [signatureTypes.ed25519Cosignature, signatureTypes.mlDsa44]

function refuse(why: string): never {
  throw new AnnalsError('INVALID_INPUT', `these are not the keys of the node: ${why}`)
}
