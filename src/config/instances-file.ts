// The instances that a gateway serves: what an administrator wrote of them. Those of other regions may be listed too, so
// that their tokens are refused as what they are.

import { dirname, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import type { Problem } from './assignment.ts'
import { readCa } from './ca-file.ts'
import { refusal } from './configuration.ts'
import { type ListEntry, readEntryList } from './entry-list.ts'
import { isBeyondLoopback, isPublicUrl } from './public-url.ts'

/** An instance, complete. */
export interface ConfiguredInstance {
  readonly name: string
  readonly region: string
  /** As its tokens say it. */
  readonly issuer: string
  /** Whom its tokens are for. */
  readonly audience: string
  /** Where its portal is reached: an origin. */
  readonly url: string
  /** PEM: the only authorities to trust there, instead of those that Node knows. */
  readonly ca: string | undefined
  /** The SHA-256 of its certificate, 64 hex digits in lower case: then nothing else of it counts. */
  readonly pin: string | undefined
}

/** Reads a file of instances. Throws INVALID_CONFIGURATION, which lists everything that is wrong. */
export function readInstancesFile(path: string): readonly ConfiguredInstance[] {
  const { entries, problems } = readEntryList(path, 'instancesFile', instanceSchema)
  const found = [...problems, ...duplicates(entries, 'name'), ...duplicates(entries, 'issuer')]
  if (entries.length === 0 && found.length === 0)
    found.push({ origin: 'instancesFile', message: `${path} lists no instance` })
  const instances = entries.map((entry) => complete(entry, dirname(path), found))
  if (found.length > 0) throw refusal(found)
  return instances
}

const instanceSchema = Type.Object(
  {
    name: text('the name of the instance, as its tokens say it (--instance-name)', isPlainName),
    region: text('the region of the instance, as its tokens say it (--region)', isPlainName),
    issuer: text('the URL of its authorization server, PUBLIC-URL/oauth2/default', isIssuer),
    audience: Type.Optional(text('whom its tokens are for, PUBLIC-URL/audit-trail/api', isUrl)),
    url: text('an https URL without a path (http on this machine)', isGuardedOrigin),
    caFile: Type.Optional(text('a path', (path) => path !== '')),
    pin: Type.Optional(text('the SHA-256 of its certificate, in hex digits, with or without colons', isPin)),
  },
  { additionalProperties: false },
)

type Written = Static<typeof instanceSchema>

function text(expects: string, isExpected: (text: string) => boolean) {
  return Type.Refine(
    Type.String({ expects }),
    (value: unknown) => typeof value === 'string' && isExpected(value),
  )
}

function isPlainName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text)
}

const issuerPath = '/oauth2/default'

function isIssuer(text: string): boolean {
  return text.endsWith(issuerPath) && isPublicUrl(text.slice(0, -issuerPath.length))
}

function isUrl(text: string): boolean {
  return URL.parse(text) !== null
}

function isGuardedOrigin(text: string): boolean {
  return isPublicUrl(text) && (text.startsWith('https:') || !isBeyondLoopback(text))
}

function isPin(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text) || /^[0-9a-f]{2}(?::[0-9a-f]{2}){31}$/i.test(text)
}

function duplicates(entries: readonly ListEntry<Written>[], key: 'name' | 'issuer'): Problem[] {
  const seen = new Set<string>()
  return entries.flatMap(({ value, problem }) => {
    if (seen.has(value[key])) return [problem([key], `"${key}" is listed already: ${value[key]}`)]
    seen.add(value[key])
    return []
  })
}

function complete(entry: ListEntry<Written>, directory: string, problems: Problem[]): ConfiguredInstance {
  const { value, problem } = entry
  const { name, region, issuer, caFile, pin } = value
  const ca = caFile === undefined ? undefined : readCa(resolve(directory, caFile))
  if (ca instanceof Error) problems.push(problem(['caFile'], `"caFile" cannot be used: ${ca.message}`))
  problems.push(...trustProblems(entry))
  return {
    name,
    region,
    issuer,
    audience: value.audience ?? `${issuer.slice(0, -issuerPath.length)}/audit-trail/api`,
    url: URL.parse(value.url)?.origin ?? value.url,
    ca: ca instanceof Error ? undefined : ca,
    pin: pin?.replaceAll(':', '').toLowerCase(),
  }
}

function trustProblems({ value, problem }: ListEntry<Written>): Problem[] {
  const isTls = value.url.startsWith('https:')
  const told = (['caFile', 'pin'] as const).filter((key) => value[key] !== undefined)
  const tooMuch = '"pin" and "caFile" do not go together: either says all of whom to trust'
  return [
    ...(told.length > 1 ? [problem(['pin'], tooMuch)] : []),
    ...told.filter(() => !isTls).map((key) => problem([key], `"${key}" is for TLS, and "url" is not`)),
  ]
}
