// The client library as a sender of the soak: it repeats by itself what it was not told of.

import { openAuditTrail } from '../../client/src/audit-trail.ts'
import type { Client } from '../annals.ts'
import type { Source } from './ledger.ts'
import { eventOf, type Tally, tell } from './senders.ts'

/** Records through the library, so many at the same time. */
export async function sendWithLibrary(
  { url, log, client }: { readonly url: string; readonly log: string; readonly client: Client },
  source: Source,
  { signal, tally }: { readonly signal: AbortSignal; readonly tally: Tally },
): Promise<void> {
  const audit = openAuditTrail({
    url,
    log,
    credentials: { clientId: client.id, clientSecret: client.secret },
    onError: ({ code }) => tell(tally, `library: ${code}`),
    giveUpAfterMs: Infinity,
  })
  const workers = Array.from({ length: concurrentRecords }, async () => {
    while (!signal.aborted) {
      const number = source.next()
      const receipt = await audit.record(eventOf(source, number))
      if (receipt === undefined) continue
      if (receipt.id !== source.idOf(number)) throw new Error(`another id was answered: ${receipt.id}`)
      source.acknowledged(number, receipt.position, receipt.new)
    }
  })
  try {
    await Promise.all(workers)
  } finally {
    await audit.close()
  }
}

const concurrentRecords = 128
