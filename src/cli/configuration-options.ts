// The settings as flags of a command, and what was typed as a configuration.

import { type Command, Option } from 'commander'
import { listSeparator } from '../config/assignment.ts'
import { type Configuration, resolveConfiguration } from '../config/configuration.ts'
import { fileVariable } from '../config/environment.ts'
import type { Role } from '../config/schema.ts'
import { ownDefault, type Setting, settings } from '../config/setting.ts'
import type { Surroundings } from './surroundings.ts'

const heading = 'Configuration (flags come before the environment, that before the file):'

/** Gives a command the flags of settings, and `--config`. */
export function addConfigurationOptions(
  command: Command,
  keys: readonly string[],
  role: Role = 'portal',
): Command {
  for (const setting of settings) if (keys.includes(setting.key)) command.addOption(optionOf(setting, role))
  return command.addOption(
    new Option('--config <FILE>', `read settings from a YAML file [${fileVariable}]`).helpGroup(heading),
  )
}

/**
 * The configuration of a command that was given such flags. Every setting counts, also those that the command has
 * no flag for. `defaults` come before the role's own. Throws INVALID_CONFIGURATION.
 */
export function configurationOf(
  command: Command,
  surroundings: Surroundings,
  role: Role = 'portal',
  defaults: Readonly<Record<string, string>> = {},
): Configuration {
  const options = command.opts<Record<string, string | string[] | true | undefined>>()
  const flags: Record<string, string> = {}
  for (const setting of settings) {
    const text = options[optionOf(setting, role).attributeName()]
    // A switch without a value is on.
    if (text !== undefined) flags[setting.key] = text === true ? 'on' : [text].flat().join(listSeparator)
  }
  const { environment, directory, machineName } = surroundings
  const { config: file } = command.opts<{ config?: string }>()
  return resolveConfiguration({ flags, file, environment, directory, machineName, role, defaults })
}

function optionOf(setting: Setting, role: Role): Option {
  const { flag, kind, value, description, variable } = setting
  const defaultText = ownDefault(setting, role) ?? setting.defaultText
  const standing = defaultText === 'none' ? '' : ` (default: ${defaultText})`
  const argument = kind === 'boolean' ? `[${value}]` : `<${value}>`
  // The environment is read in `config/`, which says where a wrong value came from.
  const option = new Option(`${flag} ${argument}`, `${description}${standing} [${variable}]`)
  if (kind === 'list') option.argParser((part: string, before?: string[]) => [...(before ?? []), part])
  return option.helpGroup(heading)
}
