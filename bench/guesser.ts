// Guesses passwords at an even pace, in a process of its own: each for another name and from another address, as a proxy
// would tell it. Waits for no answer before it goes on.

import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { type Protocol, serveTask } from './helper-process.ts'

/** What it is told, and that it has begun. */
export interface Guessing extends Protocol {
  readonly task: { readonly url: string; readonly path: string; readonly attemptsASecond: number }
  readonly reply: { readonly attemptsASecond: number }
}

serveTask<Guessing>(async ({ url, path, attemptsASecond }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const begin = performance.now()
  let made = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1000) * attemptsASecond)
    for (; made < due; made += 1) guess(agent, `${url}${path}`)
  }, 5)
  const stop = async () => {
    clearInterval(timer)
    agent.destroy()
  }
  return { reply: { attemptsASecond }, stop }
})

function guess(agent: Agent, url: string): void {
  const [a = 1, b = 1, c = 1] = randomBytes(3)
  const credentials = `guest-${randomBytes(6).toString('hex')}:${randomBytes(9).toString('base64url')}-A1`
  const headers = {
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
    'x-forwarded-for': `100.${a}.${b}.${c}`,
  }
  const sent = request(url, { agent, headers }, (answer) => {
    if (answer.statusCode !== 401 && answer.statusCode !== 429)
      throw new Error(`a wrong password is answered with ${answer.statusCode}`)
    answer.resume()
  })
  // Those that are under way when it ends.
  sent.on('error', () => undefined)
  sent.end()
}
