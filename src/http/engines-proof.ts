// The proof of an answer about all engines: what the portal recorded of it, and what each engine proves of its own part.

import { enginesAtOnce } from '../limits.ts'
import { parseManifest } from '../verify/engines-manifest.ts'
import { formatEnginesProof } from '../verify/engines-proof.ts'
import type { Portal } from './portal.ts'
import { entryProof } from './published.ts'

/** The proof at a path of the portal's log; undefined where no answer about all engines is meant that is still known. */
export async function enginesProof(portal: Portal, path: string): Promise<string | undefined> {
  const [, mark, query = ''] = /^reads\/(\d{1,15})\/proof(\?witnessed=true)?$/.exec(path) ?? []
  const manifest = mark === undefined ? undefined : portal.manifests.at(Number(mark))
  const parts = manifest === undefined ? undefined : parseManifest(manifest)
  if (manifest === undefined || parts === undefined) return undefined
  const entry = await entryProof(portal.log, Number(mark), { witnessed: query !== '' })
  if (entry === undefined) return undefined
  const answers: string[] = []
  for (let k = 0; k < parts.engines.length; k += enginesAtOnce) {
    const some = parts.engines.slice(k, k + enginesAtOnce).map(async ({ log, mark }) => {
      const engine = await portal.engines.findLog(log)
      return (await engine.published(`reads/${mark}/proof${query}`)).toString()
    })
    answers.push(...(await Promise.all(some)))
  }
  return formatEnginesProof({ manifest, entry, answers })
}
