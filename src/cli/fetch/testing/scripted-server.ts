// A server of the tests' own that answers as it is told, faults included: each request is answered by the next step of
// a script, and the last step again and again.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** One answer. */
export type Step = (request: IncomingMessage, response: ServerResponse) => void

/** The server, and what it was asked. */
export interface ScriptedServer {
  readonly url: string
  readonly requests: readonly IncomingMessage[]
}

/** Starts it at a free port of loopback. It is closed, whatever is under way, when the test is over. */
export async function startScriptedServer(
  context: TestContext,
  ...script: readonly Step[]
): Promise<ScriptedServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const step = script[Math.min(requests.length, script.length - 1)]
    requests.push(request)
    request.resume()
    step?.(request, response)
  })
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** A log of `lines` lines. */
export function logText(lines: number): string {
  return Array.from({ length: lines }, (_, k) => `entry ${k} of a log that is long enough to be cut\n`).join(
    '',
  )
}

/** Answers as the contract has it: whole, or a part of the same log (R2, R4). */
export function whole(log: string, headers: Readonly<Record<string, string>> = { etag: '"one"' }): Step {
  return (request, response) => answer(request, response, log, headers, Buffer.byteLength(log))
}

/** The same, but the connection breaks after `bytes` bytes of the body. */
export function cut(
  log: string,
  bytes: number,
  headers: Readonly<Record<string, string>> = { etag: '"one"' },
): Step {
  return (request, response) => answer(request, response, log, headers, bytes)
}

/** A refusal with a JSON array. */
export function refusal(
  status: number,
  elements: readonly object[],
  headers: Readonly<Record<string, string>> = {},
): Step {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(elements))
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  log: string,
  headers: Readonly<Record<string, string>>,
  bytes: number,
): void {
  const all = Buffer.from(log)
  const { range, 'if-range': ifRange } = request.headers
  const start = /^bytes=(\d+)-$/.exec(range ?? '')?.[1]
  const isPart = start !== undefined && ifRange === headers['etag']
  const body = isPart ? all.subarray(Number(start)) : all
  const contentRange = { 'content-range': `bytes ${start}-${all.length - 1}/${all.length}` }
  response.writeHead(isPart ? 206 : 200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.length,
    ...(isPart ? contentRange : {}),
    ...headers,
  })
  if (bytes >= body.length) return void response.end(body)
  response.write(body.subarray(0, bytes), () => setImmediate(() => response.destroy()))
}
