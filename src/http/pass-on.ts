// A question passed on to an instance, and its answer passed back, as it comes and as it is: status, headers, bytes. What
// is only for one hop stays there, and who asked is told anew.

import type { AnswerHead, Question } from '../agora/instance-socket.ts'
import type { Caller } from '../agora/instances.ts'
import { InstanceSilent } from '../agora/silence.ts'
import type { InstanceAnswer } from '../agora/upstream.ts'
import type { AgoraNode } from './agora-node.ts'
import type { Call } from './call.ts'
import { BrokenTransfer, Outlet } from './outlet.ts'
import { routeOf } from './send.ts'
import { recordBreak, takeSlot } from './transfer.ts'

/**
 * Passes a call on, and returns when its answer is over. Throws `InstanceSilent`, and UNAVAILABLE where too many answers
 * are under way, before anything is sent; what breaks later breaks the client's connection, and is an entry (R6, S7).
 */
export async function passOn(
  agora: AgoraNode,
  call: Call,
  { instance, upstream }: Caller,
  signal: AbortSignal,
): Promise<void> {
  using outlet = new Outlet(call.reply.raw, call.request.raw.socket, agora.bounds.answerStallMs)
  // What a client asks one after the other on one connection is also asked of the instance one after the other.
  await outlet.turn()
  using _slot = takeSlot(agora)
  using answer = await upstream.ask(questionOf(call), signal)
  await agora.instances.noteAnswer(instance)
  try {
    begin(agora, call, answer)
    await passBody(agora, answer, outlet)
    await outlet.end()
  } catch (error) {
    call.reply.hijack()
    const why = breakOf(error, signal)
    if (error instanceof InstanceSilent && why !== signal.reason)
      agora.logger.warn({ err: error, instance }, brokeOff)
    // Never a clean end (R6).
    call.request.raw.socket.destroy()
    await recordBreak(agora, call, { sent: outlet.sent, bytes: answer.bytes ?? outlet.sent }, why)
  } finally {
    agora.metrics.sent(outlet.sent)
  }
}

const brokeOff = 'an instance broke off, and so did an answer'

function questionOf({ request, source }: Call): Question {
  const { headers, httpVersion, method, url = '', socket } = request.raw
  const passed = passedHeaders.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  const isOld = httpVersion === '1.0'
  return {
    method: method === 'HEAD' ? 'HEAD' : 'GET',
    target: targetOf(url),
    headers: {
      ...Object.fromEntries(passed),
      // A client of HTTP/1.0 cannot read chunks, and could not tell the end of the rest from a break (R5, R6).
      ...(isOld ? { 'accept-encoding': 'identity' } : {}),
      via: `${httpVersion} annals-agora`,
      'x-forwarded-for': source,
      'x-forwarded-proto': 'encrypted' in socket ? 'https' : 'http',
    },
  }
}

// The rest of what a client says is for the gateway, or for nobody.
const passedHeaders = [
  'authorization',
  'accept',
  'accept-encoding',
  'range',
  'annals-nonce',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'user-agent',
] as const

// Of a target in absolute form (RFC 9112 section 3.2.2), what an instance is asked.
function targetOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?]*/i, '')
}

function begin(agora: AgoraNode, call: Call, { status, rawHeaders }: AnswerHead): void {
  call.reply.hijack()
  agora.metrics.answered(routeOf(call.request), status)
  call.reply.raw.writeHead(status, ['Via', '1.1 annals-agora', ...passedBack(rawHeaders)])
}

function passedBack(rawHeaders: readonly string[]): string[] {
  const fields = rawHeaders.flatMap((name, k) =>
    k % 2 === 0 ? [[name, rawHeaders[k + 1] ?? ''] as const] : [],
  )
  const named = fields.flatMap(([name, value]) =>
    name.toLowerCase() === 'connection' ? value.toLowerCase().split(/ *, */) : [],
  )
  const hopByHop = new Set([...ownHop, ...named])
  return fields
    .filter(([name, value]) => !hopByHop.has(name.toLowerCase()) && !isBasicChallenge(name, value))
    .flat()
}

const ownHop = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
  'proxy-connection',
]

// An instance may offer it, the gateway never does (E5).
function isBasicChallenge(name: string, value: string): boolean {
  return name.toLowerCase() === 'www-authenticate' && /^basic /i.test(value)
}

// While one buffer is written, the next bytes come into the other.
async function passBody({ buffers }: AgoraNode, answer: InstanceAnswer, outlet: Outlet): Promise<void> {
  if (answer.isOver) return
  let [front, back] = [buffers.lend(), buffers.lend()]
  for (let ready = await answer.read(front); ready > 0;) {
    const [written, filled] = await Promise.allSettled([
      outlet.write(front.subarray(0, ready)),
      answer.read(back),
    ])
    if (written.status === 'rejected') throw written.reason
    if (filled.status === 'rejected') throw filled.reason
    ready = filled.value
    ;[front, back] = [back, front]
  }
  // Only now: from the buffers of a broken answer the kernel may still be sending.
  buffers.giveBack(front)
  buffers.giveBack(back)
}

function breakOf(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof BrokenTransfer) return error
  // Where the client left first, the connection to the instance was ended for that.
  if (signal.aborted) return signal.reason
  return error instanceof InstanceSilent ? new BrokenTransfer('instance') : error
}
