// S6: whatever fails to authenticate takes the same time and gets the same answer. That it does the same work is proved by
// construction in `identity.test.ts`; here is what an outsider can see, over HTTP, with passwords hashed as they really
// are.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { nameAttemptRate } from '../../src/limits.ts'
import { type Answer, ask } from '../conformance/wire.ts'
import { addAccount, startPortal, temporaryDirectory } from './portal-process.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const attempts = 2 * nameAttemptRate.burst
const password = 'Correct-horse-8'
/** The slowest kind of failure may take so much longer than the quickest: one that is not hashed would be some 20 times quicker. */
const factor = 2

test('S6: a wrong password, an unknown name, an external one and a locked account cannot be told apart', async (context) => {
  const data = join(temporaryDirectory(context), 'data')
  const args = ['--trusted-proxies', '127.0.0.1', '--lockout-failures', '1000']
  const portal = await startPortal(context, { data, args })
  const [real, locked] = [
    ['real-0', 'real-1'],
    ['locked-0', 'locked-1'],
  ]
  for (const name of [...real, ...locked]) await addAccount(context, data, { name, password }, 'user')
  lock(data, locked)
  // Of two names each, so that no limit is reached; the locked ones with the right password.
  const kinds = {
    'wrong password': (n: number) => ({ name: `real-${n % 2}`, password: `Wrong-horse-${n}` }),
    unknown: (n: number) => ({ name: `nobody-${n % 2}`, password }),
    external: (n: number) => ({ name: `ann-${n % 2}@example.com`, password }),
    locked: (n: number) => ({ name: `locked-${n % 2}`, password }),
  }
  const times = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]))
  const answers = new Set<string>()
  for (let n = 0; n < attempts; n += 1) {
    for (const [kind, credentials] of Object.entries(kinds)) {
      const headers = { 'x-forwarded-for': `198.51.100.${n}` }
      const begin = performance.now()
      const answer = await ask(portal, path, { credentials: credentials(n), headers })
      times.get(kind)?.push(performance.now() - begin)
      answers.add(textOf(answer))
    }
  }
  assert.deepEqual(
    [...answers].map((text) => text.slice(0, 3)),
    ['401'],
  )
  const medians = [...times].map(([kind, all]) => [kind, medianOf(all)] as const)
  const text = medians.map(([kind, median]) => `${kind} ${median.toFixed(1)} ms`).join(', ')
  context.diagnostic(`medians of ${attempts}: ${text}`)
  const all = medians.map(([, median]) => median)
  assert.ok(Math.max(...all) <= factor * Math.min(...all), text)
  // It is the hash that takes the time, and not whatever else is alike.
  const quick = Array.from({ length: 20 }, () => timeOf(() => ask(portal, path)))
  const unhashed = medianOf(await inTurn(quick))
  assert.ok(Math.min(...all) > 2 * unhashed, `${text}; ${unhashed.toFixed(1)} ms without a password`)
})

function lock(data: string, names: readonly string[]): void {
  const database = new DatabaseSync(join(data, 'annals.db'))
  const insert = database.prepare(
    `insert into login_failure (account, network, failures, locked_until) values (?, '', 1000, ?)`,
  )
  for (const name of names) insert.run(name, (Date.now() + 3_600_000) * 1000)
  database.close()
}

/** All of an answer but the time of day. */
function textOf({ status, rawHeaders, body }: Answer): string {
  const headers = rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)] !== 'Date')
  return JSON.stringify([String(status), headers, body.toString()]).slice(2)
}

function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function timeOf(work: () => Promise<unknown>): () => Promise<number> {
  return async () => {
    const begin = performance.now()
    await work()
    return performance.now() - begin
  }
}

async function inTurn(works: readonly (() => Promise<number>)[]): Promise<number[]> {
  const figures: number[] = []
  for (const work of works) figures.push(await work())
  return figures
}
