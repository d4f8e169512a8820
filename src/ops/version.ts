// Which Annals this is.

import { readFileSync } from 'node:fs'

/** The version of the package that this file belongs to, such as `0.1.0`. */
export function annalsVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
