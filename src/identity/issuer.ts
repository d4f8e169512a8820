// An authorization server of others, whose tokens are accepted: what they must say, and what they are granted. Nothing
// that such a token says gives rights by itself; only an administrator's grant does, and no grant can give a right that
// is not a scope: nothing of administration, and none of the node's own codes.

import { isDeepStrictEqual } from 'node:util'
import type { SignatureAlgorithm } from './remote-keys.ts'
import type { RecordBounds, Rights } from './rights.ts'
import { recordScope, rightsOf } from './scope.ts'

/** One such server, as an administrator has configured it. */
export interface Issuer {
  /** As its tokens and its metadata say it, character by character. */
  readonly issuer: string
  /** What its tokens must be for. */
  readonly audience: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly clockSkewSeconds: number
  /** Also tokens that do not say that they are access tokens (RFC 9068): `typ: JWT`, or none. */
  readonly acceptUntypedTokens: boolean
  /** Where its keys are; by its metadata where this is not given. */
  readonly jwksUri?: string | undefined
  /** PEM: the only authorities that vouch for it. */
  readonly ca?: string | undefined
  readonly grants: readonly Grant[]
}

/** What whoever has a value in a claim may do. */
export interface Grant {
  readonly claim: string
  readonly value: string
  /** One of our scopes. */
  readonly scope: string
  /** What may be recorded; only with the scope that allows it. */
  readonly record?: Pick<RecordBounds, 'components' | 'codes'> | undefined
}

/** What a token's claims are granted: all that they may read together, and of what they may record the first grant. */
export function grantedRights(grants: readonly Grant[], claims: Readonly<Record<string, unknown>>): Rights {
  const matching = grants.filter(({ claim, value }) => valuesOf(claim, claims[claim]).includes(value))
  // Not all of them together: that would allow one grant's codes for another's components.
  const bounds = matching.find(({ scope }) => scope === recordScope)?.record
  return rightsOf(
    matching.map(({ scope }) => scope),
    bounds === undefined ? undefined : { ...bounds, ownCodes: false },
  )
}

// The scope claim is one text (RFC 8693 section 4.2), which other servers call scp and may make a list of.
function valuesOf(name: string, claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim
  if (typeof claim !== 'string') return []
  return name === 'scope' || name === 'scp' ? claim.split(' ') : [claim]
}

/** How a list of servers differs from another. */
export interface IssuerChange {
  readonly issuer: string
  readonly change: 'added' | 'changed' | 'removed'
}

/** What changes from one list to another, in order of issuers. */
export function issuerChanges(before: readonly Issuer[], after: readonly Issuer[]): readonly IssuerChange[] {
  const names = [...new Set([...before, ...after].map(({ issuer }) => issuer))].sort()
  return names.flatMap((issuer): IssuerChange[] => {
    const [old, present] = [before, after].map((list) => list.find((other) => other.issuer === issuer))
    if (old === undefined) return [{ issuer, change: 'added' }]
    if (present === undefined) return [{ issuer, change: 'removed' }]
    return isDeepStrictEqual(old, present) ? [] : [{ issuer, change: 'changed' }]
  })
}
