// What the benchmarks of recording have in common: the events that are sent, where to, in whose name, and one client
// for Annals and its peers.

import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Annals, accessToken, makeClient, portalName } from './annals.ts'
import { runCommand } from './command.ts'

/** Where a portal of the benchmarks takes events in. */
export const recordingPath = `/audit-trail/api/v2/logs/${portalName}/entries`

/** Connections that record single events at the same time. */
export const recorderConnections = 64

/** What makes the portal's limits no part of a measurement: a token outlives it. */
export const recordingFlags = ['--access-token-seconds', '7200']

/** The rights of a client that may record everything but the node's own codes. */
export const recorderRights =
  '--scope service:audit-trail:record --record-components any --record-codes any'.split(' ')

/** Makes a client that may record everything but the node's own codes, and returns a Bearer header with its token. */
export async function recorderHeader(annals: Annals, data: string): Promise<string> {
  const client = await makeClient(data, `recorder-${randomBytes(4).toString('hex')}`, recorderRights)
  return `Bearer ${await accessToken(annals, client)}`
}

/** The k-th event of a run, as an application writes it: some 250 bytes of JSON, always of the same length. */
export function eventJson(k: number, run: string): string {
  const n = k % 5_000
  const session = (k * 2_654_435_761).toString(16).padStart(16, '0').slice(-16)
  return `{"id":"${hex(k, 8)}-0000-4000-8000-${run}","code":20101,"component":"Portal","actor":"account-${decimal(n)}","session":"${session}${session}","sourceAddress":"10.20.30.${100 + (k % 100)}","details":{"department":"${decimal(n)}","client":"browser"}}`
}

/** A text that sets the ids of one run apart from those of all others. */
export function freshRun(): string {
  return randomBytes(6).toString('hex')
}

/** What single events are sent with. */
export interface PostLoad {
  /** Without a slash at its end. */
  readonly url: string
  readonly path: string
  readonly authorization?: string
  readonly connections: number
  readonly seconds: number
}

/** What became of them. */
export interface PostOutcome {
  readonly rate: number
  readonly p99Ms: number
}

/** Posts single events, each with an id of its own, as fast as they are answered. Throws where one is refused. */
export async function postEvents(load: PostLoad): Promise<PostOutcome> {
  const { url, path, authorization, connections, seconds } = load
  const fixed = ['-t', '1', '--timeout', '30s', '-c', `${connections}`, '-d', `${seconds}s`, '-s', script]
  const said = await runCommand('wrk', [...fixed, url, '--', path, freshRun(), new URL(url).host], {
    // Not on the command line: it is a secret.
    environment: { RECORD_AUTHORIZATION: authorization ?? '' },
  })
  const [requests = 0, micros = 0, p99Micros = 0, refused = 0, broken = 0] =
    /^figures (.*)$/m.exec(said)?.[1]?.split(' ').map(Number) ?? []
  if (!(requests > 0) || refused > 0 || broken > 0) throw new Error(`wrk saw errors: ${said}`)
  return { rate: requests / (micros / 1e6), p99Ms: p99Micros / 1000 }
}

const script = fileURLToPath(new URL('peers/post-events.lua', import.meta.url))

function hex(k: number, digits: number): string {
  return k.toString(16).padStart(digits, '0')
}

function decimal(n: number): string {
  return n.toString().padStart(4, '0')
}
