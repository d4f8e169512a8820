// What somebody may be allowed, and to whom each tier of the product allows it. The tiers and what they manage are as the
// product documents them; recording, keys and the node's own codes are ours.

/** Every permission. */
export const permissions = [
  'read-audit-log',
  'record-events',
  'manage-accounts',
  'manage-profiles',
  'manage-clients',
  'manage-engines',
  'manage-keys',
  'grant-own-codes',
] as const

/** One of them. */
export type Permission = (typeof permissions)[number]

/** The tiers, the mightiest first. */
export const tiers = ['main-administrator', 'central-administrator', 'user'] as const

/** What a profile is of. */
export type Tier = (typeof tiers)[number]

/** What each tier may by itself. */
export const tierPermissions: Readonly<Record<Tier, readonly Permission[]>> = {
  'main-administrator': permissions,
  // All but to let somebody record the node's own codes.
  'central-administrator': permissions.filter((permission) => permission !== 'grant-own-codes'),
  user: [],
}

/** What roles may give to users: to manage anything takes the tier of an administrator. */
export const rolePermissions = ['read-audit-log', 'record-events'] as const satisfies readonly Permission[]
