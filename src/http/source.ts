// The address that a call came from. What a proxy says of it counts only where the connection comes from a proxy that is
// trusted, and only as far as the chain of trusted proxies goes: everything before that anybody could have written.

import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Node } from './node.ts'

/** The address that a request came from. */
export function sourceOf(
  { trusts, source }: Pick<Node, 'trusts' | 'source'>,
  { raw }: Pick<FastifyRequest, 'raw'>,
): string {
  if (source !== undefined) return source
  const peer = plain(raw.socket.remoteAddress ?? 'unknown')
  return trusts === undefined ? peer : behindProxies(peer, hopsOf(raw), trusts)
}

// The nearest first.
function hopsOf({ headers }: IncomingMessage): string[] {
  const { 'x-forwarded-for': told } = headers
  const text = Array.isArray(told) ? told.join(',') : (told ?? '')
  return text === '' ? [] : text.split(',').toReversed()
}

function behindProxies(peer: string, hops: readonly string[], trusts: (address: string) => boolean): string {
  let source = peer
  for (const hop of hops) {
    if (!trusts(source)) return source
    const address = addressOf(hop)
    // What a trusted proxy passed on and is no address: that proxy is the last of whom anything is known.
    if (address === undefined) return source
    source = address
  }
  return source
}

// Some proxies add the port.
function addressOf(hop: string): string | undefined {
  const text = hop.trim()
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text) ?? []
  const [, dotted] = /^([\d.]+):\d{1,5}$/.exec(text) ?? []
  const address = plain(bracketed ?? dotted ?? text)
  return isIP(address) === 0 ? undefined : address
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}
