// The files that patterns name: `*` and `?` within a name, `**` over any directories, `[…]` one of some characters. What
// has none of these is a path.

import { glob } from 'node:fs/promises'
import { matchesGlob, resolve } from 'node:path'
import { isCompressed } from './rotated.ts'

/** True where a path is one that a pattern names. */
export function isNamedBy(pattern: string, path: string): boolean {
  return path === pattern || (isPattern(pattern) && matchesGlob(path, pattern))
}

/** The paths that there are, each once. What cannot be looked into has none; `most` bounds them. */
export async function pathsNamed(patterns: readonly string[], most: number): Promise<string[]> {
  const paths = new Set<string>()
  for (const pattern of patterns) {
    if (paths.size >= most) break
    if (isPattern(pattern)) await addMatches(paths, pattern, most)
    else paths.add(pattern)
  }
  return [...paths].filter((path) => !isCompressed(path))
}

/** Patterns as absolute ones, each once. */
export function absolutePatterns(patterns: readonly string[]): string[] {
  return [...new Set(patterns.map((pattern) => resolve(pattern)))]
}

async function addMatches(paths: Set<string>, pattern: string, most: number): Promise<void> {
  for await (const path of glob(pattern)) {
    if (paths.size >= most) return
    paths.add(path)
  }
}

function isPattern(text: string): boolean {
  return /[*?[\]{}]/.test(text)
}
