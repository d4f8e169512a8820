// `annals engines token`.

import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Configuration } from '../../config/configuration.ts'
import { isBeyondLoopback } from '../../config/public-url.ts'
import { formatMicros } from '../../entry/time.ts'
import { AnnalsError } from '../../errors.ts'
import type { MadeToken, TokenRequest } from '../../federation/registry.ts'
import { dataLayout } from '../../log/layout.ts'
import { realDisk } from '../../store/disk.ts'
import { readWhole } from '../../store/durable-file.ts'
import { authorOf } from '../account/open.ts'
import { shellWord } from '../shell-word.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { addEnginesOptions, isJson, openRegistry, settle } from './open.ts'

const more = `
With the token one engine can join this portal once, within 30 minutes. It is a secret until then: give it to the engine
in a file, never as an argument. It never travels over the network itself.

A second engine of a host name is refused while the first is connected. After a reinstall, let the new one take its place
with --replace.

Examples:
  annals engines token
  annals engines token --for engine-01.example.com --token-file engine-01.token
  annals engines token --replace engine-01`

interface TokenOptions {
  readonly for?: string
  readonly replace?: string
  readonly tokenFile?: string
}

/** Makes the command. */
export function enginesTokenCommand(surroundings: Surroundings): Command {
  const command = new Command('token')
    .summary('make a token with which an engine joins')
    .description('Makes a token with which one engine can join this portal.')
    .option('--for <HOST>', 'good for the engine of this host name only')
    .option('--replace <ENGINE>', 'good for this engine only, which it may replace while it is connected')
    .option('--token-file <FILE>', 'write the token into a new file (0600) instead of printing it')
    .addHelpText('after', more)
    .action((options: TokenOptions) => token(command, surroundings, options))
  return addEnginesOptions(command, ['publicUrl'])
}

async function token(command: Command, surroundings: Surroundings, options: TokenOptions): Promise<void> {
  const request = requestOf(options)
  await using open = await openRegistry(command, surroundings)
  const { tokenFile } = options
  const path = tokenFile === undefined ? undefined : resolve(surroundings.directory, tokenFile)
  const made = await withFile(path, () => open.registry.makeToken(request, authorOf(surroundings)))
  const publicUrl = await publicUrlOf(open.configuration)
  // Before anything that can fail: the token is nowhere else.
  if (isJson(command)) printJson(surroundings, toJson(made, publicUrl, path))
  else print(surroundings, ...toLines(made, publicUrl, path))
  await settle(open, surroundings, made.eventIds)
}

// What the portal itself said when it last started, unless the person says otherwise.
async function publicUrlOf({ data, publicUrl, isPublicUrlDerived }: Configuration): Promise<string> {
  const kept = isPublicUrlDerived ? await readWhole(realDisk, dataLayout(data).publicUrl) : undefined
  return kept?.toString().trim() ?? publicUrl
}

function requestOf({ for: only, replace }: TokenOptions): TokenRequest {
  if (replace === undefined) return { hostName: only }
  if (only === undefined) return { hostName: replace, mayReplace: true }
  throw new AnnalsError('INVALID_INPUT', 'give --for or --replace, and not both: each says for which engine')
}

// The file is made first, so that no token is made that then has no place. It never takes that of another file.
async function withFile(path: string | undefined, make: () => Promise<MadeToken>): Promise<MadeToken> {
  if (path === undefined) return await make()
  await using file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError('INVALID_INPUT', `the token file cannot be made: ${why}`, { cause })
  })
  try {
    const made = await make()
    await file.writeFile(`${made.token}\n`)
    await file.sync()
    return made
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

function toJson(made: MadeToken, publicUrl: string, path: string | undefined): object {
  const { token: text, id, hostName, expiresAt } = made
  return {
    ...(path === undefined ? { token: text } : { tokenFile: path }),
    id,
    hostName: hostName ?? null,
    expiresAt: formatMicros(expiresAt),
    publicUrl,
  }
}

function toLines(made: MadeToken, publicUrl: string, path: string | undefined): string[] {
  const { token: text, hostName = 'any engine', expiresAt } = made
  const until = `${formatMicros(expiresAt).slice(0, 16).replace('T', ' ')} UTC`
  const told = `A token for ${hostName}, good for one join until ${until}`
  const join = `annals engine --join ${shellWord(publicUrl)} --token-file FILE`
  return [
    ...(path === undefined ? [`${told}:`, '', `  ${text}`, ''] : [`${told}, is in ${path}.`]),
    `${path === undefined ? 'Put it' : 'Bring it'} into a file on the engine that only its user can read, and start the engine there:`,
    '',
    `  ${join}`,
    ...(isBeyondLoopback(publicUrl)
      ? []
      : ['', 'Other machines do not reach this portal under that URL: give theirs with --public-url.']),
  ]
}
