// Where a node listens: `HOST:PORT`, with an IPv6 address in brackets, as in URLs.

import { BlockList, isIP, isIPv6 } from 'node:net'
import { isHostName } from '../entry/host-name.ts'

/** An address to listen at. Port 0 stands for any free one. */
export interface Listen {
  /** An IP address without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

/** Reads `HOST:PORT`; undefined where it is no such thing. */
export function parseListen(text: string): Listen | undefined {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const [, bracketed, bare, digits] = match
  const host = bracketed ?? bare ?? ''
  const port = Number(digits)
  if (port > 65_535) return undefined
  if (bracketed === undefined ? !isHostName(host) && isIP(host) === 0 : !isIPv6(host)) return undefined
  return { host, port }
}

/** The inverse of `parseListen`. */
export function formatListen({ host, port }: Listen): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** Where a listener is reached from this machine: one that listens at every address, at loopback. */
export function reachedLocally({ host, port }: Listen): Listen {
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port }
}

/** True where only programs of the same machine can reach an address (RFC 6890, RFC 6761 section 6.3). */
export function isLoopback(host: string): boolean {
  const version = isIP(host)
  if (version === 0) return /^(?:.+\.)?localhost\.?$/i.test(host)
  return loopback().check(host, version === 6 ? 'ipv6' : 'ipv4')
}

function loopback(): BlockList {
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('::1', 'ipv6')
  return list
}
