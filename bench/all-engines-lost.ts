// One of all engines swallows what it is sent. Whoever asks for all of them must be told within the time that is
// configured, and not much later. What is measured against is that time.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { manyEngines } from './all-engines.ts'
import { administrator } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { transfer } from './curl.ts'
import { enginesLogPath, startFederation } from './federation.ts'
import { against, measureInRounds } from './harness.ts'
import { logEndDate } from './make-log.ts'

const timeoutSeconds = 2

/** All of 100 engines, one of which swallows packets. */
export const allEnginesLost: Benchmark = {
  name: 'all-engines-lost',
  title: 'all of 100 engines, one of which swallows packets, against the configured timeout',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const engines = await manyEngines(context)
  const lost = engines.at(-1)?.hostName ?? ''
  await using hole = await startHole()
  await using federation = await startFederation({
    portal: join(context.directory, 'portals', 'lost'),
    portalFlags: ['--engine-timeout-seconds', String(timeoutSeconds)],
    engines,
    elsewhere: { hostNames: [lost], address: hole.address },
  })
  const url = `${federation.portal.url}${enginesLogPath}?before_date=${logEndDate}`
  const measured = await measureInRounds(
    [
      {
        name: `${engines.length} engines, one lost`,
        measure: async () => (await transfer(url, { user: administrator, status: 500 })).seconds,
      },
    ],
    { ...context, unit: 's' },
  )
  const [ours] = measured
  if (ours === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [against('time to the 500 / the timeout', ours.figures, timeoutSeconds, 1.1)],
    notes: [
      `--engine-timeout-seconds ${timeoutSeconds}. The lost engine has joined with an address at which TCP connects, and whatever is sent is read by nobody and never answered. The time is that of the whole answer, by curl, connecting included.`,
    ],
  }
}

// The system accepts for it; nothing is read, and nothing is said.
async function startHole(): Promise<AsyncDisposable & { readonly address: string }> {
  const swallowed = new Set<Socket>()
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    swallowed.add(socket)
    socket.on('error', () => undefined).on('close', () => swallowed.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return {
    address: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of swallowed) socket.destroy()
      await once(server, 'close')
    },
  }
}
