// Where an engine listens for its portal: `HOST:PORT`, with an IPv6 address in brackets, as in URLs.

import { isIPv6 } from 'node:net'
import { isHostName } from '../entry/host-name.ts'

/** An address that can be called. */
export interface EngineAddress {
  /** A host name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
}

/** Reads `HOST:PORT`; undefined where it is no such thing, or nothing that another machine could call. */
export function parseAddress(text: string): EngineAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([1-9][0-9]{0,4})$/.exec(text)
  if (match === null) return undefined
  const [, bracketed, bare = '', digits] = match
  const [host, port] = [bracketed ?? bare, Number(digits)]
  const isHost = bracketed === undefined ? isHostName(host) : isIPv6(host)
  return isHost && port <= 65_535 && !anywhere.has(host) ? { host, port } : undefined
}

/** What a listener says that listens at every address. Nobody can be called there. */
const anywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
