// Which log a path means by `{log}`: its id, or the name of its host, short or full, in any case (A2).

import type { Node } from './node.ts'

/** Whether a name means the node's own log. */
export function isNodesLog({ hostName, log }: Pick<Node, 'hostName' | 'log'>, name: string): boolean {
  const asked = name.toLowerCase()
  return asked === log.id.toLowerCase() || isSameHost(asked, hostName.toLowerCase())
}

/** The name of the host whose log has an id; what is no such id is returned as it is. */
export function hostOfLogId(log: string): string {
  return log.replace(/-[a-z2-7]{16}$/i, '')
}

// One of the two may be the other's short name (A2).
function isSameHost(a: string, b: string): boolean {
  return a === b || (!a.includes('.') && b.startsWith(`${a}.`)) || (!b.includes('.') && a.startsWith(`${b}.`))
}
