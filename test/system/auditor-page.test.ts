// The page for auditors, `docs/verify/README.md`, is true: every command on it is run here as it stands there, against a
// real portal, one after the other, and does what the page says.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ask, type Server } from '../conformance/wire.ts'
import { skipWithoutGo } from './go-verifier.ts'
import { blocksOf, programsIn, runShell } from './page.ts'
import { addAccount, startPortal, temporaryDirectory, until } from './portal-process.ts'

const root = join(import.meta.dirname, '../..')
const auditor = { name: 'auditor', password: 'Correct-horse-8' }

test(
  'every command of the page for auditors does what it says',
  { skip: skipWithoutGo() },
  async (context) => {
    const directory = temporaryDirectory(context)
    const data = join(directory, 'data')
    const portal = await startPortal(context, { data })
    await addAccount(context, data, auditor, 'central-administrator')
    const bin = programsIn(directory)
    writeFileSync(join(directory, 'auditor.password'), `${auditor.password}\n`, { mode: 0o600 })
    let positions = { from: '0', to: '7' }
    for (const command of commands()) {
      const output = await run(
        context,
        directory,
        toRun(command, { url: portal.baseUrl, bin, log: join(data, 'log'), ...positions }),
      )
      // What was fetched is as long as it is at this portal.
      const [, from, to] = /^annals-positions: (\d+)-(\d+)/im.exec(output) ?? []
      if (from === undefined || to === undefined) continue
      positions = { from, to }
      await covers(portal, Number(to) + 1)
    }
  },
)

// A checkpoint comes within a second, and nobody types that fast.
async function covers(portal: Server, size: number): Promise<void> {
  const path = '/audit-trail/api/v2/logs/portal-01/checkpoint'
  await until(async () => Number((await ask(portal, path)).body.toString().split('\n')[1]) >= size)
}

/** The blocks of commands, but for the one that installs what CI has installed. */
function commands(): string[] {
  const blocks = blocksOf('docs/verify/README.md').flatMap(({ language, text }) =>
    language === 'sh' ? [text] : [],
  )
  assert.ok(blocks.length >= 10)
  return blocks.filter((block) => !/^\s*apt-get /.test(block))
}

/** What stands on the page, and what is here. */
interface Places {
  readonly url: string
  readonly bin: string
  readonly log: string
  /** Of the latest answer. */
  readonly from: string
  readonly to: string
}

function toRun(command: string, { url, bin, log, from, to }: Places): string {
  return command
    .replaceAll('https://portal.example.com', url)
    .replaceAll('/backup/annals/log', log)
    .replaceAll('-u auditor', `-u ${auditor.name}:${auditor.password}`)
    .replace('cd test/go', `cd ${join(root, 'test/go')}`)
    .replace('-o verify-log', `-o ${join(bin, 'verify-log')}`)
    .replace('-from 0 -to 7', `-from ${from} -to ${to}`)
    .replace('-from 7 -to 8', `-from ${to} -to ${Number(to) + 1}`)
}

async function run(context: TestContext, directory: string, command: string): Promise<string> {
  const { exitCode, output, errors } = await runShell(context, directory, `set -euo pipefail\n${command}`)
  assert.equal(exitCode, 0, `${command}\n${output}${errors}`)
  if (command.includes('verify-log log')) assert.match(output, /^ok {7}entries/m)
  assert.doesNotMatch(output, /^REFUSED/m)
  return output
}
