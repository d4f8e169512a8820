// Whether an account may do something, for whoever makes changes in its name.

import type { Transaction } from '../database/database.ts'
import type { ReadAccountState } from './account-state.ts'
import { normalizeName } from './account.ts'
import type { Permission } from './permission.ts'

/** Looks it up within a transaction; undefined where there is no such account. */
export function accountPermission(
  readState: ReadAccountState,
): (account: string, permission: Permission, within: Transaction) => Promise<boolean | undefined> {
  return async (account, permission, within) => {
    const state = await readState(normalizeName(account), undefined, within)
    return state?.permissions.includes(permission)
  }
}
