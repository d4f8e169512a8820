// Whom the person who verifies knows: keys and a policy that were given, or, where nothing was, the keys that lie beside a log.

import { AnnalsError } from '../../errors.ts'
import { followRotations, parseLogKeys } from '../../tree/key-rotation.ts'
import { type NoteKey, parseVkey } from '../../tree/note-key.ts'
import { parsePolicy, type Policy, PolicyError } from '../../tree/policy.ts'
import { NotProved } from '../../verify/not-proved.ts'
import type { Trust } from '../../verify/signatures.ts'
import type { Surroundings } from '../surroundings.ts'
import { readText } from './files.ts'
import type { VerifyFlags } from './flags.ts'

/**
 * Reads whom somebody knows. `own`: the keys that came along with what is to be proved, for where none were given. Throws
 * INVALID_INPUT where there is no key at all, and `NotProved` where rotations do not begin with a key that is known.
 */
export async function readTrust(
  surroundings: Surroundings,
  flags: Pick<VerifyFlags, 'key' | 'policy' | 'rotations'>,
  own: readonly NoteKey[] = [],
): Promise<Trust> {
  const policy = await readPolicy(surroundings, flags.policy)
  const named: NoteKey[] = (policy?.logs ?? []).map(({ key }) => key)
  for (const key of flags.key ?? []) named.push(...(await readKeys(surroundings, key)))
  const isOwn = named.length === 0
  const known = isOwn ? own : named
  if (known.length === 0)
    throw new AnnalsError(
      'INVALID_INPUT',
      'no key of the log is known: --key VKEY, or --policy FILE with a line "log VKEY". "annals key show" prints them',
    )
  return { logKeys: await followed(surroundings, flags.rotations, known), policy, isOwn }
}

/** Reads a policy. Throws INVALID_INPUT. */
export async function readPolicy(
  surroundings: Surroundings,
  file: string | undefined,
): Promise<Policy | undefined> {
  if (file === undefined) return undefined
  const text = await readText(surroundings, { what: '--policy', file })
  try {
    return parsePolicy(text)
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause
    throw new AnnalsError('INVALID_INPUT', `--policy: ${file}, ${cause.message}`, { cause })
  }
}

async function readKeys(surroundings: Surroundings, given: string): Promise<readonly NoteKey[]> {
  const key = parseVkey(given)
  if (key !== undefined) return [key]
  const text = await readText(surroundings, { what: '--key', file: given })
  const published = parseLogKeys(text)
  if (published !== undefined) return published.keys
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const keys = lines.map((line) => parseVkey(line.trim()))
  if (keys.length > 0 && keys.every((key) => key !== undefined)) return keys
  throw new AnnalsError(
    'INVALID_INPUT',
    `--key: ${given} holds something else than keys, one a line: NAME+ID+KEY (C2SP signed-note)`,
  )
}

// Those that were known stay so: a checkpoint may be older than the rotation.
async function followed(
  surroundings: Surroundings,
  file: string | undefined,
  known: readonly NoteKey[],
): Promise<readonly NoteKey[]> {
  if (file === undefined) return known
  const published = parseLogKeys(await readText(surroundings, { what: '--rotations', file }))
  if (published === undefined)
    throw new AnnalsError('INVALID_INPUT', `--rotations: ${file} is not what a log publishes of its keys`)
  const begin = known.filter(({ name }) => name === published.origin)
  const present = followRotations(begin, published.statements)
  if (typeof present === 'string') throw new NotProved('unsigned', `--rotations: ${present}`)
  return [...known, ...present]
}
