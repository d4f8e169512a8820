// The command line as a whole: every command by name, and what they have in common. A command is loaded when it is named:
// what the others need costs seconds and memory, and most of them have no use for a server.

import { Command } from 'commander'
import { annalsVersion } from '../ops/version.ts'
import { exitCodes } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Makes the program: with the command of a name alone where there is one, otherwise with all. Parsing throws
 * `CommanderError` where commander would end the process.
 */
export async function createProgram(surroundings: Surroundings, name?: string): Promise<Command> {
  const program = new Command('annals')
    .description('An audit trail server: pull once, miss nothing, prove it later without us.')
    .version(annalsVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${exitCodeHelp()}\n\n"annals COMMAND --help" says more about each.`)
  for (const load of commandsOf(name)) program.addCommand((await load())(surroundings))
  for (const command of allCommands(program)) prepare(command, surroundings)
  return program
}

type MakeCommand = (surroundings: Surroundings) => Command

const commands: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  engine: async () => (await import('./engine.ts')).engineCommand,
  agora: async () => (await import('./agora.ts')).agoraCommand,
  import: async () => (await import('./import.ts')).importCommand,
  check: async () => (await import('./check.ts')).checkCommand,
  account: async () => (await import('./account.ts')).accountCommand,
  profile: async () => (await import('./profile.ts')).profileCommand,
  client: async () => (await import('./client.ts')).clientCommand,
  engines: async () => (await import('./engines.ts')).enginesCommand,
  key: async () => (await import('./key.ts')).keyCommand,
  log: async () => (await import('./log.ts')).logCommand,
  fetch: async () => (await import('./fetch.ts')).fetchCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
}

function commandsOf(name: string | undefined): readonly (() => Promise<MakeCommand>)[] {
  const named = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  return named === undefined ? Object.values(commands) : [named]
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
