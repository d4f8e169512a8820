// The command line as a whole: every command by name, and what they have in common.

import { Command } from 'commander'
import { annalsVersion } from '../ops/version.ts'
import { accountCommand } from './account.ts'
import { agoraCommand } from './agora.ts'
import { checkCommand } from './check.ts'
import { clientCommand } from './client.ts'
import { engineCommand } from './engine.ts'
import { enginesCommand } from './engines.ts'
import { exitCodes } from './exit-code.ts'
import { fetchCommand } from './fetch.ts'
import { importCommand } from './import.ts'
import { keyCommand } from './key.ts'
import { profileCommand } from './profile.ts'
import { serveCommand } from './serve.ts'
import type { Surroundings } from './surroundings.ts'

/** Makes the program. Parsing throws `CommanderError` where commander would end the process. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('annals')
    .description('An audit trail server: pull once, miss nothing, prove it later without us.')
    .version(annalsVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${exitCodeHelp()}\n\n"annals COMMAND --help" says more about each.`)
  for (const make of [
    serveCommand,
    engineCommand,
    agoraCommand,
    importCommand,
    checkCommand,
    accountCommand,
    profileCommand,
    clientCommand,
    enginesCommand,
    keyCommand,
    fetchCommand,
  ])
    program.addCommand(make(surroundings))
  for (const command of allCommands(program)) prepare(command, surroundings)
  return program
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

function prepare(command: Command, { output, errors }: Surroundings): void {
  command
    .exitOverride()
    .showHelpAfterError(`annals: "${commandPath(command)} --help" says how it is used`)
    .helpCommand(command.commands.length > 0)
    .configureOutput({
      writeOut: (text) => void output.write(text),
      writeErr: (text) => void errors.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'annals: ')),
      getOutHelpWidth: () => output.columns ?? 100,
      getErrHelpWidth: () => errors.columns ?? 100,
    })
  if (command.commands.length === 0) command.option('--verbose', 'say more when something fails')
}

function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`
}

function exitCodeHelp(): string {
  return [
    'Exit codes:',
    ...Object.entries(exitCodes).map(([code, text]) => `  ${code.padStart(3)}  ${text}`),
  ].join('\n')
}
