// `annals fetch`: a client of the Audit Trail API. It relies on the contract's public part alone, so that it works
// against every server of that API; what ours promises beyond it (entity tags, exact lengths) it uses where it is there.

import { resolve } from 'node:path'
import { Argument, Command } from 'commander'
import { AnnalsError } from '../errors.ts'
import { Ended } from './ended.ts'
import { readCaFile } from './fetch/ca-file.ts'
import { readCredentials } from './fetch/credentials.ts'
import type { Destination } from './fetch/destination.ts'
import { download, type DownloadAccount } from './fetch/download.ts'
import { openHttpClient } from './fetch/http-client.ts'
import { addFetchOptions, type FetchFlags } from './fetch/options.ts'
import { outputDestination } from './fetch/output-destination.ts'
import { openPartFile } from './fetch/part-file.ts'
import { Patience } from './fetch/patience.ts'
import { demandSafeTransport, type LogKind, logs, parseServerUrl, targetUrl } from './fetch/target.ts'
import { startProgress } from './progress.ts'
import { note, printJson, type Surroundings } from './surroundings.ts'

const more = `
With --output, what has come so far is in FILE.part; when the connection breaks for good, or the command is ended, the
same command goes on from there. FILE appears when it is whole. Without --output the log goes to standard output.

The exit code is 0 only where all of it is there. 4: busy, out of reach or broken off, try the same command again;
5: refused; 2: the server does not understand what was asked; 6: the disk.

Examples:
  annals fetch portal --url https://portal.example.com --user siem --password-file siem.password --elapsed-hours 1
  annals fetch engine engine-01 --url https://portal.example.com --user siem --output engine-01.log
  annals fetch engines --url https://portal.example.com --client-id siem --client-secret-file siem.secret \\
    --before 2025-12-24T14:00:00+01:00 --elapsed-hours 24 --output all-engines.log`

/** Makes the command. */
export function fetchCommand(surroundings: Surroundings): Command {
  const command = new Command('fetch')
    .summary('fetch an audit log from a portal')
    .description(
      'Fetches an audit log over the Audit Trail API. It goes on where a connection breaks, tries again where the ' +
        'server is busy, and succeeds only when all of the log is there.',
    )
    .addArgument(new Argument('<LOG>', 'whose log').choices(logs))
    .argument('[NAME]', "the engine's host name, short or full; for one engine's log alone")
    .addHelpText('after', more)
  return addFetchOptions(command).action((log: LogKind, name: string | undefined, flags: FetchFlags) =>
    fetchLog(surroundings, log, name, flags),
  )
}

async function fetchLog(
  surroundings: Surroundings,
  log: LogKind,
  name: string | undefined,
  flags: FetchFlags,
): Promise<void> {
  const began = performance.now()
  const file = flags.output === '-' ? undefined : flags.output
  if (flags.json === true && file === undefined) {
    throw new AnnalsError('INVALID_INPUT', '--json: standard output is the log itself; give --output FILE')
  }
  const server = parseServerUrl(flags.url, '--url')
  demandSafeTransport(server, '--url', flags.allowPlainHttpBeyondLoopback === true)
  const url = targetUrl(server, { log, name, before: flags.before, elapsedHours: flags.elapsedHours })
  const ca = await readCaFile(surroundings.directory, flags.caFile)
  await using destination = await openDestination(surroundings, url, file, flags.force === true)
  const makeAuthorizer = await readCredentials(surroundings, server, flags)
  await using client = await openHttpClient({ ca })
  const work = { url, client, authorizer: makeAuthorizer(client), destination }
  const account = await downloadUntilSignal(surroundings, flags, work)
  const seconds = Math.round(performance.now() - began) / 1000
  tell(surroundings, flags, { file, seconds, destination, account })
}

async function openDestination(
  surroundings: Surroundings,
  url: string,
  file: string | undefined,
  isForced: boolean,
): Promise<Destination> {
  if (file === undefined) return outputDestination(surroundings.output)
  return await openPartFile({ file: resolve(surroundings.directory, file), url, isForced })
}

type Work = Pick<Parameters<typeof download>[0], 'url' | 'client' | 'authorizer' | 'destination'>

async function downloadUntilSignal(
  surroundings: Surroundings,
  flags: FetchFlags,
  work: Work,
): Promise<DownloadAccount> {
  const { destination } = work
  const isQuiet = flags.quiet === true
  const abort = new AbortController()
  using _signals = surroundings.onSignal((signal) => abort.abort(new Ended(signal === 'SIGINT' ? 130 : 143)))
  using bar = progressOf(surroundings, flags)
  if (destination.bytes > 0 && !isQuiet) note(surroundings, `going on: ${destination.rest()}`)
  try {
    return await download({
      ...work,
      isCompressed: flags.compress === true,
      patience: new Patience(flags.retries),
      signal: abort.signal,
      onProgress: (bytes, ofBytes) => bar.show(bytes, ofBytes),
      onSetback(reason, pauseMs) {
        bar[Symbol.dispose]()
        if (!isQuiet) note(surroundings, `${reason}; next attempt in ${(pauseMs / 1000).toFixed(1)} s`)
      },
    })
  } catch (error) {
    bar[Symbol.dispose]()
    if (!(error instanceof Ended)) throw error
    if (destination.bytes > 0 && !isQuiet) note(surroundings, `ended; ${destination.rest()}`)
    // A connection that is being made, or a name that is being looked up, would keep the process for a while.
    return surroundings.exit(error.exitCode)
  }
}

// A bar among the lines of a log would be no help.
function progressOf(surroundings: Surroundings, { quiet, output = '-' }: FetchFlags) {
  const isHidden = quiet === true || (output === '-' && surroundings.output.isTTY === true)
  const nothing = { show: () => undefined, [Symbol.dispose]: () => undefined }
  return isHidden ? nothing : startProgress(surroundings, 'fetching')
}

interface Told {
  readonly file: string | undefined
  readonly seconds: number
  readonly destination: Destination
  readonly account: DownloadAccount
}

function tell(
  surroundings: Surroundings,
  flags: FetchFlags,
  { file, seconds, destination, account }: Told,
): void {
  const { bytes, lines: entries, source } = destination
  const { resumed, startedOver } = account
  if (flags.json === true) {
    const etag = source?.etag ?? null
    printJson(surroundings, { file, bytes, entries, seconds, resumed, startedOver, etag })
  }
  if (flags.quiet === true) return
  const troubles = [
    ...(resumed === 0 ? [] : [`resumed ${times(resumed)}`]),
    ...(startedOver === 0 ? [] : [`started over ${times(startedOver)}`]),
  ]
  const parts = [`${bytes} bytes`, `${entries} entries`, `${seconds.toFixed(1)} s`, ...troubles]
  note(surroundings, `fetched ${parts.join(', ')}`)
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
