// A host of the tests' own behind a link of its own: a network namespace, which only root can make. Unlike any proxy
// it can be a host that really swallows packets: no answer, no refusal, nothing.
//
//   here 10.213.X.1 ═══ veth ═══ 10.213.X.2 the host inside; at 10.213.X.9 nobody lives, but packets leave for it
//
// An address swallows packets when the neighbour table says that it is at a hardware address that nobody has: then
// there is no ARP that could fail, and every packet is dropped at the other end of the link.

import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'

/** A host behind a link. */
export interface Namespace {
  readonly name: string
  /** The address of the host inside. */
  readonly address: string
  /** Ours, as the host inside sees it. */
  readonly hostAddress: string
  /** An address that swallows every packet. */
  readonly blackHole: string
  /** What to put before a command, to start it inside. */
  readonly prefix: readonly string[]
  /** Runs a command inside to its end, and returns what it printed. */
  exec(args: readonly string[]): string
  /** From now on the link swallows every packet in either direction, also those of connections that live. */
  silence(): void
  /** Ends that. */
  restore(): void
}

/** Whether namespaces can be had: by root, with iproute2, where the system allows them. */
export function isAvailable(): boolean {
  try {
    makeLink().remove()
    return true
  } catch {
    return false
  }
}

/**
 * For the `skip` of a test that needs a namespace: a reason that is seen where there are none. In CI there must be
 * some, and the test fails for want of them.
 */
export function skipWithoutNamespaces(): string | false {
  if (process.env['CI'] === 'true' || isAvailable()) return false
  return 'NOT RUN: it makes a network namespace, which needs root and iproute2'
}

/** Makes a namespace. It goes when the test ends; what runs inside is for its starter to end. */
export function makeNamespace(context: TestContext): Namespace {
  const { name, link, net, remove } = makeLink()
  context.after(remove)
  const [hostAddress, address, blackHole] = [`${net}.1`, `${net}.2`, `${net}.9`]
  const prefix = ['ip', 'netns', 'exec', name]
  const inside = ['-n', name]
  ip('addr', 'add', `${hostAddress}/24`, 'dev', link)
  ip('link', 'set', link, 'up')
  ip(...inside, 'addr', 'add', `${address}/24`, 'dev', insideLink)
  ip(...inside, 'link', 'set', insideLink, 'up')
  ip(...inside, 'link', 'set', 'lo', 'up')
  loseAt(blackHole, link)
  return {
    name,
    address,
    hostAddress,
    blackHole,
    prefix,
    exec: (args) => run([...prefix, ...args]),
    silence: () => {
      loseAt(address, link)
      loseAt(hostAddress, insideLink, inside)
    },
    restore: () => {
      ip('neigh', 'del', address, 'dev', link)
      ip(...inside, 'neigh', 'del', hostAddress, 'dev', insideLink)
    },
  }
}

const insideLink = 'inside'
/** A hardware address of those that anybody may choose, and that nobody chose. */
const nobody = '02:00:00:00:00:09'

interface Link {
  readonly name: string
  readonly link: string
  /** The first three parts of the addresses. */
  readonly net: string
  readonly remove: () => void
}

// The namespace's name holds the number of the network: whoever makes it has the addresses, whatever runs beside.
function makeLink(): Link {
  const used = ip('-4', 'route', 'show', 'table', 'all')
  for (let attempt = 1; ; attempt++) {
    const x = randomInt(1, 255)
    const [name, net] = [`annals-test-${x}`, `10.213.${x}`]
    try {
      if (used.includes(`${net}.`)) throw new Error(`File exists: a route to ${net}.0/24`)
      ip('netns', 'add', name)
    } catch (cause) {
      if (attempt < 100 && String(cause).includes('File exists')) continue
      throw new Error('no network namespace could be made; expected root, and iproute2', { cause })
    }
    return { name, net, ...connect(name) }
  }
}

function connect(name: string): Pick<Link, 'link' | 'remove'> {
  // It goes with its other end, but only when the last process inside has ended: better at once.
  const link = name
  const remove = () => {
    ip('link', 'del', link)
    ip('netns', 'del', name)
  }
  try {
    ip('link', 'add', link, 'type', 'veth', 'peer', 'name', insideLink, 'netns', name)
  } catch (cause) {
    ip('netns', 'del', name)
    throw new Error('no link into a network namespace could be made; expected veth', { cause })
  }
  return { link, remove }
}

function loseAt(address: string, link: string, inside: readonly string[] = []): void {
  ip(...inside, 'neigh', 'replace', address, 'lladdr', nobody, 'dev', link, 'nud', 'permanent')
}

function ip(...args: readonly string[]): string {
  return run(['ip', ...args])
}

function run([command = '', ...args]: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
}
