// The file in which an administrator names witnesses beyond a node's peers, and logs that it is to witness beyond theirs (C2SP
// tlog-policy). Its quorum is for whoever verifies; a node asks every witness that has a URL.

import { readFile } from 'node:fs/promises'
import { AnnalsError } from '../errors.ts'
import type { HttpWitness } from '../federation/witness/http-witness.ts'
import type { WitnessedLog } from '../federation/witness/witness.ts'
import type { NoteKey } from '../tree/note-key.ts'
import { parsePolicy, PolicyError } from '../tree/policy.ts'

/** What a policy says to a node. */
export interface NodePolicy {
  readonly witnesses: readonly HttpWitness[]
  /** Its logs, by origin. */
  readonly logs: ReadonlyMap<string, WitnessedLog>
}

/** Reads the file; without one there is nobody. Throws INVALID_CONFIGURATION, which names the line. */
export async function readWitnessPolicy(path: string | undefined): Promise<NodePolicy> {
  if (path === undefined) return { witnesses: [], logs: new Map() }
  const policy = parse(path, await readFile(path, 'utf8').catch((cause: unknown) => refuse(path, cause)))
  const named = policy.witnesses.flatMap(({ key, url }) =>
    url === undefined ? [] : [{ key, url: urlOf(path, url) }],
  )
  // A witness has a line for each of its keys.
  const urls = Map.groupBy(named, ({ url }) => url)
  return {
    witnesses: [...urls].map(([url, lines]) => ({
      name: lines[0]?.key.name ?? url,
      url,
      keys: lines.map(({ key }) => key),
    })),
    logs: logsOf(policy.logs.map(({ key }) => key)),
  }
}

function logsOf(all: readonly NoteKey[]): Map<string, WitnessedLog> {
  return new Map(
    [...Map.groupBy(all, ({ name }) => name)].map(([name, keys]) => [
      name,
      { owner: name.split('/')[0] ?? name, keys },
    ]),
  )
}

function parse(path: string, text: string) {
  try {
    return parsePolicy(text)
  } catch (error) {
    return refuse(path, error)
  }
}

function urlOf(path: string, url: string): string {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `witnessPolicyFile: ${path}: "${url}" is no http or https URL`,
  )
}

function refuse(path: string, cause: unknown): never {
  const why = cause instanceof PolicyError ? cause.message : 'it cannot be read'
  throw new AnnalsError('INVALID_CONFIGURATION', `witnessPolicyFile: ${path}: ${why}`, { cause })
}
