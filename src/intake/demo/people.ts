// Who works where the demo plays. All of them are made up.

/** Those who administer the portal. */
export const administrators = ['anna.keller', 'm.rossi'] as const

/** Those who use the portal and the Finder the whole time. */
export const staff = [
  'd.okafor',
  'e.silva',
  'h.byrne',
  'j.novak',
  'k.lindqvist',
  'l.tanaka',
  'p.moreau',
  'r.haddad',
  's.van-dijk',
] as const

/** Who joins in the course of the time. */
export const newcomer = 'i.petrescu'
/** Who leaves in the course of the time. */
export const leaver = 't.weber'

/** Who forgets a new password, and is locked out for a while. */
export const forgetful = 'j.novak'
/** Whose account somebody else tries to get into. */
export const target = 'e.silva'

/** Accounts of programs: the SIEM that fetches the logs, and nightly and hourly jobs. */
export const services = {
  siem: 'svc-siem',
  backup: 'svc-backup',
  provisioning: 'svc-provisioning',
  directory: 'svc-ldap',
  reports: 'svc-report',
} as const
