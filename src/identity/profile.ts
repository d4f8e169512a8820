// Profiles: the tiers of accounts, and what each may do.

import { AnnalsError } from '../errors.ts'

/** Every profile, the mightiest first. */
export const profiles = ['main-administrator', 'central-administrator', 'user'] as const

/** What an account is. */
export type Profile = (typeof profiles)[number]

/** Something that a profile may allow. */
export type Permission = 'read-audit-log' | 'manage-accounts'

/** The profile of that name. Throws INVALID_INPUT, naming those that there are. */
export function parseProfile(text: string): Profile {
  const profile = profiles.find((known) => known === text)
  if (profile !== undefined) return profile
  throw new AnnalsError('INVALID_INPUT', `"${text}" is no profile: expected one of ${profiles.join(', ')}`)
}

/** The profile of a stored account. Throws INTERNAL where it is none: nobody may in doubt. */
export function storedProfile(text: string): Profile {
  const profile = profiles.find((known) => known === text)
  if (profile !== undefined) return profile
  throw new AnnalsError('INTERNAL', 'an account has a profile that is not known', {
    detail: `profile "${text}"`,
  })
}

/** Whether a profile allows something. */
export function allows(profile: Profile, permission: Permission): boolean {
  return permissions[profile].has(permission)
}

/** Whether an account of this profile may read audit logs: main and central administrators may (S1). */
export function mayReadAuditLog({ profile }: { readonly profile: Profile }): boolean {
  return allows(profile, 'read-audit-log')
}

const permissions: Record<Profile, ReadonlySet<Permission>> = {
  'main-administrator': new Set<Permission>(['read-audit-log', 'manage-accounts']),
  'central-administrator': new Set<Permission>(['read-audit-log']),
  user: new Set<Permission>(),
}
