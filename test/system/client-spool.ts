// An application that is killed: puts events into a spool, and says of each that it is durable, one id a line.

import { openAuditTrail } from '../../client/src/audit-trail.ts'

const [url = '', directory = ''] = process.argv.slice(2)
const { CLIENT_ID: clientId = '', CLIENT_SECRET: clientSecret = '' } = process.env
const audit = openAuditTrail({
  url,
  log: 'portal-01',
  credentials: { clientId, clientSecret },
  component: 'Shop',
  spool: { directory },
  requestTimeoutMs: 1_000,
  retry: { firstMs: 5, mostMs: 100 },
  throwErrors: true,
})

let k = 0
const run = async (): Promise<never> => {
  for (;;) {
    const id = await audit.enqueue({ code: 4711, actor: 'jdoe', message: `order ${++k}`, target: 'spool' })
    process.stdout.write(`${id}\n`)
  }
}
await Promise.all(Array.from({ length: 16 }, run))
