// Roles and profiles: making, changing and removing them. A role is a named set of permissions, a profile a named set of
// roles, and what a profile allows in the end is kept beside it, so that a login needs no more than one row. Each change
// is one transaction with the event that tells it, and ends what was proved before for the accounts that it concerns.

import type { Database, Transaction } from '../database/database.ts'
import { enqueue } from '../database/outbox.ts'
import type { AuditEvent } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { profileNameCharacters } from '../limits.ts'
import type { Author } from './account-events.ts'
import { parseDescription } from './client.ts'
import type { Clock } from './clock.ts'
import { type Permission, rolePermissions, type Tier, tierPermissions } from './permission.ts'
import { auditorProfile, builtInProfiles, isBuiltIn, parsePermissions, type Profile } from './profile.ts'
import { type Change, profileChanged, roleChanged } from './profile-events.ts'
import {
  builtInRefused,
  demandRoles,
  derive,
  insertProfile,
  parseNames,
  profileRow,
  profilesWith,
  roleRow,
} from './profile-row.ts'

/** What roles and profiles need. */
export interface ProfilesParts {
  readonly database: Database
  readonly clock: Clock
  readonly hostName: string
}

/** A role. */
export interface Role {
  readonly name: string
  readonly description: string
  readonly permissions: readonly Permission[]
}

/** A profile, as it is listed. */
export interface ListedProfile {
  readonly name: Profile
  readonly description: string
  readonly tier: Tier
  readonly isBuiltIn: boolean
  readonly roles: readonly string[]
  readonly permissions: readonly Permission[]
  /** How many accounts have it. */
  readonly accounts: number
}

/** What of a role is to be so. What is undefined stays. */
export interface RoleSettings {
  readonly description?: string | undefined
  readonly permissions?: readonly string[] | undefined
}

/** The same of a profile. */
export interface ProfileSettings {
  readonly description?: string | undefined
  readonly roles?: readonly string[] | undefined
}

/** A change that was made. */
export interface ProfileChange {
  readonly name: string
  readonly isChanged: boolean
  /** The ids of its events in the outbox (`database/outbox.ts`). */
  readonly eventIds: readonly string[]
}

/** The roles and profiles of a portal. Throws DOES_NOT_EXIST, ALREADY_EXISTS, CHANGE_REFUSED and INVALID_INPUT. */
export class Profiles {
  readonly #parts: ProfilesParts

  constructor(parts: ProfilesParts) {
    this.#parts = parts
  }

  /** The roles, by name. */
  async roles(): Promise<Role[]> {
    const rows = await this.#parts.database.read.selectFrom('role').selectAll().orderBy('name').execute()
    return rows.map(({ name, description, permissions }) => ({
      name,
      description,
      permissions: parsePermissions(permissions),
    }))
  }

  /** The profiles: those that are built in, the mightiest first, then the others by name. */
  async list(): Promise<ListedProfile[]> {
    const { read } = this.#parts.database
    const rows = await read.selectFrom('profile').selectAll().orderBy('name').execute()
    const counts = await read
      .selectFrom('account')
      .select(({ fn }) => ['profile', fn.countAll<number>().as('accounts')])
      .groupBy('profile')
      .execute()
    const accounts = (name: string) => counts.find(({ profile }) => profile === name)?.accounts ?? 0
    return [
      ...builtInProfiles.map((name) => ({ ...builtIn(name), accounts: accounts(name) })),
      ...rows.map((row) => ({
        name: row.name,
        description: row.description,
        tier: 'user' as const,
        isBuiltIn: false,
        roles: parseNames(row.roles),
        permissions: parsePermissions(row.permissions),
        accounts: accounts(row.name),
      })),
    ]
  }

