// What somebody would write who keeps an audit trail in PostgreSQL: one small endpoint with fastify, the schema of an
// event checked, one INSERT for each, and COPY for newline-delimited JSON. In a process of its own, as Annals is. It
// asks nobody who they are, knows no catalogue and no message templates, and proves nothing afterwards.

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import fastify from 'fastify'
import postgres from 'postgres'
import { type Protocol, serveTask } from '../helper-process.ts'

/** Where its database is, and how many connections it may have; where it listens. */
export interface PostgresRecording extends Protocol {
  readonly task: { readonly socketDirectory: string; readonly port: number; readonly pool: number }
  readonly reply: { readonly url: string; readonly pid: number }
}

/** Where it takes single events in. */
export const peerPath = '/events'
/** Where it copies newline-delimited events straight into the table, and answers with their number. */
export const peerCopyPath = '/events/copy'
/** Where it copies them beside the table first, so that known ids do not spoil the rest, and answers each one. */
export const peerNdjsonPath = '/events/ndjson'

interface Event {
  readonly id: string
  readonly code: number
  readonly component: string
  readonly actor: string
  readonly session: string
  readonly sourceAddress: string
  readonly details: Record<string, string>
}

const text = { type: 'string' } as const
const schema = {
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['id', 'code', 'actor'],
    properties: {
      id: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' },
      code: { type: 'integer' },
      component: text,
      actor: text,
      session: text,
      sourceAddress: text,
      details: { type: 'object', additionalProperties: text },
    },
  },
  response: {
    '2xx': { type: 'object', properties: { id: text, time: text, new: { type: 'boolean' } } },
  },
} as const

const copiedBytes = 64 * 1024
const answeredRows = 1_000

serveTask<PostgresRecording>(async ({ socketDirectory, port, pool }) => {
  const sql = postgres({ host: socketDirectory, port, username: 'postgres', database: 'postgres', max: pool })
  const app = fastify({ bodyLimit: 1024 * 1024 })
  app.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload))
  app.post<{ Body: Event }>(peerPath, { schema }, async ({ body }, reply) => {
    const { id, code, actor, ...rest } = body
    const [row] = await sql<{ time: Date }[]>`
      insert into events (id, code, actor, message, event)
      values (${id}, ${code}, ${actor}, ${messageOf(body)}, ${sql.json(rest)})
      on conflict (id) do nothing returning time`
    reply.code(row === undefined ? 200 : 201)
    return { id, time: row?.time.toISOString() ?? '', new: row !== undefined }
  })
  app.post<{ Body: AsyncIterable<Buffer> }>(peerCopyPath, async (request) => {
    const isValid = request.compileValidationSchema(schema.body)
    const copy = await sql`copy events (id, code, actor, message, event) from stdin`.writable()
    return { copied: await copyLines(request.body, copy, isValid) }
  })
  app.post<{ Body: AsyncIterable<Buffer> }>(peerNdjsonPath, async (request, reply) => {
    const isValid = request.compileValidationSchema(schema.body)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' })
    await sql.begin((inner) => copyAndAnswer(inner, request.body, reply.raw, isValid))
    reply.raw.end()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const stop = async () => {
    await app.close()
    await sql.end()
  }
  return { reply: { url, pid: process.pid }, stop }
})

// What is not committed in the end has been answered too soon, but the answer is then cut off.
async function copyAndAnswer(
  sql: postgres.TransactionSql,
  body: AsyncIterable<Buffer>,
  answer: ServerResponse,
  isValid: (event: unknown) => boolean,
): Promise<void> {
  await sql`create temporary table incoming (like events including defaults) on commit drop`
  const copy = await sql`copy incoming (id, code, actor, message, event) from stdin`.writable()
  await copyLines(body, copy, isValid)
  const inserted = sql<{ id: string; time: Date }[]>`
    insert into events select * from incoming on conflict (id) do nothing returning id, time`
  for await (const rows of inserted.cursor(answeredRows)) {
    const lines = rows.map(({ id, time }) => `${JSON.stringify({ id, time, new: true })}\n`).join('')
    if (!answer.write(lines)) await once(answer, 'drain')
  }
}

async function copyLines(
  body: AsyncIterable<Buffer>,
  copy: NodeJS.WritableStream,
  isValid: (event: unknown) => boolean,
): Promise<number> {
  let [count, rest, rows] = [0, '', '']
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) rows += rowOf(line, isValid)
    count += lines.length
    if (rows.length < copiedBytes) continue
    if (!copy.write(rows)) await once(copy, 'drain')
    rows = ''
  }
  const finished = once(copy, 'finish')
  copy.end(rows)
  await finished
  return count
}

// A line of COPY's text format. What JSON.stringify gives holds no tab and no newline, but backslashes.
function rowOf(line: string, isValid: (event: unknown) => boolean): string {
  const event = JSON.parse(line) as Event
  if (!isValid(event)) throw new Error('an event is not as the schema says')
  const { id, code, actor, ...rest } = event
  return `${id}\t${code}\t${escaped(actor)}\t${escaped(messageOf(event))}\t${escaped(JSON.stringify(rest))}\n`
}

function messageOf({ component, code, actor, session }: Event): string {
  return `[${component}|LOGIN|${code}|${actor}] User account logged with session id ${session}`
}

function escaped(value: string): string {
  return /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, (found) => escapes[found] ?? found) : value
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
