// `annals fetch`: a client of the Audit Trail API. It relies on the contract's public part alone, so that it works
// against every server of that API; what ours promises beyond it (entity tags, exact lengths) it uses where it is there.

import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { Argument, Command } from 'commander'
import { AnnalsError } from '../errors.ts'
import { Ended } from './ended.ts'
import { readCaFile } from './fetch/ca-file.ts'
import { readCredentials } from './fetch/credentials.ts'
import type { Destination } from './fetch/destination.ts'
import { download, type Download, type DownloadAccount } from './fetch/download.ts'
import { openHttpClient } from './fetch/http-client.ts'
import { LogFiles } from './fetch/log-files.ts'
import { addFetchOptions, type FetchFlags } from './fetch/options.ts'
import { outputDestination } from './fetch/output-destination.ts'
import { openPartFile } from './fetch/part-file.ts'
import { Patience } from './fetch/patience.ts'
import { demandSafeTransport, type LogKind, logs, parseServerUrl, targetUrl } from './fetch/target.ts'
import { readSeen } from './fetch/trust-state.ts'
import { demandFile, type Proved, verifyFetched } from './fetch/verification.ts'
import { startProgress } from './progress.ts'
import { note, printJson, type Surroundings } from './surroundings.ts'
import { readPolicy } from './verify/trust.ts'

const more = `
With --output, what has come so far is in FILE.part; when the connection breaks for good, or the command is ended, the
same command goes on from there. FILE appears when it is whole. Without --output the log goes to standard output.

The exit code is 0 only where all of it is there. 4: busy, out of reach or broken off, try the same command again;
5: refused; 2: the server does not understand what was asked; 6: the disk; 7: it is there, and is not proved; 9: too few
witnesses have cosigned.

Examples:
  annals fetch portal --url https://portal.example.com --user siem --password-file siem.password --elapsed-hours 1
  annals fetch engine engine-01 --url https://portal.example.com --user siem --output engine-01.log
  annals fetch engines --url https://portal.example.com --client-id siem --client-secret-file siem.secret \\
    --before 2025-12-24T14:00:00+01:00 --elapsed-hours 24 --output all-engines.log
  annals fetch portal --url https://portal.example.com --user siem --password-file siem.password --output portal.log \\
    --verify --state seen.json --save-proof portal.proof`

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
  const proofs = await readProofOrder(surroundings, flags, file)
  const ca = await readCaFile(surroundings.directory, flags.caFile)
  await using destination = await openDestination(surroundings, url, file, flags)
  const makeAuthorizer = await readCredentials(surroundings, server, flags)
  await using client = await openHttpClient({ ca })
  const nonce = proofs === undefined ? undefined : randomBytes(16).toString('base64url')
  const authorizer = makeAuthorizer(client)
  const work = { url, client, authorizer, destination, nonce }
  const account = await downloadUntilSignal(surroundings, flags, work)
  const seconds = Math.round(performance.now() - began) / 1000
  const told = { file, seconds, destination, account }
  if (proofs === undefined) return tell(surroundings, flags, told)
  const query = new URL(url).search.slice(1)
  const proved = await untilSignal(surroundings, (signal) => {
    const files = new LogFiles({
      server,
      client,
      authorizer,
      signal,
      patience: () => new Patience(flags.retries),
    })
    const bar = (what: string) => progressOf(surroundings, flags, what)
    return verifyFetched({ ...proofs, surroundings, bar, files, query, source: destination.source })
  })
  tell(surroundings, flags, { ...told, proved })
}

async function openDestination(
  surroundings: Surroundings,
  url: string,
  file: string | undefined,
  flags: FetchFlags,
): Promise<Destination> {
  if (file === undefined) return outputDestination(surroundings.output)
  const [isForced, isProved] = [flags.force === true, wantsProof(flags)]
  return await openPartFile({ file: resolve(surroundings.directory, file), url, isForced, isProved })
}

type Work = Pick<Download, 'url' | 'client' | 'authorizer' | 'destination' | 'nonce'>

