// IP addresses and ranges of them in CIDR notation, separated by commas.

import { BlockList, isIP, isIPv4 } from 'node:net'

/** True for a list that `parseAddressRanges` reads. */
export function isAddressRanges(text: string): boolean {
  return parse(text) !== undefined
}

/** The addresses of a list. Throws a TypeError where `isAddressRanges` is false. */
export function parseAddressRanges(text: string): BlockList {
  const list = parse(text)
  if (list === undefined) throw new TypeError(`"${text}" is no list of addresses`)
  return list
}

function parse(text: string): BlockList | undefined {
  const list = new BlockList()
  for (const part of text.split(',')) {
    const [, address = '', bits] = /^([^/\s]+)(?:\/([0-9]{1,3}))?$/.exec(part.trim()) ?? []
    if (isIP(address) === 0) return undefined
    const [family, most] = isIPv4(address) ? (['ipv4', 32] as const) : (['ipv6', 128] as const)
    const prefix = bits === undefined ? most : Number(bits)
    if (prefix > most) return undefined
    list.addSubnet(address, prefix, family)
  }
  return list
}
