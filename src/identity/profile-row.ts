// Roles and profiles at rest: their rows, read and written within the transaction of a change.

import type { Selectable } from 'kysely'
import type { Transaction } from '../database/database.ts'
import type { ProfileTable, RoleTable } from '../database/schema.ts'
import { AnnalsError } from '../errors.ts'
import { parseDescription } from './client.ts'
import { rolePermissions } from './permission.ts'
import { isBuiltIn, parsePermissions } from './profile.ts'

/** The refusal to make or change what is built in. */
export function builtInRefused(name: string): AnnalsError {
  return new AnnalsError('CHANGE_REFUSED', `the profile "${name}" is built in`)
}

/** Sees to it that there are such roles, and one at least. Throws INVALID_INPUT, DOES_NOT_EXIST. */
export async function demandRoles(transaction: Transaction, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new AnnalsError('INVALID_INPUT', 'a profile needs at least one role')
  for (const name of names) await roleRow(transaction, name)
}

/** The row of a role. Throws DOES_NOT_EXIST. */
export async function roleRow(transaction: Transaction, name: string): Promise<Selectable<RoleTable>> {
  const row = await transaction.selectFrom('role').selectAll().where('name', '=', name).executeTakeFirst()
  if (row === undefined) throw new AnnalsError('DOES_NOT_EXIST', `there is no role "${name}"`)
  return row
}

/** The row of a profile that is stored. Throws DOES_NOT_EXIST, and CHANGE_REFUSED for one that is built in. */
export async function profileRow(transaction: Transaction, name: string): Promise<Selectable<ProfileTable>> {
  if (isBuiltIn(name)) throw builtInRefused(name)
  const row = await transaction.selectFrom('profile').selectAll().where('name', '=', name).executeTakeFirst()
  if (row === undefined) throw new AnnalsError('DOES_NOT_EXIST', `there is no profile "${name}"`)
  return row
}

/** Writes a new profile. Throws ALREADY_EXISTS. */
export async function insertProfile(
  transaction: Transaction,
  name: string,
  description: string,
  roles: readonly string[],
): Promise<void> {
  await demandRoles(transaction, roles)
  const values = {
    name,
    description: parseDescription(description),
    tier: 'user',
    roles: JSON.stringify(roles),
    permissions: '[]',
  }
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('profile')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows !== 1n)
    throw new AnnalsError('ALREADY_EXISTS', `there is a profile "${name}" already`)
  await derive(transaction, name)
}

/** The names of the profiles that have a role. */
export async function profilesWith(transaction: Transaction, role: string): Promise<string[]> {
  const rows = await transaction.selectFrom('profile').select(['name', 'roles']).execute()
  return rows.filter(({ roles }) => parseNames(roles).includes(role)).map(({ name }) => name)
}

/** Keeps with a profile what its roles allow together. The accounts that have it prove themselves anew. */
export async function derive(transaction: Transaction, name: string): Promise<void> {
  const { roles } = await profileRow(transaction, name)
  const rows = await transaction
    .selectFrom('role')
    .select('permissions')
    .where('name', 'in', [...parseNames(roles)])
    .execute()
  const allowed = rows.flatMap(({ permissions }) => parsePermissions(permissions))
  const permissions = JSON.stringify(rolePermissions.filter((permission) => allowed.includes(permission)))
  await transaction.updateTable('profile').set({ permissions }).where('name', '=', name).execute()
  await transaction
    .updateTable('account')
    .set((row) => ({ credential_version: row('credential_version', '+', 1) }))
    .where('profile', '=', name)
    .execute()
}

/** Names as they are stored, read back. */
export function parseNames(json: string): readonly string[] {
  return JSON.parse(json) as readonly string[]
}
