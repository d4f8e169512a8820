// The flags of `annals fetch`.

import { type Command, InvalidArgumentError } from 'commander'
import { fetchRetries } from '../../limits.ts'
import type { CredentialFlags } from './credentials.ts'

/** What they say. */
export interface FetchFlags extends CredentialFlags {
  readonly url: string
  readonly before?: string
  readonly elapsedHours?: string
  readonly output?: string
  readonly force?: boolean
  readonly caFile?: string
  readonly compress?: boolean
  readonly retries: number
  readonly quiet?: boolean
  readonly json?: boolean
  readonly verify?: boolean
  readonly saveProof?: string
  readonly saveTiles?: string
  readonly state?: string
  readonly policy?: string
}

/** Gives the command its flags. */
export function addFetchOptions(command: Command): Command {
  addTargetOptions(command)
  addCredentialOptions(command)
  addTransferOptions(command)
  addProofOptions(command)
  return command
}

function addTargetOptions(command: Command): void {
  command
    .requiredOption('--url <URL>', 'where the portal is, such as https://portal.example.com')
    .option(
      '--before <DATE>',
      'only what was recorded before: yyyy-mm-dd or yyyy-mm-ddThh:mm:ss, with or without an offset',
    )
    .option('--elapsed-hours <HOURS>', 'only what was recorded in so many hours before that, or before now')
    .option('--output <FILE>', 'write to this file, instead of standard output')
    .option('--force', 'replace the file where it is there already')
}

function addCredentialOptions(command: Command): void {
  command
    .option('--user <NAME>', 'log in as this local account')
    .option(
      '--password-file <FILE>',
      "take its password from the file's first line (- is standard input); without it, it is asked for",
    )
    .option('--client-id <ID>', 'log in with OAuth 2.0 as this client instead')
    .option('--client-secret-file <FILE>', 'take its secret from there, in the same way')
    .option('--token-url <URL>', 'where tokens are given out (default: URL/oauth2/default/v1/token)')
    .option('--ca-file <FILE>', 'trust the certificates in this file (PEM), instead of those of the system')
    .option(
      '--allow-plain-http-beyond-loopback',
      'allow HTTP without TLS to other machines. Credentials then travel in the clear',
    )
}

function addTransferOptions(command: Command): void {
  command
    .option('--compress', 'have the log compressed on its way; what breaks off then starts over')
    .option(
      '--retries <COUNT>',
      'give up after so many attempts in a row that bring nothing new',
      parseRetries,
      fetchRetries,
    )
    .option('--quiet', 'say nothing on standard error but what went wrong')
    .option('--json', 'print how it went as JSON, on standard output; with --output')
}

function addProofOptions(command: Command): void {
  command
    .option('--verify', 'prove that all of it is there and that the log has signed it; with --output')
    .option(
      '--state <FILE>',
      'keep there what was seen of each log, and demand that what comes later goes on from it; with --verify',
    )
    .option(
      '--policy <FILE>',
      'logs, witnesses and a quorum that you trust (C2SP tlog-policy); with --verify',
    )
    .option('--save-proof <FILE>', 'keep the proof, for "annals verify"; with --verify')
    .option(
      '--save-tiles <DIRECTORY>',
      'keep the hashes of the entries, so that "annals verify" finds what a SIEM lost or changed; with --verify',
    )
}

function parseRetries(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a number, such as 5; 0 never tries again.')
}
