// Whom the reader trusts, as they type it: public keys of logs, one a line, what a log publishes
// of its keys, or a policy (C2SP tlog-policy).

import { parseLogKeys } from '../src/tree/key-rotation.ts'
import { type NoteKey, parseVkey, signatureTypes } from '../src/tree/note-key.ts'
import { parsePolicy, type Policy, PolicyError } from '../src/tree/policy.ts'
import { malformed } from '../src/verify/not-proved.ts'
import type { Trust } from '../src/verify/signatures.ts'

/** Reads it. A page has no ML-DSA-44: such keys are passed over. Throws `NotProved` where it is neither keys nor a policy. */
export function parseTrust(text: string): Trust {
  if (!/^\s*(log|witness|group|quorum)\s/m.test(text))
    return { logKeys: parseKeys(text).filter(isChecked), policy: undefined, isOwn: false }
  const policy = readPolicy(text)
  return { logKeys: policy.logs.map(({ key }) => key), policy, isOwn: false }
}

function parseKeys(text: string): NoteKey[] {
  const published = parseLogKeys(text.endsWith('\n') ? text : `${text}\n`)
  if (published !== undefined) return [...published.keys]
  const words = text.split(/\s+/).filter((word) => word !== '')
  return words.map((word) => {
    const key = parseVkey(word)
    if (key === undefined) throw malformed(`“${shortened(word)}” is not a public key: expected NAME+ID+KEY`)
    return key
  })
}

function readPolicy(text: string): Policy {
  try {
    const policy = parsePolicy(text)
    const [logs, witnesses] = [policy.logs, policy.witnesses].map((keys) =>
      keys.filter(({ key }) => isChecked(key)),
    )
    return { ...policy, logs: logs ?? [], witnesses: witnesses ?? [] }
  } catch (error) {
    if (error instanceof PolicyError) throw malformed(`the policy is not readable: ${error.message}`)
    throw error
  }
}

function isChecked({ type }: NoteKey): boolean {
  return type !== signatureTypes.mlDsa44
}

function shortened(word: string): string {
  return word.length > 40 ? `${word.slice(0, 40)}…` : word
}
