// Whom somebody trusts (C2SP tlog-policy): logs, witnesses, and how many of them it takes.

import { type NoteKey, parseVkey, signatureTypes } from './note-key.ts'

/** A log that is named, and where it is. */
export interface NamedKey {
  readonly key: NoteKey
  readonly url: string | undefined
}

/** Witnesses and groups under one name: `of` says how many of the members it takes. A witness has none. */
type Member = { readonly key: NoteKey } | { readonly takes: number; readonly of: readonly string[] }

/** A policy. */
export interface Policy {
  readonly logs: readonly NamedKey[]
  readonly witnesses: readonly NamedKey[]
  /** True where these witnesses are enough. */
  readonly isQuorum: (cosigned: readonly NoteKey[]) => boolean
  /** True where no witness is asked for. */
  readonly isNone: boolean
}

/** What is wrong with a policy, and in which line. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly line: number

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.line = line
  }
}

/** Reads a policy. Throws `PolicyError`. */
export function parsePolicy(text: string): Policy {
  const reader = new Reader()
  for (const [k, line] of text.split('\n').entries()) reader.read(k + 1, line)
  return reader.end()
}

class Reader {
  readonly #logs: NamedKey[] = []
  readonly #witnesses: NamedKey[] = []
  readonly #members = new Map<string, Member>()
  readonly #used = new Set<string>()
  #quorum: string | undefined
  #line = 0

  read(number: number, line: string): void {
    this.#line = number
    // oxlint-disable-next-line no-control-regex
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(line))
      this.#fail('a control character; expected tabs and newlines only')
    const [keyword, ...words] = line.split(/[ \t]+/).filter((word) => word !== '')
    if (keyword === undefined || keyword.startsWith('#')) return
    if (keyword === 'log') this.#readLog(words)
    else if (keyword === 'witness') this.#readWitness(words)
    else if (keyword === 'group') this.#readGroup(words)
    else if (keyword === 'quorum') this.#readQuorum(words)
    else this.#fail(`"${keyword}" is not known: expected log, witness, group or quorum`)
  }

  end(): Policy {
    const quorum = this.#quorum
    if (quorum === undefined)
      return this.#fail('the quorum is missing: expected a line such as "quorum none"')
    return {
      logs: this.#logs,
      witnesses: this.#witnesses,
      isNone: quorum === none,
      isQuorum: (cosigned) => quorum === none || this.#holds(quorum, cosigned),
    }
  }

  #readLog(words: readonly string[]): void {
    const [vkey = '', url, ...rest] = words
    if (rest.length > 0) this.#fail('too many words: expected "log VKEY [URL]"')
    this.#logs.push({ key: this.#keyOf(vkey, logTypes, this.#logs), url })
  }

  #readWitness(words: readonly string[]): void {
    const [name = '', vkey = '', url, ...rest] = words
    if (rest.length > 0) this.#fail('too many words: expected "witness NAME VKEY [URL]"')
    const key = this.#keyOf(vkey, witnessTypes, this.#witnesses)
    this.#define(name, { key })
    this.#witnesses.push({ key, url })
  }

  #readGroup(words: readonly string[]): void {
    const [name = '', how = '', ...of] = words
    if (of.length === 0) this.#fail('expected "group NAME all|any|K MEMBER…"')
    for (const member of of) this.#use(member)
    const takes = how === 'all' ? of.length : how === 'any' ? 1 : /^[1-9][0-9]*$/.test(how) ? Number(how) : 0
    if (takes < 1 || takes > of.length)
      this.#fail(`"${how}": expected all, any, or a number from 1 to ${of.length}`)
    this.#define(name, { takes, of })
  }

  #readQuorum(words: readonly string[]): void {
    const [name = '', ...rest] = words
    if (rest.length > 0) this.#fail('too many words: expected "quorum NAME"')
    if (this.#quorum !== undefined) this.#fail('a second quorum')
    if (name !== none && !this.#members.has(name)) this.#fail(`"${name}" is not defined above`)
    this.#quorum = name
  }

  #keyOf(vkey: string, types: readonly number[], before: readonly NamedKey[]): NoteKey {
    const key = parseVkey(vkey)
    if (key === undefined || !types.includes(key.type))
      return this.#fail('this is no key of the kind that is expected here')
    if (before.some((other) => other.key.publicKey.equals(key.publicKey)))
      this.#fail('this key stands above already')
    return key
  }

  #define(name: string, member: Member): void {
    if (name === none || this.#members.has(name)) this.#fail(`"${name}" stands for something else already`)
    this.#members.set(name, member)
  }

  #use(name: string): void {
    if (!this.#members.has(name)) this.#fail(`"${name}" is not defined above`)
    if (this.#used.has(name)) this.#fail(`"${name}" is a member already`)
    this.#used.add(name)
  }

  #holds(name: string, cosigned: readonly NoteKey[]): boolean {
    const member = this.#members.get(name)
    if (member === undefined) return false
    if ('key' in member)
      return cosigned.some(({ id, name }) => id === member.key.id && name === member.key.name)
    return member.of.filter((each) => this.#holds(each, cosigned)).length >= member.takes
  }

  #fail(message: string): never {
    throw new PolicyError(this.#line, message)
  }
}

const none = 'none'
const logTypes: readonly number[] = [signatureTypes.ed25519, signatureTypes.mlDsa44]
const witnessTypes: readonly number[] = [signatureTypes.ed25519Cosignature, signatureTypes.mlDsa44]
