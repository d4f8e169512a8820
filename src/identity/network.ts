// The network that an address belongs to, as far as whoever is there counts as one: an IPv4 address by itself, the /64 of
// an IPv6 address, because its owner has all of that, and the machine itself.

import { isIPv4, isIPv6 } from 'node:net'

/** The machine itself. */
export const loopback = 'loopback'

/** All networks that an account is not known to sign in from. */
export const elsewhere = ''

/** The network of an address. What is no address is a network of its own. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '')
  if (isIPv4(plain)) return plain.startsWith('127.') ? loopback : plain
  if (!isIPv6(plain)) return plain
  return isLoopbackV6(plain) ? loopback : `${prefix64(plain)}::/64`
}

function isLoopbackV6(address: string): boolean {
  return groupsOf(address).every((group, place) => group === (place === 7 ? 1 : 0))
}

function prefix64(address: string): string {
  return groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')
}

// All eight groups of an IPv6 address (RFC 4291 section 2.2).
function groupsOf(address: string): number[] {
  const [before = '', after] = dotted(address).split('::')
  const first = groups(before)
  if (after === undefined) return first
  const last = groups(after)
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

// An address may end in the dotted form of IPv4.
function dotted(address: string): string {
  const [, rest = '', a = '', b = '', c = '', d = ''] =
    /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address) ?? []
  if (rest === '') return address
  return `${rest}${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`
}