  /** Makes a role. */
  async addRole(name: string, settings: RoleSettings, by: Author): Promise<ProfileChange> {
    const role = {
      name: demandName(name),
      description: parseDescription(settings.description ?? ''),
      permissions: JSON.stringify(demandPermissions(settings.permissions ?? [])),
    }
    return this.#transact(async (transaction) => {
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('role')
        .values(role)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows !== 1n)
        throw new AnnalsError('ALREADY_EXISTS', `there is a role "${role.name}" already`)
      return this.#tell(transaction, role.name, [this.#roleEvent(by, 'added', role)])
    })
  }

  /** Changes a role. What the profiles that have it allow changes with it. */
  async setRole(name: string, settings: RoleSettings, by: Author): Promise<ProfileChange> {
    demandChangeable(name)
    return this.#transact(async (transaction) => {
      const before = await roleRow(transaction, name)
      const after = {
        ...before,
        ...(settings.description === undefined
          ? {}
          : { description: parseDescription(settings.description) }),
        ...(settings.permissions === undefined
          ? {}
          : { permissions: JSON.stringify(demandPermissions(settings.permissions)) }),
      }
      if (after.description === before.description && after.permissions === before.permissions)
        return unchanged(name)
      await transaction.updateTable('role').set(after).where('name', '=', name).execute()
      for (const profile of await profilesWith(transaction, name)) await derive(transaction, profile)
      return this.#tell(transaction, name, [this.#roleEvent(by, 'updated', after)])
    })
  }

  /** Removes a role. Throws CHANGE_REFUSED while a profile has it. */
  async removeRole(name: string, by: Author): Promise<ProfileChange> {
    demandChangeable(name)
    return this.#transact(async (transaction) => {
      const role = await roleRow(transaction, name)
      const [profile] = await profilesWith(transaction, name)
      if (profile !== undefined)
        throw new AnnalsError('CHANGE_REFUSED', `the profile "${profile}" has the role "${name}"`)
      await transaction.deleteFrom('role').where('name', '=', name).execute()
      return this.#tell(transaction, name, [this.#roleEvent(by, 'removed', role)])
    })
  }

  /** Makes a profile of roles. */
  async add(name: string, settings: ProfileSettings, by: Author): Promise<ProfileChange> {
    const roles = [...new Set(settings.roles)]
    return this.#transact(async (transaction) => {
      await insertProfile(transaction, demandName(name), settings.description ?? '', roles)
      return this.#tell(transaction, name, [this.#profileEvent(by, 'added', name, roles)])
    })
  }

  /** Changes a profile. */
  async set(name: string, settings: ProfileSettings, by: Author): Promise<ProfileChange> {
    demandChangeable(name)
    return this.#transact(async (transaction) => {
      const before = await profileRow(transaction, name)
      const roles = [...new Set(settings.roles ?? parseNames(before.roles))]
      await demandRoles(transaction, roles)
      const after = {
        roles: JSON.stringify(roles),
        description: parseDescription(settings.description ?? before.description),
      }
      if (after.roles === before.roles && after.description === before.description) return unchanged(name)
      await transaction.updateTable('profile').set(after).where('name', '=', name).execute()
      await derive(transaction, name)
      return this.#tell(transaction, name, [this.#profileEvent(by, 'updated', name, roles)])
    })
  }

  /** Removes a profile. Throws CHANGE_REFUSED while an account has it. */
  async remove(name: string, by: Author): Promise<ProfileChange> {
    demandChangeable(name)
    return this.#transact(async (transaction) => {
      await this.#removeProfile(transaction, name)
      return this.#tell(transaction, name, [this.#profileEvent(by, 'removed', name, [])])
    })
  }

  /** Switches the auditor's profile on: it is made, with the role of its name. */
  async enableAuditor(by: Author): Promise<ProfileChange> {
    const permissions: readonly Permission[] = ['read-audit-log']
    const description = 'reads audit logs, and nothing else'
    return this.#transact(async (transaction) => {
      const there = await transaction
        .selectFrom('profile')
        .select('name')
        .where('name', '=', auditorProfile)
        .executeTakeFirst()
      if (there !== undefined) return unchanged(auditorProfile)
      const role = { name: auditorProfile, description, permissions: JSON.stringify(permissions) }
      // The role may still be there, for another profile that has it.
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('role')
        .values(role)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      await insertProfile(transaction, auditorProfile, description, [auditorProfile])
      return this.#tell(transaction, auditorProfile, [
        ...(numInsertedOrUpdatedRows === 1n ? [this.#roleEvent(by, 'added', role)] : []),
        this.#profileEvent(by, 'added', auditorProfile, [auditorProfile]),
      ])
    })
  }

  /** Switches it off. Throws CHANGE_REFUSED while an account has it. */
  async disableAuditor(by: Author): Promise<ProfileChange> {
    return this.#transact(async (transaction) => {
      const there = await transaction
        .selectFrom('profile')
        .select('name')
        .where('name', '=', auditorProfile)
        .executeTakeFirst()
      if (there === undefined) return unchanged(auditorProfile)
      await this.#removeProfile(transaction, auditorProfile)
      const events = [this.#profileEvent(by, 'removed', auditorProfile, [])]
      if ((await profilesWith(transaction, auditorProfile)).length === 0) {
        const role = await transaction
          .deleteFrom('role')
          .where('name', '=', auditorProfile)
          .returningAll()
          .executeTakeFirst()
        if (role !== undefined) events.push(this.#roleEvent(by, 'removed', role))
      }
      return this.#tell(transaction, auditorProfile, events)
    })
  }

  async #removeProfile(transaction: Transaction, name: string): Promise<void> {
    await profileRow(transaction, name)
    const account = await transaction
      .selectFrom('account')
      .select('name')
      .where('profile', '=', name)
      .executeTakeFirst()
    if (account !== undefined)
      throw new AnnalsError('CHANGE_REFUSED', `the account "${account.name}" has the profile "${name}"`)
    await transaction.deleteFrom('profile').where('name', '=', name).execute()
  }

  #roleEvent(
    by: Author,
    change: Change,
    { name, permissions }: { readonly name: string; readonly permissions: string },
  ): AuditEvent {
    return roleChanged(this.#parts.hostName, by, change, name, parsePermissions(permissions))
  }

  #profileEvent(by: Author, change: Change, name: string, roles: readonly string[]): AuditEvent {
    return profileChanged(this.#parts.hostName, by, change, name, roles)
  }

  async #tell(transaction: Transaction, name: string, events: readonly AuditEvent[]): Promise<ProfileChange> {
    const eventIds: string[] = []
    const occurred = this.#parts.clock.wallMicros()
    for (const event of events) eventIds.push(await enqueue(transaction, { ...event, occurred }))
    return { name, isChanged: true, eventIds }
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#parts.database.write.transaction().execute(work)
  }
}

