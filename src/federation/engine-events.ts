// What is recorded of engines, with the catalogue's codes and our own. The catalogue has no templates for 20701 to
// 20704: their messages are its descriptions, and everything else stands in the entry's fields. No secret of a token is
// ever in them.

import type { AuditEvent, Micros } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import { formatMicros } from '../entry/time.ts'

/** Who orders something: an account with its session, or `*cli:<user>`, or `*system`. */
export interface Author {
  readonly actor: string
  readonly session?: string
}

/** The node that records. */
export interface Recorded {
  readonly hostName: string
  /** `Portal` unless it is given. */
  readonly component?: string
}

/** What an event tells of an engine, or of a portal. */
export interface ToldNode {
  readonly hostName: string
  readonly log: string
  /** The log's public key, base64. */
  readonly logKey: string
  /** What was told of the log's keys and of the witness's (`node-keys.ts`). */
  readonly keys?: string | undefined
  /** The fingerprint. */
  readonly certificate: string
  /** Of an engine. */
  readonly address?: string
}

const system: Author = { actor: '*system' }

/** 20701: by whoever made the token that it joined with. */
export function engineAdded(node: Recorded, by: Author, engine: ToldNode, token: string): AuditEvent {
  return changed(node, by, 20701, engine, { token })
}

/** 20702: another one takes its place. */
export function engineRemoved(node: Recorded, by: Author, engine: ToldNode): AuditEvent {
  return changed(node, by, 20702, engine)
}

/** 20703: the first call over mutual TLS succeeded. */
export function engineConnected(node: Recorded, engine: ToldNode): AuditEvent {
  return changed(node, system, 20703, engine)
}

/** 20704. */
export function engineDisconnected(node: Recorded, by: Author, engine: ToldNode): AuditEvent {
  return changed(node, by, 20704, engine)
}

/** What an event tells of a token. */
export interface ToldToken {
  readonly id: string
  /** The only engine that may use it. */
  readonly hostName: string | undefined
  readonly mayReplace: boolean
  readonly until: Micros
}

/** 29041. */
export function tokenMade(node: Recorded, by: Author, token: ToldToken): AuditEvent {
  const { id, hostName, mayReplace, until } = token
  return selfEvent({
    ...node,
    ...by,
    code: 29041,
    outcome: 'success',
    target: hostName === undefined ? 'engine' : targetOf(hostName),
    fields: { token: id, engine: hostName ?? 'any engine', until: formatMicros(until) },
    eventParams: [['replace', String(mayReplace)]],
  })
}

/** 29042. */
export function reconnectOrdered(node: Recorded, by: Author, hostName: string): AuditEvent {
  return told(node, by, 29042, hostName)
}

/** 29043: told once, until it answers again. */
export function engineUnreachable(node: Recorded, hostName: string, reason: string): AuditEvent {
  return told(node, system, 29043, hostName, { reason })
}

/** 29044. */
export function engineAnswersAgain(node: Recorded, hostName: string, seconds: number): AuditEvent {
  return told(node, system, 29044, hostName, { seconds: String(seconds) })
}

/** 29045: told once, until they agree again. */
export function clockDiffers(node: Recorded, hostName: string, offsetMicros: number): AuditEvent {
  return told(node, system, 29045, hostName, { milliseconds: String(Math.round(offsetMicros / 1000)) })
}

/** Whose certificate is rotated, and its fingerprint. */
export interface ToldCertificate {
  /** A host name. */
  readonly owner: string
  readonly certificate: string
}

/** 29046: from now on `holder`, a host name, trusts the owner's next certificate too. */
export function nextCertificateHeld(
  node: Recorded,
  by: Author,
  { owner, certificate }: ToldCertificate,
  holder: string,
): AuditEvent {
  const fields = { owner, certificate, holder }
  return selfEvent({
    ...node,
    ...by,
    code: 29046,
    outcome: 'success',
    target: `certificate/${owner}`,
    fields,
  })
}

/** 29047: from now on the owner shows this certificate, and the one before it is trusted no longer. */
export function certificateSwitched(
  node: Recorded,
  by: Author,
  { owner, certificate }: ToldCertificate,
): AuditEvent {
  const fields = { owner, certificate }
  return selfEvent({
    ...node,
    ...by,
    code: 29047,
    outcome: 'success',
    target: `certificate/${owner}`,
    fields,
  })
}

/** 29084: from now on the log of `owner`, a host name, and its witness are known by these keys. */
export function keysLearned(
  node: Recorded,
  { owner, log, keys }: { readonly owner: string; readonly log: string; readonly keys: string },
): AuditEvent {
  const fields = { owner, log, keys }
  return selfEvent({ ...node, ...system, code: 29084, outcome: 'success', target: `log/${owner}`, fields })
}

/** 29048: for the engine's log. */
export function portalJoined(node: Recorded, by: Author, portal: ToldNode, token: string): AuditEvent {
  const fields = { portal: portal.hostName, token, ...identityOf(portal) }
  return selfEvent({
    ...node,
    ...by,
    code: 29048,
    outcome: 'success',
    target: `portal/${portal.hostName}`,
    fields,
  })
}

function changed(
  node: Recorded,
  by: Author,
  code: number,
  engine: ToldNode,
  more: Readonly<Record<string, string>> = {},
): AuditEvent {
  return told(node, by, code, engine.hostName, { ...identityOf(engine), ...more }, 'success')
}

function told(
  node: Recorded,
  by: Author,
  code: number,
  engine: string,
  more: Readonly<Record<string, string>> = {},
  outcome?: 'success',
): AuditEvent {
  const fields = { engine, ...more }
  return selfEvent({
    ...node,
    ...by,
    code,
    target: targetOf(engine),
    fields,
    ...(outcome === undefined ? {} : { outcome }),
  })
}

function identityOf({ log, logKey, keys, certificate, address }: ToldNode): Record<string, string> {
  return {
    log,
    key: logKey,
    ...(keys === undefined ? {} : { keys }),
    certificate,
    ...(address === undefined ? {} : { address }),
  }
}

function targetOf(hostName: string): string {
  return `engine/${hostName}`
}

/** 29075. */
export function tokenKeysLearned(node: Recorded, issuer: string, kids: readonly string[]): AuditEvent {
  return selfEvent({
    code: 29075,
    ...system,
    ...node,
    outcome: 'success',
    target: `issuer/${issuer}`,
    fields: { issuer, keys: kids.join(' ') },
  })
}
