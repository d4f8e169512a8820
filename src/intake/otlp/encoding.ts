// The two encodings of OTLP over HTTP (opentelemetry-proto 1.x, "OTLP/HTTP"): what comes in is read, and what is answered is
// written, in the one that the request has.

import protobuf from 'protobufjs/minimal.js'
import { readJson } from './json.ts'
import type { LogRecord } from './log-record.ts'
import { readProtobuf } from './protobuf.ts'
import type { Exported } from './refusals.ts'

/** One encoding. */
export interface Encoding {
  readonly mediaType: string
  /** The records of an ExportLogsServiceRequest. Throws MALFORMED_REQUEST and BODY_TOO_LARGE. */
  readonly read: (bytes: Buffer) => LogRecord[]
  /** An ExportLogsServiceResponse: empty where everything was recorded. */
  readonly response: (exported: Pick<Exported, 'rejected' | 'message'>) => Buffer
  /** A google.rpc.Status, with nothing but its message: OTLP over HTTP does not use its code. */
  readonly status: (message: string) => Buffer
}

/** `application/json` */
export const jsonEncoding: Encoding = {
  mediaType: 'application/json',
  read: readJson,
  response: ({ rejected, message }) =>
    jsonOf(
      rejected === 0
        ? {}
        : { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: message } },
    ),
  status: (message) => jsonOf({ message }),
}

/** `application/x-protobuf` */
export const protobufEncoding: Encoding = {
  mediaType: 'application/x-protobuf',
  read: readProtobuf,
  response: ({ rejected, message }) => {
    const response = protobuf.Writer.create()
    if (rejected > 0)
      response.uint32(10).fork().uint32(8).int64(rejected).uint32(18).string(message.toWellFormed()).ldelim()
    return Buffer.from(response.finish())
  },
  status: (message) =>
    Buffer.from(protobuf.Writer.create().uint32(18).string(message.toWellFormed()).finish()),
}

/** The encoding that a Content-Type names; undefined where it is another one. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase()
  return [jsonEncoding, protobufEncoding].find((encoding) => encoding.mediaType === mediaType)
}

function jsonOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