async function downloadUntilSignal(
  surroundings: Surroundings,
  flags: FetchFlags,
  work: Work,
): Promise<DownloadAccount> {
  const { destination } = work
  const isQuiet = flags.quiet === true
  using bar = progressOf(surroundings, flags)
  if (destination.bytes > 0 && !isQuiet) note(surroundings, `going on: ${destination.rest()}`)
  const order = {
    ...work,
    isCompressed: flags.compress === true,
    patience: new Patience(flags.retries),
    onProgress: (bytes: number, ofBytes: number | undefined) => bar.show(bytes, ofBytes),
    onSetback(reason: string, pauseMs: number) {
      bar[Symbol.dispose]()
      if (!isQuiet) note(surroundings, `${reason}; next attempt in ${(pauseMs / 1000).toFixed(1)} s`)
    },
  }
  const onEnded = () => {
    bar[Symbol.dispose]()
    if (destination.bytes > 0 && !isQuiet) note(surroundings, `ended; ${destination.rest()}`)
  }
  return await untilSignal(surroundings, (signal) => download({ ...order, signal }), onEnded)
}

// A signal ends the work, and the process.
async function untilSignal<T>(
  surroundings: Surroundings,
  work: (signal: AbortSignal) => Promise<T>,
  onEnded: () => void = () => undefined,
): Promise<T> {
  const abort = new AbortController()
  using _signals = surroundings.onSignal((signal) => abort.abort(new Ended(signal === 'SIGINT' ? 130 : 143)))
  try {
    return await work(abort.signal)
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    onEnded()
    // A connection that is being made, or a name that is being looked up, would keep the process for a while.
    return surroundings.exit(error.exitCode)
  }
}

function wantsProof({ verify, saveProof, saveTiles, state, policy }: FetchFlags): boolean {
  const others = [saveProof, saveTiles, state, policy].some((flag) => flag !== undefined)
  if (others && verify !== true)
    throw new AnnalsError(
      'INVALID_INPUT',
      '--state, --policy, --save-proof and --save-tiles go with --verify',
    )
  return verify === true
}

// Read before anything is fetched: what is wrong with it is said at once.
async function readProofOrder(surroundings: Surroundings, flags: FetchFlags, file: string | undefined) {
  if (!wantsProof(flags)) return undefined
  demandFile(file)
  const { directory } = surroundings
  const place = (name: string | undefined) => (name === undefined ? undefined : resolve(directory, name))
  const stateFile = place(flags.state)
  const known = {
    policy: await readPolicy(surroundings, flags.policy),
    seen: stateFile === undefined ? new Map() : await readSeen(stateFile),
  }
  const kept = { proofFile: place(flags.saveProof), tilesDirectory: place(flags.saveTiles), stateFile }
  return { file: resolve(directory, file), known, ...kept }
}

// A bar among the lines of a log would be no help.
function progressOf(surroundings: Surroundings, { quiet, output = '-' }: FetchFlags, what = 'fetching') {
  const isHidden = quiet === true || (output === '-' && surroundings.output.isTTY === true)
  const nothing = { show: () => undefined, [Symbol.dispose]: () => undefined }
  return isHidden ? nothing : startProgress(surroundings, what)
}

interface Told {
  readonly file: string | undefined
  readonly seconds: number
  readonly destination: Destination
  readonly account: DownloadAccount
  readonly proved?: Proved
}

function tell(
  surroundings: Surroundings,
  flags: FetchFlags,
  { file, seconds, destination, account, proved }: Told,
): void {
  const { bytes, lines: entries, source } = destination
  const { resumed, startedOver } = account
  if (flags.json === true) {
    const etag = source?.etag ?? null
    printJson(surroundings, {
      file,
      bytes,
      entries,
      seconds,
      resumed,
      startedOver,
      etag,
      proof: proved?.json,
    })
  }
  if (flags.quiet === true) return
  const troubles = [
    ...(resumed === 0 ? [] : [`resumed ${times(resumed)}`]),
    ...(startedOver === 0 ? [] : [`started over ${times(startedOver)}`]),
  ]
  const parts = [`${bytes} bytes`, `${entries} entries`, `${seconds.toFixed(1)} s`, ...troubles]
  note(surroundings, `fetched ${parts.join(', ')}`)
  if (proved !== undefined) note(surroundings, proved.verdict)
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
