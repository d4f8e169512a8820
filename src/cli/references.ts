// Every reference that is generated, with the file it belongs in. Run as a program, it writes them (`npm run docs`).

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configurationReference } from '../config/reference.ts'
import { clientCatalogue } from '../entry/client-catalogue.ts'
import { codeReference } from '../entry/code-reference.ts'
import { PostedEvent } from '../intake/event-schema.ts'
import { metricsReference } from '../ops/metrics-reference.ts'
import { commandReference } from './command-reference.ts'

/** Where the references are. */
export const referenceDirectory = fileURLToPath(new URL('../../docs/reference', import.meta.url))

/** What each file should say. */
export async function references(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['codes.md', codeReference()],
    ['command-line.md', await commandReference()],
    ['configuration.md', configurationReference()],
    ['event.schema.json', `${JSON.stringify(PostedEvent, undefined, 2)}\n`],
    ['metrics.md', metricsReference()],
    ['../../client/src/catalogue.ts', clientCatalogue()],
  ])
}

if (import.meta.main) {
  mkdirSync(referenceDirectory, { recursive: true })
  for (const [name, text] of await references()) writeFileSync(join(referenceDirectory, name), text)
}
