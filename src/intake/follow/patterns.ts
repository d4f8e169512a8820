// The files that patterns name: `*` and `?` within a name, `**` over any directories, `[…]` one of some characters. What
// has none of these is a path.

import { glob, stat } from 'node:fs/promises'
import { dirname, matchesGlob, resolve } from 'node:path'

/** True where a path is one that a pattern names. */
export function isNamedBy(pattern: string, path: string): boolean {
  return path === pattern || (isPattern(pattern) && matchesGlob(path, pattern))
}

/**
 * The paths that a pattern names and that are wanted, at most so many. One that exists as it stands names itself, whatever
 * its characters.
 */
export async function pathsNamed(
  pattern: string,
  most: number,
  isWanted: (path: string) => boolean = () => true,
): Promise<string[]> {
  const isPlain = !isPattern(pattern)
  const paths = new Set((isPlain || (await exists(pattern))) && isWanted(pattern) ? [pattern] : [])
  if (isPlain) return [...paths].slice(0, most)
  for await (const path of glob(pattern)) {
    if (paths.size >= most) break
    if (isWanted(path)) paths.add(path)
  }
  return [...paths].slice(0, most)
}

/** The deepest directory that holds all that a pattern may name. */
export function directoryOf(pattern: string): string {
  let directory = dirname(pattern)
  while (isPattern(directory)) directory = dirname(directory)
  return directory
}

/** Patterns as absolute ones, each once. */
export function absolutePatterns(patterns: readonly string[]): string[] {
  return [...new Set(patterns.map((pattern) => resolve(pattern)))]
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function isPattern(text: string): boolean {
  return /[*?[\]{}]/.test(text)
}
