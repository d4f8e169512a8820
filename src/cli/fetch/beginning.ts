// What the head of an answer promises (RFC 9110 sections 8.6, 8.8.3, 14.4; contract R2, R4, R5). Pure.

import { AnnalsError } from '../../errors.ts'
import type { HttpAnswer } from './http-client.ts'

/** A body as it comes over the wire. */
export type Coding = 'identity' | 'gzip' | 'zstd'

/** What an answer is, so that its rest can be asked for. */
export interface Source {
  /** A strong entity tag, with its quotes, where a part can be asked for by it. */
  readonly etag: string | undefined
  /** The length of the whole, decoded, where it is known. */
  readonly length: number | undefined
  /** Where its proof is, as the server says; undefined where it says nothing, or nobody has asked. */
  readonly proof?: ProofPlace | undefined
}

/** Where a proof is, and what the entry of the read repeats. */
export interface ProofPlace {
  readonly url: string
  readonly nonce: string
}

/** An answer from its first byte. */
export interface Whole extends Source {
  readonly coding: Coding
}

/** A part of an answer. Half-open. */
export interface Part {
  readonly start: number
  readonly end: number
  /** The length of the whole, where it is said. */
  readonly length: number | undefined
}

/** Reads the head of a 200; `nonce` is what was sent along for its proof. Throws where the answer is no log, or where its end could not be told from a cut. */
export function readWhole(answer: HttpAnswer, nonce?: string): Whole {
  const type = answer.header('content-type') ?? ''
  if (/^text\/html\b/i.test(type)) {
    throw new AnnalsError(
      'NOT_FOUND',
      'the server answers with a page for people, not with a log; is the URL the right one?',
    )
  }
  const coding = codingOf(answer)
  const isChunked = /\bchunked\b/i.test(answer.header('transfer-encoding') ?? '')
  const wireLength = lengthHeader(answer, 'content-length')
  const decodedLength = lengthHeader(answer, 'annals-content-length')
  const length = coding === 'identity' ? (isChunked ? decodedLength : wireLength) : decodedLength
  if (!isChunked && wireLength === undefined) {
    throw new AnnalsError(
      'NOT_ACCEPTABLE',
      'the server says neither how long its answer is nor where it ends, so that a cut could not be told from the end',
    )
  }
  const etag = coding === 'identity' ? resumableTag(answer) : undefined
  return { coding, length, etag, proof: proofOf(answer, nonce) }
}

/** Reads the head of a 206 for bytes from `from` on. Throws where it is not what was asked for. */
export function readPart(answer: HttpAnswer, from: number, source: Source): Part {
  const text = answer.header('content-range') ?? ''
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text)
  const [, first = '', last = '', of = '*'] = match ?? []
  const part = { start: Number(first), end: Number(last) + 1, length: of === '*' ? undefined : Number(of) }
  const tag = answer.header('etag')
  const fits =
    match !== null &&
    part.start === from &&
    part.end > part.start &&
    (part.length === undefined || part.end <= part.length) &&
    (part.length ?? source.length) === (source.length ?? part.length) &&
    (tag === undefined || tag === source.etag) &&
    [undefined, part.end - part.start].includes(lengthHeader(answer, 'content-length')) &&
    codingOf(answer) === 'identity'
  if (fits) return part
  throw new AnnalsError(
    'INTERNAL',
    `the server answers with another part than was asked for (from byte ${from} on)`,
    { detail: `Content-Range: ${text}; ETag: ${tag ?? 'none'}` },
  )
}

/** The length that a 416 says the whole has; undefined where it says none. */
export function unsatisfiedLength(answer: HttpAnswer): number | undefined {
  const match = /^bytes \*\/(\d{1,15})$/.exec(answer.header('content-range') ?? '')
  return match === null ? undefined : Number(match[1])
}

function codingOf(answer: HttpAnswer): Coding {
  const text = (answer.header('content-encoding') ?? 'identity').trim().toLowerCase()
  if (text === '' || text === 'identity') return 'identity'
  if (text === 'gzip' || text === 'x-gzip') return 'gzip'
  if (text === 'zstd') return 'zstd'
  throw new AnnalsError('NOT_ACCEPTABLE', 'the server answers in a coding that was not asked for')
}

function lengthHeader(answer: HttpAnswer, name: string): number | undefined {
  const text = answer.header(name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function proofOf(answer: HttpAnswer, nonce: string | undefined): ProofPlace | undefined {
  const url = answer.header('annals-proof')
  return url === undefined || nonce === undefined ? undefined : { url, nonce }
}

// A weak tag does not promise the same bytes.
function resumableTag(answer: HttpAnswer): string | undefined {
  const tag = answer.header('etag')
  if (tag === undefined || !/^"[\x21\x23-\x7E\x80-\xFF]*"$/.test(tag)) return undefined
  return answer.header('accept-ranges')?.trim().toLowerCase() === 'none' ? undefined : tag
}
