// What a request asks of the answer's form: its coding, its range, its conditions. Parsed once, from headers
// alone; what they come to is known only with the content (`representation.ts`).

import type { IncomingMessage } from 'node:http'
import { AnnalsError } from '../errors.ts'
import { negotiate, type Acceptance, type Coding } from './negotiate.ts'
import { parseRange } from './range.ts'

/** The form asked for. */
export interface Asked {
  readonly isHead: boolean
  readonly coding: Coding
  readonly acceptance: Acceptance
  /** One range of bytes, where it is to be honoured: only GET has ranges (RFC 9110 section 14.2). */
  readonly range: string | undefined
  readonly ifRange: string | undefined
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
}

/** Reads a request's headers. Throws NOT_ACCEPTABLE where it can read no coding that we have (E7). */
export function parseAsked(request: IncomingMessage): Asked {
  const { headers, method } = request
  const acceptance = negotiate(headers['accept-encoding'])
  if (acceptance.preferred === undefined) {
    throw new AnnalsError(
      'NOT_ACCEPTABLE',
      'Accept-Encoding: expected one that allows zstd, gzip or identity',
    )
  }
  // R5. A part of a compressed answer is of no use, and HTTP/1.0 cannot tell a cut one from a whole one (R6).
  const range = parseRange(headers.range, 1) === undefined ? undefined : headers.range
  const isPlain = isOldHttp(request) || (range !== undefined && acceptance.identity)
  return {
    isHead: method === 'HEAD',
    coding: isPlain ? 'identity' : acceptance.preferred,
    acceptance,
    range: isPlain && method === 'GET' ? range : undefined,
    ifRange: headers['if-range'] as string | undefined,
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
  }
}

function isOldHttp(request: IncomingMessage): boolean {
  return request.httpVersionMajor === 1 && request.httpVersionMinor === 0
}

/** The raw query of a request: what stands between `?` and the end, undecoded. */
export function rawQuery(request: IncomingMessage): string {
  const url = request.url ?? ''
  const mark = url.indexOf('?')
  return mark === -1 ? '' : url.slice(mark + 1)
}
