// Runs the engine room of `annals fetch` without its command line: real HTTP, a destination, and no waiting.

import type { Destination } from '../destination.ts'
import { download, type DownloadAccount } from '../download.ts'
import { openHttpClient } from '../http-client.ts'
import { Patience } from '../patience.ts'
import type { Authorizer } from '../authorizer.ts'

/** What a test wants otherwise. */
export interface Fetching {
  readonly url: string
  readonly destination: Destination
  readonly retries?: number
  readonly isCompressed?: boolean
  readonly authorizer?: Authorizer
  readonly stillMs?: number
  readonly signal?: AbortSignal
}

/** A patience that never pauses. */
export class Hasty extends Patience {
  override after(bytes: number, retryAfterMs: number | undefined): ReturnType<Patience['after']> {
    const verdict = super.after(bytes, retryAfterMs)
    return 'givenUp' in verdict ? verdict : { pauseMs: 0 }
  }
}

/** Downloads; returns how it went and every setback on the way. */
export async function fetching({
  url,
  destination,
  retries = 3,
  isCompressed = false,
  authorizer = { header: () => Promise.resolve('Basic eA=='), renew: () => false },
  stillMs = 10_000,
  signal = new AbortController().signal,
}: Fetching): Promise<DownloadAccount & { readonly setbacks: readonly string[] }> {
  await using client = await openHttpClient({ stillMs })
  await using _destination = destination
  const setbacks: string[] = []
  const account = await download({
    url,
    client,
    authorizer,
    destination,
    isCompressed,
    patience: new Hasty(retries, () => 0),
    signal,
    onSetback: (reason) => void setbacks.push(reason),
  })
  return { ...account, setbacks }
}
