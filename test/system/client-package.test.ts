// The client library as an application gets it: built, packed, installed, and used by plain JavaScript with the machine's
// own Node, which may be older than the one that runs the nodes.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join, sep } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { addClient } from './oauth-client.ts'
import { hostName, startPortal, temporaryDirectory } from './portal-process.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

const program = `
  import { openAuditTrail } from 'annals-client'
  import auditTransport, { auditStream } from 'annals-client/pino'
  import { AuditTransport } from 'annals-client/winston'

  const [url, log, clientId, clientSecret, directory] = process.argv.slice(2)
  const audit = openAuditTrail({ url, log, credentials: { clientId, clientSecret }, spool: { directory } })
  const event = { code: 20101, actor: 'jdoe', session: 's-1' }
  const receipt = await audit.recordOrThrow(event)
  const id = await audit.enqueue(event)
  const isSent = await audit.flush(60_000)
  await audit.close()
  const exports = [auditTransport, auditStream, AuditTransport].map((it) => typeof it)
  process.stdout.write(JSON.stringify({ receipt, id, isSent, exports }))
`

test('the client library is built, packed and installed, and records from plain JavaScript', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'data')
  const portal = await startPortal(context, { data })
  const bounds = ['--record-components', 'Portal', '--record-codes', 'any']
  const client = await addClient(context, data, 'shop', ['--scope', 'service:audit-trail:record', ...bounds])
  const application = join(directory, 'application')
  mkdirSync(application)
  writeFileSync(join(application, 'package.json'), '{"private":true}')
  writeFileSync(join(application, 'main.mjs'), program)
  const env = machineEnvironment(directory)
  const flags = ['--offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, await packed(context)], { cwd: application, env })
  const args = [portal.baseUrl, hostName, client.clientId, client.clientSecret, join(directory, 'spool')]
  const { stdout, stderr } = await run('node', ['main.mjs', ...args], { cwd: application, env })
  assert.equal(stderr, '')
  const { receipt, id, isSent, exports } = JSON.parse(stdout)
  assert.deepEqual([receipt.new, isSent, id.length], [true, true, 36])
  assert.deepEqual(exports, ['function', 'function', 'function'])
})

// The package's file, made of a copy, so that nothing is left in the tree.
async function packed(context: TestContext): Promise<string> {
  const copy = temporaryDirectory(context)
  cpSync(join(root, 'tsconfig.json'), join(copy, 'tsconfig.json'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const client = join(copy, 'client')
  cpSync(join(root, 'client'), client, { recursive: true, filter: (from) => !from.endsWith(`${sep}dist`) })
  const { stdout } = await run('npm', ['pack', '--json'], { cwd: client, env: machineEnvironment(copy) })
  // What the build says stands before it.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  const names: string[] = files.map(({ path }: { readonly path: string }) => path)
  assert.ok(names.includes('dist/audit-trail.d.ts') && names.includes('README.md'))
  assert.deepEqual(
    names.filter((name) => /\.test\.|\.bench\.|testing/.test(name)),
    [],
  )
  return join(client, filename)
}

// Without the programs that npm has put before the machine's own.
function machineEnvironment(home: string): NodeJS.ProcessEnv {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  const own = path.filter((directory) => !directory.endsWith(join('node_modules', '.bin')))
  return { PATH: own.join(delimiter), HOME: home }
}
