// The flags of `annals verify`.

import { type Command, InvalidArgumentError } from 'commander'

/** What they say. */
export interface VerifyFlags {
  readonly proof?: string
  readonly checkpoint?: string
  readonly tiles?: string
  readonly claims?: boolean
  readonly from?: number
  readonly to?: number
  readonly key?: readonly string[]
  readonly policy?: string
  readonly rotations?: string
  readonly json?: boolean
}

const trust = 'Whom you know:'
const exports = 'Lines that came back from elsewhere:'

/** Gives the command its flags. */
export function addVerifyOptions(command: Command): Command {
  command
    .option('--proof <FILE>', 'the proof of a downloaded answer, or of one entry')
    .option('--checkpoint <FILE>', 'the checkpoint that all must lead to (default: the one in a directory)')
    .option('--json', 'print JSON, for programs')
  addOf(command, trust, [
    ['--policy <FILE>', 'logs, witnesses and a quorum (C2SP tlog-policy)'],
    [
      '--rotations <FILE>',
      'how the log changed its keys, as it publishes it: followed from the keys that you know',
    ],
  ])
  command.addOption(
    command
      .createOption('--key <KEY>', "a log's key (vkey), or a file of such lines; may be given several times")
      .argParser((key: string, before?: readonly string[]) => [...(before ?? []), key])
      .helpGroup(trust),
  )
  addOf(command, exports, [
    [
      '--tiles <DIRECTORY>',
      'hash tiles that lead to the checkpoint, as annals fetch --save-tiles keeps them',
    ],
    ['--claims', 'compare with nothing but what the lines themselves claim'],
  ])
  for (const [flags, text] of [
    ['--from <POSITION>', 'the first position that there must be'],
    ['--to <POSITION>', 'the one behind the last'],
  ] as const)
    command.addOption(command.createOption(flags, text).argParser(parsePosition).helpGroup(exports))
  return command
}

function addOf(command: Command, group: string, options: readonly (readonly [string, string])[]): void {
  for (const [flags, text] of options) command.addOption(command.createOption(flags, text).helpGroup(group))
}

function parsePosition(text: string): number {
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a position, such as 1000.')
}
