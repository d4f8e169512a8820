// An application that records with the client library, in a process of its own: what it uses of the CPU is the library's, and
// that of an event that it makes up.

import { openAuditTrail } from '../client/src/audit-trail.ts'
import type { Client } from './annals.ts'
import { type Protocol, serveTask } from './helper-process.ts'

/** What it records, and what that took. */
export interface Application extends Protocol {
  readonly task: {
    readonly url: string
    readonly log: string
    readonly client: Client
    readonly count: number
    /** Callers that wait for a receipt at the same time. */
    readonly concurrent: number
  }
  readonly reply: { readonly cpuMicros: number; readonly rate: number }
}

serveTask<Application>(async ({ url, log, client, count, concurrent }) => {
  const credentials = { clientId: client.id, clientSecret: client.secret }
  const audit = openAuditTrail({ url, log, credentials, throwErrors: true })
  const record = async (events: number) => {
    let next = 0
    const caller = async () => {
      while (next < events) {
        const k = next++
        const receipt = await audit.record({
          code: 20101,
          component: 'Portal',
          actor: `account-${k % 5_000}`,
          session: `session-${k}`,
        })
        if (receipt === undefined) throw new Error('an event was not recorded')
      }
    }
    await Promise.all(Array.from({ length: concurrent }, caller))
  }
  await record(count / 10)
  const [begin, before] = [performance.now(), process.cpuUsage()]
  await record(count)
  const { user, system } = process.cpuUsage(before)
  const rate = count / ((performance.now() - begin) / 1000)
  return { reply: { cpuMicros: (user + system) / count, rate }, stop: () => audit.close() }
})
