// Events for tests of the outbox.

import type { AuditEvent } from '../../entry/event.ts'

/** The event of that number: its id and its message tell it from others. */
export function event(number: string): AuditEvent {
  return {
    id: `00000000-0000-4000-8000-${number.padStart(12, '0')}`,
    via: 'self',
    by: '*system',
    code: '20201',
    severity: 5,
    hostName: 'portal-01',
    occurred: 1_767_225_600_000_000,
    actor: 'admin',
    details: [['n', number]],
    message: `[Portal|USER|20201|admin] User ${number} is created`,
  }
}
