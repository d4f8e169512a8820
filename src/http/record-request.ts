// What a request to record asks, read from its line and headers alone, before any of its body is.

import type { FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'
import { shown } from '../intake/shown.ts'
import { contentTypeCharacters } from '../limits.ts'
import { rawQuery } from './asked.ts'
import type { BodyForm } from './body-stream.ts'
import { isNodesLog } from './log-name.ts'
import type { RecordingNode } from './recording.ts'

/** How a request brings its events. */
export interface RecordRequest extends BodyForm {
  /** One JSON value, which is an event or a list of them; or one a line. */
  readonly form: 'json' | 'ndjson'
  /** All of them are recorded, or none is. */
  readonly isAtomic: boolean
  /** Each result has the proof that the event is in the log. */
  readonly hasReceipts: boolean
}

/**
 * Reads it. Throws NOT_FOUND for another node's log, INVALID_PARAMETER (W7: a typing error must not go unnoticed), and
 * UNSUPPORTED_MEDIA_TYPE.
 */
export function parseRecordRequest(node: RecordingNode, request: FastifyRequest): RecordRequest {
  const { headers } = request.raw
  demandOwnLog(node, request)
  const { atomic: isAtomic, receipt: hasReceipts } = parseQuery(rawQuery(request.raw))
  const form = formOf(headers['content-type'])
  return { form, isAtomic, hasReceipts, isGzip: isGzip(headers['content-encoding']) }
}

function demandOwnLog(node: RecordingNode, { params }: FastifyRequest): void {
  const { log } = params as { readonly log: string }
  const { hostName, recording } = node
  const { intake } = recording
  if (isNodesLog(node, log)) return
  throw new AnnalsError(
    'NOT_FOUND',
    `this is ${hostName}, which records in its own log only (${intake.log}): send events to the node whose log is meant`,
  )
}

interface Query {
  atomic: boolean
  receipt: boolean
}

function parseQuery(query: string): Readonly<Query> {
  const asked: Query = { atomic: false, receipt: false }
  const seen = new Set<string>()
  for (const [name, value] of query === '' ? [] : new URLSearchParams(query)) {
    if (name !== 'atomic' && name !== 'receipt')
      throw invalid(`"${shown(name)}" is not known: expected atomic, receipt, or nothing`)
    if (seen.has(name)) throw invalid(`"${name}" is given more than once`)
    if (value !== 'true' && value !== 'false') throw invalid(`"${name}" is expected to be true or false`)
    seen.add(name)
    asked[name] = value === 'true'
  }
  return asked
}

function invalid(message: string): AnnalsError {
  return new AnnalsError('INVALID_PARAMETER', message)
}

const forms: ReadonlyMap<string, RecordRequest['form']> = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
])

/** What may be sent, as the headers of a refusal say it (RFC 9110 sections 12.5.1 and 15.5.16). */
export const acceptedHere: readonly string[] = [
  'Accept',
  'application/json, application/x-ndjson',
  'Accept-Encoding',
  'gzip, identity',
]

const mediaType =
  /^\s*([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)\s*((?:;\s*[a-z0-9-]+=(?:[^\s;"]+|"[^"]*")\s*)*);?\s*$/i

function formOf(header: string | undefined): RecordRequest['form'] {
  // By far the most frequent ones.
  if (header === 'application/json') return 'json'
  if (header === 'application/x-ndjson') return 'ndjson'
  const [, type = '', parameters = ''] =
    (header?.length ?? 0) > contentTypeCharacters ? [] : (mediaType.exec(header ?? '') ?? [])
  const form = forms.get(type.toLowerCase())
  if (form === undefined)
    throw new AnnalsError(
      'UNSUPPORTED_MEDIA_TYPE',
      'Content-Type: expected application/json for an event or a list of them, or application/x-ndjson for one a line',
    )
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)"?/i.exec(parameters) ?? []
  if (/^utf-?8$/i.test(charset)) return form
  throw new AnnalsError('UNSUPPORTED_MEDIA_TYPE', 'Content-Type: events are expected in UTF-8')
}

function isGzip(header: string | undefined): boolean {
  const coding = header?.trim().toLowerCase() ?? ''
  if (coding === '' || coding === 'identity') return false
  if (coding === 'gzip' || coding === 'x-gzip') return true
  throw new AnnalsError('UNSUPPORTED_MEDIA_TYPE', 'Content-Encoding: expected gzip, or none')
}
