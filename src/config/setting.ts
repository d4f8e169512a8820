// The settings one by one: each leaf of the schema with the three names that it has.

import type { TSchema } from 'typebox'
import { type Role, schema } from './schema.ts'

/** One setting. */
export interface Setting {
  /** Its place in the file: `tls.keyFile`. */
  readonly key: string
  /** `--tls-key-file` */
  readonly flag: string
  /** `ANNALS_TLS_KEY_FILE` */
  readonly variable: string
  /** A list is written as one flag for each part, as a list in the file, and with commas in the environment. */
  readonly kind: 'boolean' | 'integer' | 'string' | 'list'
  readonly description: string
  /** How `--help` calls its value. */
  readonly value: string
  /** What is expected, for the message about a wrong one. */
  readonly expects: string
  /** True where the value names a file or directory, relative to where it was written down. */
  readonly isPath: boolean
  readonly default: string | number | boolean | undefined
  /** An engine's, where that is another. */
  readonly engineDefault: string | undefined
  /** A gateway's, where that is another. */
  readonly agoraDefault: string | undefined
  /** The default in words. */
  readonly defaultText: string
  /** The only roles that it is for; undefined where it is for all. */
  readonly roles: readonly Role[] | undefined
  readonly choices: readonly string[] | undefined
  readonly schema: TSchema
}

/** Every setting, in the schema's order. */
export const settings: readonly Setting[] = leaves('', schema).map(([key, leaf]) => describe(key, leaf))

/** The settings of a role. */
export function settingsOf(role: Role): readonly Setting[] {
  return settings.filter(({ roles }) => roles === undefined || roles.includes(role))
}

/** What a setting is for a role where nobody says otherwise. */
export function roleDefault(setting: Setting, role: Role): string | number | boolean | undefined {
  return ownDefault(setting, role) ?? setting.default
}

/** A role's own default, where that is another than a portal's. */
export function ownDefault({ engineDefault, agoraDefault }: Setting, role: Role): string | undefined {
  return { portal: undefined, engine: engineDefault, agora: agoraDefault }[role]
}

interface Leaf extends TSchema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Leaf>>
  readonly description?: string
  readonly value?: string
  readonly expects?: string
  readonly isPath?: boolean
  readonly default?: string | number | boolean
  readonly engineDefault?: string
  readonly agoraDefault?: string
  readonly defaultText?: string
  readonly role?: Role | readonly Role[]
  readonly minimum?: number
  readonly maximum?: number
}

function leaves(prefix: string, node: Leaf): (readonly [string, Leaf])[] {
  if (node.properties === undefined) return [[prefix, node]]
  const under = prefix === '' ? '' : `${prefix}.`
  return Object.entries(node.properties).flatMap(([name, leaf]) => leaves(under + name, leaf))
}

function describe(key: string, leaf: Leaf): Setting {
  const kebab = key.replaceAll('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return {
    key,
    flag: `--${kebab}`,
    variable: `ANNALS_${kebab.replaceAll('-', '_').toUpperCase()}`,
    kind: kindOf(leaf),
    description: leaf.description ?? '',
    value: leaf.value ?? 'on|off',
    expects: leaf.expects ?? expectation(leaf),
    isPath: leaf.isPath ?? false,
    default: leaf.default,
    engineDefault: leaf.engineDefault,
    agoraDefault: leaf.agoraDefault,
    roles: leaf.role === undefined ? undefined : [leaf.role].flat(),
    defaultText: leaf.defaultText ?? defaultText(leaf.default),
    choices: leaf.enum,
    schema: leaf,
  }
}

function kindOf({ type }: Leaf): Setting['kind'] {
  if (type === 'array') return 'list'
  return type === 'boolean' || type === 'integer' ? type : 'string'
}

function expectation({ type, enum: choices, minimum, maximum }: Leaf): string {
  if (choices !== undefined) return `one of ${choices.join(', ')}`
  if (type === 'boolean') return 'on or off'
  if (maximum === Number.MAX_SAFE_INTEGER) return `a whole number, at least ${minimum}`
  return `a whole number from ${minimum} to ${maximum}`
}

function defaultText(value: Leaf['default']): string {
  if (value === undefined) return 'none'
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}
