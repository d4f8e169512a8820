// The keys that sign a node's log now, as a node says them when it starts.

import type { AuditLog } from '../log/audit-log.ts'
import { signatureTypes } from '../tree/note-key.ts'

/** A line for each Ed25519 key: two while they are being replaced. Those of ML-DSA-44 are long: "annals key show --json". */
export function publicKeyLines({ keys }: Pick<AuditLog, 'keys'>): string[] {
  return keys
    .filter(({ type }) => type === signatureTypes.ed25519)
    .map(({ publicKey }) => `  public key  ${publicKey.toString('base64')} (Ed25519)`)
}
