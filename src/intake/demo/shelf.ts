// The things of one kind that administrators make, change and remove (roles, profiles, alerts), so that nothing is
// changed before it was made or after it was removed.

import type { Chance } from './chance.ts'

/** What is there, and what may come. */
export interface Shelf {
  /** Names that are there from the start and stay. */
  readonly names: readonly string[]
  /** Names to add, in this order. */
  readonly spare: readonly string[]
}

/** What became of a thing. */
export interface ShelfChange {
  readonly change: 'added' | 'updated' | 'removed'
  readonly name: string
}

/** A function that gives one change after the other, each possible after those before it. */
export function changesOf({ names, spare }: Shelf, chance: Chance): () => ShelfChange {
  const added: string[] = []
  let next = 0
  return () => {
    const fresh = spare[next]
    if (fresh !== undefined && chance.happens(0.2)) {
      next += 1
      added.push(fresh)
      return { change: 'added', name: fresh }
    }
    if (added.length > 0 && chance.happens(0.1)) {
      const name = chance.pick(added)
      added.splice(added.indexOf(name), 1)
      return { change: 'removed', name }
    }
    return { change: 'updated', name: chance.pick([...names, ...added]) }
  }
}
