// Accept-Encoding (RFC 9110 section 12.5.3): which coding an answer has, and which ones the caller could read.
//
// The greatest q wins. At equal q a coding that the caller names goes before identity, zstd before gzip (R5),
// and identity before a coding that only `*` allows: many a client sends `*` and can decode nothing.

/** The content codings that Annals can send. */
export type Coding = 'zstd' | 'gzip' | 'identity'

/** What a caller can read. */
export interface Acceptance {
  /** The coding to use; undefined where the caller can read none that we have (E7: 406). */
  readonly preferred: Coding | undefined
  readonly zstd: boolean
  readonly gzip: boolean
  readonly identity: boolean
}

const plain: Acceptance = { preferred: 'identity', zstd: false, gzip: false, identity: true }

/** Reads an Accept-Encoding header. Members that are not well-formed are ignored. */
export function negotiate(header: string | undefined): Acceptance {
  if (header === undefined) return plain
  const weights = parseWeights(header)
  const any = weights.get('*')
  const weigh = (coding: Coding, unnamed: number) => weights.get(coding) ?? any ?? unnamed
  const offers = [
    { coding: 'zstd' as const, q: weigh('zstd', 0), named: weights.has('zstd') },
    { coding: 'gzip' as const, q: weigh('gzip', 0), named: weights.has('gzip') },
  ]
  // Identity is always acceptable unless it is refused, and least wanted unless it is named.
  const identity = weights.get('identity') ?? (any === 0 ? 0 : undefined)
  return {
    preferred: prefer(offers, identity, any),
    zstd: weigh('zstd', 0) > 0,
    gzip: weigh('gzip', 0) > 0,
    identity: identity !== 0,
  }
}

interface Offer {
  readonly coding: Coding
  readonly q: number
  readonly named: boolean
}

function prefer(offers: readonly Offer[], identity: number | undefined, any: number | undefined) {
  const own: Offer = { coding: 'identity', q: identity ?? any ?? Number.MIN_VALUE, named: false }
  const ranked = [...offers.filter((o) => o.named), own, ...offers.filter((o) => !o.named)]
  let best: Offer | undefined
  for (const offer of ranked) if (offer.q > (best?.q ?? 0)) best = offer
  return best?.coding
}

const member = /^([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/

function parseWeights(header: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const text of header.toLowerCase().split(',')) {
    const [, name, q] = member.exec(text.trim()) ?? []
    if (name === undefined) continue
    const coding = name === 'x-gzip' ? 'gzip' : name
    if (!weights.has(coding)) weights.set(coding, q === undefined ? 1 : Number(q))
  }
  return weights
}
