// POST /v1/logs (OTLP/HTTP 1.x): log records of OpenTelemetry are recorded, each as one event. The answer comes when they
// are durable. Refusals are a google.rpc.Status in the encoding of the request, as OTLP demands, and not the contract's
// arrays; and what passes has a status that exporters try again after: 429 or 503, and no other.

import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { AnnalsError, type ErrorCode } from '../../errors.ts'
import { type Encoding, encodingOf, jsonEncoding, protobufEncoding } from '../../intake/otlp/encoding.ts'
import { recordExport } from '../../intake/otlp/record-export.ts'
import { digestOf } from '../../intake/otlp/record-id.ts'
import type { Exported } from '../../intake/otlp/refusals.ts'
import { otlpBodyBytes } from '../../limits.ts'
import { challengeHeaders } from '../challenge.ts'
import { report, retryHeaders, toRefusal } from '../errors.ts'
import { neverStored } from '../headers.ts'
import {
  type Arriving,
  counted,
  countedLater,
  mayNotRecord,
  mayRecordEvent,
  recorderRoute,
  type RecorderCall,
  type RecordingNode,
  recordForbidden,
} from '../recording.ts'
import { routeOf, send } from '../send.ts'
import { statusOf } from '../status.ts'
import { type BodyBound, holdBody } from '../whole-body.ts'

/** Where exporters send log records (OTLP/HTTP, "OTLP/HTTP Request"). */
export const otlpLogsPath = '/v1/logs'

/** Answers with how many log records were refused, and why. */
export function otlpLogs(node: RecordingNode): RouteHandlerMethod {
  return recorderRoute(
    node,
    (arriving, error, headers) => refuse(node, arriving, error, headers),
    async (call) => {
      const { encoding, isGzip } = counted(node, call, () => formOf(call.request), whole)
      const exported = await exportBody(node, call, encoding, isGzip)
      const more = exported.forbidden === 0 ? [] : await recordForbidden(node, call, exported.forbidden)
      const headers = [...more, ...neverStored, 'Content-Type', encoding.mediaType]
      send(node.metrics, call.request, call.reply, 200, headers, encoding.response(exported))
    },
  )
}

// A request that cannot be read is one loss: nobody knows how many log records it had (I7). Events are counted by intake.
const whole = { via: 'otlp' } as const

const bound: BodyBound = { bytes: otlpBodyBytes, otherwise: 'let the exporter send smaller batches' }

async function exportBody(
  node: RecordingNode,
  call: RecorderCall,
  encoding: Encoding,
  isGzip: boolean,
): Promise<Exported> {
  using held = await countedLater(node, call, () => holdBody(node, call, { isGzip }, bound), whole)
  const records = counted(node, call, () => encoding.read(held.bytes), whole)
  return await recordExport(records, digestOf(held.bytes), {
    intake: node.recording.intake,
    by: call.caller.name,
    demandAllowed(event) {
      if (!mayRecordEvent(call.caller, event)) throw mayNotRecord(call.caller, event)
    },
  })
}

function formOf({ raw: { headers } }: FastifyRequest): { encoding: Encoding; isGzip: boolean } {
  const encoding = encodingOf(headers['content-type'])
  const { mediaType } = protobufEncoding
  if (encoding === undefined)
    throw unsupported(`Content-Type: expected ${mediaType} or ${jsonEncoding.mediaType}`)
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (coding !== 'identity' && coding !== 'gzip')
    throw unsupported('Content-Encoding: expected gzip, or none')
  return { encoding, isGzip: coding === 'gzip' }
}

function unsupported(message: string): AnnalsError {
  return new AnnalsError('UNSUPPORTED_MEDIA_TYPE', message)
}

function refuse(
  node: RecordingNode,
  { request, reply }: Arriving,
  thrown: unknown,
  headers: readonly string[],
): void {
  const refusal = toRefusal(thrown)
  report(node, refusal, routeOf(request))
  const error = asRetried(refusal)
  const encoding = encodingOf(request.raw.headers['content-type']) ?? jsonEncoding
  const all = [
    ...headers,
    ...neverStored,
    'Content-Type',
    encoding.mediaType,
    ...(error.code === 'UNSUPPORTED_MEDIA_TYPE' ? accepted : []),
    ...challengeHeaders(error, node.challenge),
    ...retryHeaders(error),
  ]
  send(node.metrics, request, reply, statusOf[error.code], all, encoding.status(error.message))
}

const accepted = [
  'Accept',
  `${protobufEncoding.mediaType}, ${jsonEncoding.mediaType}`,
  'Accept-Encoding',
  'gzip, identity',
]

// What passes, be it that somebody has to do something, and has a status that exporters throw everything away after.
const retried: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'REQUEST_TIMEOUT',
])

function asRetried(error: AnnalsError): AnnalsError {
  const { code, message } = error
  return retried.has(code) ? new AnnalsError('UNAVAILABLE', message, { cause: error }) : error
}
