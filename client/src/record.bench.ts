// What `record` costs its caller: CPU of the whole process for each event, under load, with the server in another process.
// Run it with an address, or without for a server that answers at once: `node client/src/record.bench.ts [events]`.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openAuditTrail } from './audit-trail.ts'

/** What was measured. */
interface Figures {
  readonly events: number
  readonly microsecondsEach: number
  readonly eventsPerSecond: number
}

/** Records events with so many under way at a time, and says what that cost. */
async function measure(url: string, events: number, underWay: number): Promise<Figures> {
  const audit = openAuditTrail({ url, log: 'portal-01', credentials: { user: 'app', password: 'x' } })
  const runs = async (count: number): Promise<void> => {
    for (let k = 0; k < count; k++) {
      const receipt = await audit.record({
        code: 20101,
        actor: 'jdoe',
        session: `s-${k}`,
        sourceAddress: '192.0.2.17',
        details: { device: 'laptop-4711', attempt: k },
      })
      if (receipt === undefined) throw new Error('not recorded')
    }
  }
  await Promise.all(Array.from({ length: underWay }, () => runs(200)))
  const [cpu, began] = [process.cpuUsage(), performance.now()]
  await Promise.all(Array.from({ length: underWay }, () => runs(events / underWay)))
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - began) / 1000
  await audit.close()
  return { events, microsecondsEach: (user + system) / events, eventsPerSecond: Math.round(events / seconds) }
}

// A server that reads as little as it must: it counts lines.
function serve(): void {
  const result = (index: number) =>
    `{"id":"0190a000-0000-7000-8000-000000000001","log":"portal-01-abcdefghijklmnop","position":${index},` +
    `"time":"2026-01-31T12:00:00.123456Z","new":true,"index":${index}}\n`
  const results = Array.from({ length: 500 }, (_, index) => result(index))
  const server = createServer((request, response) => {
    let lines = 0
    request.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1
    })
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/x-ndjson')
      response.end(results.slice(0, lines).join(''))
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}

if (import.meta.main && process.argv[2] === 'serve') serve()
else if (import.meta.main) {
  const child = fork(import.meta.filename, ['serve'])
  const [port] = (await once(child, 'message')) as [number]
  const events = Number(process.argv[2] ?? 200_000)
  for (const underWay of [64, 1_000]) {
    process.stdout.write(`${JSON.stringify(await measure(`http://127.0.0.1:${port}`, events, underWay))}\n`)
  }
  child.kill()
}
