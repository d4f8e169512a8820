// What a caller may do, whatever it proved itself with: an account's profile, a client's scopes, or what is granted to
// somebody of another authorization server. Pure; whoever serves a call asks here before it does anything (E6).

/** What a caller may do. */
export interface Rights {
  /** Whose logs it may read. */
  readonly reads: ReadRight
  /** What it may record; undefined where nothing. */
  readonly records: RecordBounds | undefined
}

/** All logs, the portal's and every engine's; or those of engines by host name, in lower case; none where empty. */
export type ReadRight = 'all' | readonly string[]

/** Bounds of what may be recorded. A list that is empty allows nothing. */
export interface RecordBounds {
  readonly components: readonly string[] | 'any'
  /** Ranges of audit codes, both ends included. */
  readonly codes: readonly (readonly [number, number])[] | 'any'
  /** Whether the node's own codes (29000 to 29999) may be recorded, which takes a main administrator's grant. */
  readonly ownCodes: boolean
}

/** No right at all. */
export const noRights: Rights = { reads: [], records: undefined }

/** Whether all logs may be read. */
export function mayReadAll({ reads }: Rights): boolean {
  return reads === 'all'
}

/**
 * Whether the log of an engine may be read that goes by this name, which may be its short one or its FQDN, in any case
 * (A2). Where that is not one of the granted names itself, the engine that is found must be asked about again.
 */
export function mayReadEngine({ reads }: Rights, name: string): boolean {
  return reads === 'all' || reads.some((granted) => isSameHost(granted, name))
}

/** Whether an event may be recorded. `isOwn` says that the code is one of the node's own. */
export function mayRecord({ records }: Rights, component: string, code: number, isOwn: boolean): boolean {
  if (records === undefined || (isOwn && !records.ownCodes)) return false
  const { components, codes } = records
  if (components !== 'any' && !components.includes(component)) return false
  return codes === 'any' || codes.some(([first, last]) => first <= code && code <= last)
}

// One of the two may be the other's short name; two different FQDNs are two hosts.
function isSameHost(granted: string, name: string): boolean {
  const [a, b] = [granted.toLowerCase(), name.toLowerCase()]
  return a === b || (!a.includes('.') && b.startsWith(`${a}.`)) || (!b.includes('.') && a.startsWith(`${b}.`))
}