/** Sees to it that there is a profile of that name. Throws INVALID_INPUT, naming those that there are. */
export async function demandProfile(transaction: Transaction, name: Profile): Promise<void> {
  if (isBuiltIn(name)) return
  const rows = await transaction.selectFrom('profile').select('name').orderBy('name').execute()
  const names = rows.map((row) => row.name)
  if (names.includes(name)) return
  const hint = name === auditorProfile ? ' ("annals profile enable auditor" switches that one on)' : ''
  throw new AnnalsError(
    'INVALID_INPUT',
    `"${name}" is no profile: expected one of ${[...builtInProfiles, ...names].join(', ')}${hint}`,
  )
}

const tierDescriptions: Readonly<Record<Tier, string>> = {
  'main-administrator': 'may do everything',
  'central-administrator': "may do everything, but not let anybody record the node's own codes",
  user: 'may do nothing here',
}

function builtIn(name: Tier): Omit<ListedProfile, 'accounts'> {
  return {
    name,
    description: tierDescriptions[name],
    tier: name,
    isBuiltIn: true,
    roles: [],
    permissions: tierPermissions[name],
  }
}

function demandName(name: string): string {
  demandChangeable(name)
  if (isBuiltIn(name)) throw builtInRefused(name)
  if (new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${profileNameCharacters - 1}}$`).test(name)) return name
  throw new AnnalsError(
    'INVALID_INPUT',
    `a name here has 1 to ${profileNameCharacters} letters, digits, ".", "_" or "-", and begins with a letter or digit`,
  )
}

// Whoever sees that name relies on what it is.
function demandChangeable(name: string): void {
  if (name !== auditorProfile) return
  throw new AnnalsError(
    'CHANGE_REFUSED',
    `"${name}" reads audit logs, and nothing else: it is switched with "annals profile enable ${name}" and "annals profile disable ${name}"`,
  )
}

function demandPermissions(names: readonly string[]): readonly Permission[] {
  const wrong = names.find((name) => !rolePermissions.some((permission) => permission === name))
  if (wrong === undefined && names.length > 0)
    return rolePermissions.filter((permission) => names.includes(permission))
  throw new AnnalsError(
    'INVALID_INPUT',
    `${wrong === undefined ? 'a role needs at least one permission' : `"${wrong}" is nothing that a role can allow`}: ` +
      `expected ${rolePermissions.join(' or ')}; to manage anything takes an administrator's profile`,
  )
}

function unchanged(name: string): ProfileChange {
  return { name, isChanged: false, eventIds: [] }
}
