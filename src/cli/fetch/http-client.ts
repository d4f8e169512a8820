// The HTTP client: asks, never follows a redirect, and tells a server that cannot be believed from one that cannot be
// reached. It is loaded only when something is fetched, so that other commands start without it.

import type { Dispatcher } from 'undici'
import { AnnalsError } from '../../errors.ts'
import { fetchConnectMs, fetchStillMs } from '../../limits.ts'
import { annalsVersion } from '../../ops/version.ts'
import { errorCode } from '../../store/disk.ts'
import { HttpBody } from './http-body.ts'
import { connectionSetback } from './setback.ts'

/** A question. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer, from when its head is there. */
export interface HttpAnswer {
  readonly status: number
  /** A header's value; several of one name are joined. */
  header(name: string): string | undefined
  readonly body: HttpBody
}

/** A client. Dispose of it to close its connections, at once. */
export interface HttpClient extends AsyncDisposable {
  /** Throws a `Setback` where there is no answer, and UNAUTHENTICATED where TLS does not hold. */
  ask(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer>
}

/** What a client may be given. */
export interface HttpClientOptions {
  /** PEM: the only authorities to trust, instead of the system's. */
  readonly ca?: string | undefined
  readonly connectMs?: number
  /** How long the server may send nothing. */
  readonly stillMs?: number
}

/** Makes a client. */
export async function openHttpClient({
  ca,
  connectMs = fetchConnectMs,
  stillMs = fetchStillMs,
}: HttpClientOptions): Promise<HttpClient> {
  const { Agent } = await import('undici')
  const dispatcher = new Agent({
    // One protocol, whose ways to break off are known and tested.
    allowH2: false,
    connect: { timeout: connectMs, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: stillMs,
    bodyTimeout: stillMs,
  })
  const userAgent = `annals/${annalsVersion()}`
  return {
    ask({ method, url, headers, body = null }, signal) {
      const { origin, pathname, search } = new URL(url)
      const allHeaders = { 'user-agent': userAgent, ...headers }
      const options = { origin, path: pathname + search, method, headers: allHeaders, body }
      return exchange(dispatcher, options, signal).catch(refuse)
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}

// The signal ends the wait at once, also where there is no connection yet that could be broken.
function exchange(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let body: HttpBody | undefined
    let controller: Dispatcher.DispatchController | undefined
    const onAbort = () => {
      const reason = signal.reason as Error
      controller?.abort(reason)
      end(reason)
    }
    const end = (error?: Error) => {
      signal.removeEventListener('abort', onAbort)
      body?.end(error)
      if (error !== undefined) reject(error)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    dispatcher.dispatch(options, {
      onRequestStart(started) {
        controller = started
        if (signal.aborted) controller.abort(signal.reason as Error)
      },
      onResponseStart(source, status, headers) {
        // 1xx comes before the answer.
        if (status < 200) return
        body = new HttpBody(source)
        resolve({ status, header: (name) => valueOf(headers, name), body })
      },
      onResponseData: (_source, chunk) => body?.push(chunk),
      onResponseEnd: () => end(),
      onResponseError: (_source, error) => end(error),
    })
  })
}

function valueOf(headers: Readonly<Record<string, string | string[] | undefined>>, name: string) {
  const value = headers[name.toLowerCase()]
  return typeof value === 'string' ? value : value?.join(', ')
}

function refuse(error: unknown): never {
  if (!distrust.test(errorCode(error) ?? '')) throw connectionSetback(error)
  const message = error instanceof Error ? error.message : String(error)
  throw new AnnalsError(
    'UNAUTHENTICATED',
    `the server cannot be trusted: ${message.split('\n', 1)[0]}; where its certificate is a private one, ` +
      'name the authority that issued it with --ca-file',
    { cause: error },
  )
}

// OpenSSL's names for a certificate that does not hold, and for what is no TLS at all: no attempt changes either.
const distrust = /CERT|LEAF_SIGNATURE|HOSTNAME_MISMATCH|WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|HANDSHAKE/
