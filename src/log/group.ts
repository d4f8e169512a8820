// Several events that are recorded together or not at all.

import type { Draft } from '../entry/event.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { groupBytes, groupEntries } from '../limits.ts'

/** The bytes of a group's lines at the most, newlines included. Throws BODY_TOO_LARGE where it is no group any more. */
export function bytesOfGroup(drafts: readonly Draft[]): number {
  const bytes = drafts.reduce((sum, draft) => sum + draft.bytes + 1, 0)
  if (drafts.length <= groupEntries && bytes <= groupBytes) return bytes
  throw new AnnalsError(
    'BODY_TOO_LARGE',
    `at most ${groupEntries} events of ${groupBytes} bytes in all can be recorded together or not at all; these are ` +
      `${drafts.length} of ${bytes} bytes`,
  )
}

/** Does `work` for each of a group, in order. Throws all that were refused as one refusal, each with its index. */
export async function forEach<T, R>(
  group: readonly T[],
  work: (each: T) => R | Promise<R>,
): Promise<Awaited<R>[]> {
  const done: Awaited<R>[] = []
  const refusals: AnnalsError[] = []
  let index = 0
  for (const each of group) {
    try {
      // Thousands a second: what has not to be waited for is not.
      const result = work(each)
      done.push(result instanceof Promise ? await result : (result as Awaited<R>))
    } catch (error) {
      if (!isAnnalsError(error)) throw error
      refusals.push(new AnnalsError(error.code, error.message, { index, cause: error }))
    }
    index += 1
  }
  const [first] = refusals
  if (first === undefined) return done
  throw new AnnalsError(first.code, first.message, { each: refusals, cause: first.cause })
}
