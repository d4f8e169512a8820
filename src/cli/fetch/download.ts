// A download, from the first question to the last byte. It goes on where it broke off by `Range` and `If-Range` where
// the answer has a strong entity tag (contract R4), and starts over where it has none, or where the server has another
// answer by now. It ends only when all of it is there, or with an error that says what is.

import { setTimeout as sleep } from 'node:timers/promises'
import { AnnalsError } from '../../errors.ts'
import type { Authorizer } from './authorizer.ts'
import { readPart, readWhole, type Source, unsatisfiedLength } from './beginning.ts'
import { decodedChunks } from './body.ts'
import type { Destination } from './destination.ts'
import type { HttpAnswer, HttpClient } from './http-client.ts'
import type { Patience } from './patience.ts'
import { refusalOf } from './refusal.ts'
import { Setback } from './setback.ts'

/** What is fetched, with what, and to where. */
export interface Download {
  readonly url: string
  readonly client: HttpClient
  readonly authorizer: Authorizer
  readonly destination: Destination
  /** Whether to ask for a compressed answer, which cannot be gone on with. */
  readonly isCompressed: boolean
  readonly patience: Patience
  /** What the entry of the read is to repeat, so that its proof can be told from others. */
  readonly nonce?: string | undefined
  /** Ends it at once: its reason is thrown. */
  readonly signal: AbortSignal
  /** Called whenever bytes have come. */
  readonly onProgress?: (bytes: number, ofBytes: number | undefined) => void
  /** Called before each pause. */
  readonly onSetback?: (reason: string, pauseMs: number) => void
}

/** How it went. */
export interface DownloadAccount {
  /** How often it went on where it had broken off. */
  readonly resumed: number
  /** How often it had to start over. */
  readonly startedOver: number
}

/** Downloads. Throws what the server refuses, UNAVAILABLE where it breaks off for good, and the signal's reason. */
export async function download(order: Download): Promise<DownloadAccount> {
  const account = { resumed: 0, startedOver: 0 }
  while (!isWhole(order.destination)) {
    try {
      if (await attempt(order, account)) break
    } catch (error) {
      order.signal.throwIfAborted()
      if (!(error instanceof Setback)) throw error
      await pause(order, error)
    }
  }
  await order.destination.finish()
  return account
}

function isWhole({ bytes, source }: Destination): boolean {
  return source?.length !== undefined && bytes === source.length
}

async function pause(
  { patience, destination, signal, onSetback }: Download,
  setback: Setback,
): Promise<void> {
  const verdict = patience.after(destination.bytes, setback.retryAfterMs)
  if ('givenUp' in verdict) {
    const rest = destination.bytes === 0 ? '' : `; ${destination.rest()}`
    throw new AnnalsError(setback.code, `${setback.message}; ${verdict.givenUp}${rest}`, { cause: setback })
  }
  onSetback?.(setback.message, verdict.pauseMs)
  await sleep(verdict.pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
}

/** Mutable while the download runs. */
interface Counts {
  resumed: number
  startedOver: number
}

// Asks once, and takes in what is answered. True where that was the end of it.
async function attempt(order: Download, counts: Counts): Promise<boolean> {
  const { destination } = order
  const { source, bytes } = destination
  const rest = source?.etag !== undefined && bytes > 0 ? { source, from: bytes } : undefined
  const answer = await askAuthorized(order, rest)
  try {
    if (answer.status === 200) {
      if (bytes > 0) counts.startedOver += 1
      return await takeWhole(order, answer)
    }
    if (answer.status === 206 && rest !== undefined) {
      counts.resumed += 1
      return await takePart(order, answer, rest)
    }
    if (answer.status === 416 && rest !== undefined) return await takeEnd(order, answer, rest.from)
    throw await refusalOf(answer, 'the server')
  } finally {
    answer.body.destroy()
  }
}

interface Rest {
  readonly source: Source
  readonly from: number
}

async function askAuthorized(order: Download, rest: Rest | undefined): Promise<HttpAnswer> {
  const { url, client, authorizer, isCompressed, nonce, signal } = order
  for (;;) {
    const headers: Record<string, string> = {
      authorization: await authorizer.header(signal),
      // A range is one of the bytes as they are stored (R5).
      'accept-encoding': isCompressed ? 'zstd, gzip' : 'identity',
      ...(rest !== undefined || nonce === undefined ? {} : { 'annals-nonce': nonce }),
      ...(rest === undefined ? {} : { range: `bytes=${rest.from}-`, 'if-range': rest.source.etag ?? '' }),
    }
    const answer = await client.ask({ method: 'GET', url, headers }, signal)
    if (answer.status !== 401 || !authorizer.renew()) return answer
    answer.body.destroy()
  }
}

async function takeWhole(order: Download, answer: HttpAnswer): Promise<boolean> {
  const { coding, ...source } = readWhole(answer, order.nonce)
  await order.destination.startOver(source)
  for await (const chunk of decodedChunks(answer.body, coding)) await take(order, chunk, source.length)
  return reached(order, source.length)
}

async function takePart(order: Download, answer: HttpAnswer, { source, from }: Rest): Promise<boolean> {
  const { end, length = source.length } = readPart(answer, from, source)
  for await (const chunk of decodedChunks(answer.body, 'identity')) await take(order, chunk, end)
  reached(order, end)
  // A server may answer with less than was asked for; the next attempt asks for what follows.
  return length === undefined || length === end
}

// There is nothing behind what we have: either we have it all, or what we have is of something else.
async function takeEnd({ destination }: Download, answer: HttpAnswer, from: number): Promise<boolean> {
  if (unsatisfiedLength(answer) === from) return true
  await destination.startOver({ etag: undefined, length: undefined })
  return false
}

async function take(
  { destination, onProgress }: Download,
  chunk: Buffer,
  end: number | undefined,
): Promise<void> {
  if (end !== undefined && destination.bytes + chunk.length > end) {
    throw new Setback('the server sends more than it had announced')
  }
  await destination.write(chunk)
  onProgress?.(destination.bytes, destination.source?.length)
}

// HTTP has told us of its own cuts by now. This one is a server that promised more than it has sent.
function reached({ destination }: Download, end: number | undefined): true {
  if (end === undefined || destination.bytes === end) return true
  throw new Setback(`the answer ended at byte ${destination.bytes} of ${end}`)
}
