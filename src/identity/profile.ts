// Profiles: what accounts are. Those of the tiers are built in; others are made of roles, and are of the tier of users.

import { AnnalsError } from '../errors.ts'
import { type Permission, permissions, type Tier, tierPermissions, tiers } from './permission.ts'
import { noRights, type RecordBounds, type Rights } from './rights.ts'

/** The name of a profile. */
export type Profile = string

/** The profiles that are always there. */
export const builtInProfiles: readonly Tier[] = tiers

/** The one of ours that can be switched on: it reads audit logs, and does nothing else. */
export const auditorProfile = 'auditor'

/** Whether a profile is one of those. */
export function isBuiltIn(profile: Profile): profile is Tier {
  return builtInProfiles.some((known) => known === profile)
}

/** What a profile allows; `stored` is what the database has for one that is not built in, as JSON. */
export function permissionsOf(profile: Profile, stored: string | null | undefined): readonly Permission[] {
  if (isBuiltIn(profile)) return tierPermissions[profile]
  // Nobody may in doubt.
  if (typeof stored !== 'string')
    throw new AnnalsError('INTERNAL', 'an account has a profile that is not known', {
      detail: `profile "${profile}"`,
    })
  return parsePermissions(stored)
}

/** Permissions as they are stored, read back. Those that are not known any more allow nothing. */
export function parsePermissions(json: string): readonly Permission[] {
  const names = JSON.parse(json) as readonly string[]
  return permissions.filter((permission) => names.includes(permission))
}

/** What permissions let a caller do over HTTP (S1). Nobody records the node's own codes with a password. */
export function rightsOfPermissions(allowed: readonly Permission[]): Rights {
  const reads = allowed.includes('read-audit-log')
  const records = allowed.includes('record-events')
  if (!reads && !records) return noRights
  return { reads: reads ? 'all' : [], records: records ? anyEvent : undefined }
}

const anyEvent: RecordBounds = { components: 'any', codes: 'any', ownCodes: false }
