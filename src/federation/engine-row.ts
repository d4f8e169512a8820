// An engine at rest: what a row of the table `engine` says.

import type { Selectable } from 'kysely'
import type { EngineTable } from '../database/schema.ts'
import type { LogId } from '../entry/event.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import type { Engine, EngineDescription } from './engine.ts'
import type { ToldNode } from './engine-events.ts'

/** A row, as it is read. */
export type EngineRow = Selectable<EngineTable>

/** Reads a certificate in PEM. */
type ReadCertificate = (pem: string) => Certificate

/** The engine that a row tells of. */
export function engineOf(row: EngineRow, read: ReadCertificate = parseCertificate): Engine {
  const { unreachable_since: since, unreachable_reason: reason } = row
  return {
    id: row.id,
    hostName: row.host_name,
    state: row.state,
    stateAt: row.state_at,
    joinedAt: row.joined_at,
    address: row.address,
    log: row.log as LogId,
    logKey: row.log_key,
    keys: row.keys ?? undefined,
    certificate: read(row.certificate),
    nextCertificate: row.next_certificate === null ? undefined : read(row.next_certificate),
    portalCertificate: row.portal_certificate,
    nextPortalCertificate: row.next_portal_certificate ?? undefined,
    lastContact: row.last_contact ?? undefined,
    unreachable: since === null ? undefined : { since, reason: reason ?? '' },
    described: describedOf(row),
  }
}

/** What events tell of it. */
export function toldOf(row: EngineRow): ToldNode {
  return {
    hostName: row.host_name,
    log: row.log,
    logKey: row.log_key,
    keys: row.keys ?? undefined,
    certificate: parseCertificate(row.certificate).fingerprint,
    address: row.address,
  }
}

function describedOf(row: EngineRow): EngineDescription | undefined {
  const { log_size, log_bytes, last_entry_at, version, clock_offset } = row
  if (log_size === null || log_bytes === null || version === null || clock_offset === null) return undefined
  return {
    logSize: log_size,
    logBytes: log_bytes,
    lastEntryAt: last_entry_at ?? undefined,
    version,
    clockOffsetMicros: clock_offset,
  }
}
