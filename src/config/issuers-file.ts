// The authorization servers of others whose tokens are accepted: what an administrator wrote of them. No signature with
// a shared secret can be allowed, and nothing can be granted but scopes.

import { dirname, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { isHostName } from '../entry/host-name.ts'
import { foreignNameCharacters } from '../limits.ts'
import type { Problem } from './assignment.ts'
import { readCa } from './ca-file.ts'
import { refusal } from './configuration.ts'
import { type ListEntry, readEntryList } from './entry-list.ts'
import { isBeyondLoopback } from './public-url.ts'

/** The signatures that can be allowed. */
export const issuerAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const

/** An authorization server of others, complete. */
export interface ConfiguredIssuer {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly (typeof issuerAlgorithms)[number][]
  readonly clockSkewSeconds: number
  readonly acceptUntypedTokens: boolean
  readonly jwksUri: string | undefined
  /** PEM. */
  readonly ca: string | undefined
  readonly grants: readonly ConfiguredGrant[]
}

/** What whoever has a value in a claim may do. */
export interface ConfiguredGrant {
  readonly claim: string
  readonly value: string
  readonly scope: string
  readonly record: ConfiguredBounds | undefined
}

/** What may be recorded. */
export interface ConfiguredBounds {
  readonly components: readonly string[] | 'any'
  readonly codes: readonly (readonly [number, number])[] | 'any'
}

const readScope = 'service:audit-trail'
const recordScope = 'service:audit-trail:record'
const engineScopePrefix = 'service:audit-trail:engine:'
const anyAlgorithm = `a list of ${issuerAlgorithms.join(', ')}`

/**
 * Reads a file of issuers. `ownIssuer` is the node's own, which cannot be one of them. Throws INVALID_CONFIGURATION,
 * which lists everything that is wrong.
 */
export function readIssuersFile(path: string, ownIssuer: string): readonly ConfiguredIssuer[] {
  const { entries, problems } = readEntryList(path, 'issuersFile', issuerSchema)
  const found = [...problems, ...entries.flatMap((entry) => contradictions(entry, entries, ownIssuer))]
  const issuers = entries.map((entry) => complete(entry, dirname(path), found))
  if (found.length > 0) throw refusal(found)
  return issuers
}

const boundsSchema = Type.Object(
  {
    components: checked('a list of components, or any', isComponents),
    codes: checked(
      'a list of codes and ranges such as 20101 and 20201-20299, without 29000 to 29999, or any',
      (value) => parseCodes(value) !== undefined,
    ),
  },
  { additionalProperties: false, expects: 'a map of components and codes' },
)

const grantSchema = Type.Object(
  {
    claim: text('the name of a claim, which is none of annals_…', isClaim),
    value: text('a text, in quotes where it looks like a number', isPlain),
    scope: text(`${readScope}, ${recordScope} or ${engineScopePrefix}HOST`, isScope),
    record: Type.Optional(boundsSchema),
  },
  { additionalProperties: false, expects: 'a map of claim, value and scope' },
)

const issuerSchema = Type.Object(
  {
    issuer: text('the https URL that the tokens say, without "@", "?" and "#"', isIssuer),
    audience: text('the text that the tokens say they are for', isPlain),
    algorithms: Type.Optional(
      Type.Array(Type.Enum([...issuerAlgorithms], { expects: anyAlgorithm }), {
        minItems: 1,
        expects: anyAlgorithm,
      }),
    ),
    clockSkewSeconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 300, expects: 'a whole number from 0 to 300' }),
    ),
    acceptUntypedTokens: Type.Optional(Type.Boolean({ expects: 'true or false' })),
    jwksUri: Type.Optional(text('an https URL', isGuarded)),
    caFile: Type.Optional(text('a path', isPlain)),
    grants: Type.Array(grantSchema, { minItems: 1, expects: 'a list of claim, value and scope' }),
  },
  { additionalProperties: false },
)

type Written = Static<typeof issuerSchema>

function text(expects: string, isExpected: (text: string) => boolean) {
  // Asked of other types too.
  return Type.Refine(
    Type.String({ expects }),
    (value: unknown) => typeof value === 'string' && isExpected(value),
  )
}

function checked(expects: string, isExpected: (value: unknown) => boolean) {
  return Type.Refine(Type.Unknown({ expects }), isExpected)
}

function isPlain(text: string): boolean {
  return text !== '' && text.length <= foreignNameCharacters && !/\p{Cc}/u.test(text)
}

// Entries name a caller `<sub>@<issuer>`: the last "@" must be ours.
function isIssuer(text: string): boolean {
  return isPlain(text) && !/[@?#\s]/.test(text) && isGuarded(text)
}

// TLS, except on the same machine.
function isGuarded(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && !isBeyondLoopback(text))
}

// What other servers say of instances of ours is never looked at.
function isClaim(text: string): boolean {
  return isPlain(text) && !text.startsWith('annals_')
}

function isScope(text: string): boolean {
  const host = text.startsWith(engineScopePrefix) ? text.slice(engineScopePrefix.length) : ''
  return text === readScope || text === recordScope || (isHostName(host) && host === host.toLowerCase())
}

function isComponents(value: unknown): value is 'any' | readonly string[] {
  if (value === 'any') return true
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && isPlain(name))
}

// Undefined where it is no such thing, or where the node's own codes are among them.
function parseCodes(value: unknown): ConfiguredBounds['codes'] | undefined {
  if (value === 'any') return value
  if (!Array.isArray(value)) return undefined
  const ranges = value.map(parseRange)
  return ranges.every((range) => range !== undefined) ? ranges : undefined
}

function parseRange(value: unknown): readonly [number, number] | undefined {
  const [, low, high = low] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(String(value)) ?? []
  if (low === undefined) return undefined
  const [first, last] = [Number(low), Number(high)]
  const isOwn = first <= 29_999 && last >= 29_000
  return first > last || isOwn ? undefined : [first, last]
}

// What no schema can tell.
function contradictions(
  { value: { issuer, grants }, problem }: ListEntry<Written>,
  others: readonly ListEntry<Written>[],
  ownIssuer: string,
): Problem[] {
  const problems: Problem[] = []
  if (issuer === ownIssuer)
    problems.push(problem(['issuer'], '"issuer" is the authorization server of this node'))
  const first = others.find(({ value }) => value.issuer === issuer)
  if (first?.value.grants !== grants)
    problems.push(problem(['issuer'], `"issuer" is listed already: ${issuer}`))
  grants.forEach(({ scope, record }, index) => {
    if ((scope === recordScope) === (record !== undefined)) return
    const message =
      record === undefined
        ? `"record" is missing: ${recordScope} needs components and codes`
        : `"record" goes only with ${recordScope}`
    problems.push(problem(['grants', index], message))
  })
  return problems
}

function complete(
  { value, problem }: ListEntry<Written>,
  directory: string,
  problems: Problem[],
): ConfiguredIssuer {
  const { issuer, audience, jwksUri, caFile } = value
  const ca = caFile === undefined ? undefined : readCa(resolve(directory, caFile))
  if (ca instanceof Error) problems.push(problem(['caFile'], `"caFile" cannot be used: ${ca.message}`))
  return {
    issuer,
    audience,
    algorithms: value.algorithms ?? ['RS256'],
    clockSkewSeconds: value.clockSkewSeconds ?? 30,
    acceptUntypedTokens: value.acceptUntypedTokens ?? false,
    jwksUri,
    ca: ca instanceof Error ? undefined : ca,
    grants: value.grants.map(({ claim, value, scope, record }) => ({
      claim,
      value,
      scope,
      record: record && boundsOf(record),
    })),
  }
}

function boundsOf({ components, codes }: Static<typeof boundsSchema>): ConfiguredBounds {
  return {
    components: isComponents(components) ? components : [],
    codes: parseCodes(codes) ?? [],
  }
}
