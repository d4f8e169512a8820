// The codes of Annals itself, in a range that the product's catalogue leaves free: 29000 to 29999. Any node writes
// them, under its own component and the category AUDIT. A code, once released, never means anything else.

/** An audit event of our own. */
export interface OwnCode {
  readonly code: number
  readonly description: string
  /** The message behind its header. */
  readonly template: string
  /** RFC 5424 severity: 5 is normal but significant, 4 a warning, 3 an error. */
  readonly severity: number
}

/** All of them, in order. */
export const ownCodes: readonly OwnCode[] = [
  // Reading (contract S7).
  {
    code: 29001,
    description: 'The audit log was read',
    template: 'Audit log read from {start} to {end}: positions {from} to {to}',
    severity: 5,
  },
  {
    code: 29002,
    description: 'A read with valid credentials was refused',
    template: 'Audit log read refused - {reason}',
    severity: 4,
  },
  {
    code: 29003,
    description: 'An answer broke before its end',
    template: 'Audit log transfer broken after {sent} of {bytes} bytes',
    severity: 4,
  },
  {
    code: 29004,
    description: 'Calls without valid credentials, summed up',
    template: '{n} calls without valid credentials in {seconds} seconds - {reasons}',
    severity: 4,
  },
  {
    code: 29005,
    description: 'Reads that could not be recorded',
    template: '{n} reads were not recorded - {reason}',
    severity: 4,
  },
  {
    code: 29006,
    description: "All engines' audit logs were read",
    template: 'Audit logs of {engines} engines read from {start} to {end}',
    severity: 5,
  },
  // The log about itself.
  {
    code: 29011,
    description: 'The log begins',
    template: 'Log {log} begins',
    severity: 5,
  },
  {
    code: 29012,
    description: 'The clock stepped',
    template: 'Clock stepped by {milliseconds} ms',
    severity: 4,
  },
  {
    code: 29013,
    description: 'What an unclean stop left of a batch was cut off',
    template: '{bytes} bytes cut from the end of the log after an unclean stop',
    severity: 4,
  },
  {
    code: 29014,
    description: 'An index was wrong and is rebuilt',
    template: 'Index of segment {segment} was wrong and is rebuilt - {reason}',
    severity: 4,
  },
  {
    code: 29015,
    description: 'A commit failed',
    template: 'A commit failed; the log goes on from position {position} - {reason}',
    severity: 3,
  },
  {
    code: 29016,
    description: 'Recording is refused for want of space',
    template: 'Recording refused for want of space',
    severity: 3,
  },
  {
    code: 29017,
    description: 'Recording resumed',
    template: 'Recording resumed; {n} events were refused',
    severity: 4,
  },
  // Import (contract W9).
  {
    code: 29021,
    description: 'History was imported',
    template:
      'Imported {files} files: {lines} lines, of which {parsed} parsed, {kept raw} kept raw and {blank} blank; ' +
      '{raised} raised in time: {each}',
    severity: 5,
  },
  // Accounts, beyond the product's own codes.
  {
    code: 29031,
    description: 'An account was unlocked',
    template: 'User {unlocked account} is unlocked',
    severity: 5,
  },
  // Engines, beyond the product's own codes.
  {
    code: 29041,
    description: 'A token with which an engine can join was made',
    template: 'Token {token} made, with which {engine} can join until {until}',
    severity: 5,
  },
  {
    code: 29042,
    description: 'An engine is to be connected again',
    template: 'Engine {engine} is to be connected again',
    severity: 5,
  },
  {
    code: 29043,
    description: 'An engine became unreachable',
    template: 'Engine {engine} is unreachable - {reason}',
    severity: 4,
  },
  {
    code: 29044,
    description: 'An engine that was unreachable answers again',
    template: 'Engine {engine} answers again after {seconds} seconds',
    severity: 5,
  },
  {
    code: 29045,
    description: 'The clocks of an engine and its portal differ',
    template: 'Clock of engine {engine} differs by {milliseconds} ms',
    severity: 4,
  },
  {
    code: 29046,
    description: 'The next TLS certificate of a node is held by the other side',
    template: 'Next TLS certificate {certificate} of {owner} is held by {holder}',
    severity: 5,
  },
  {
    code: 29047,
    description: 'The TLS certificate of a node was switched',
    template: 'TLS certificate of {owner} is {certificate} from now on',
    severity: 5,
  },
  {
    code: 29048,
    description: 'An engine joined its portal',
    template: 'Joined portal {portal}',
    severity: 5,
  },
  // Who may: clients, tokens and limits.
  {
    code: 29051,
    description: 'An access token was issued',
    template: 'Access token {token} issued to {client} for {scope}',
    severity: 5,
  },
  {
    code: 29052,
    description: 'The authorization server refused a client with valid credentials',
    template: 'Request of {client} to the authorization server refused - {reason}',
    severity: 4,
  },
  {
    code: 29053,
    description: 'An access token was revoked',
    template: 'Access token {token} of {client} revoked',
    severity: 5,
  },
  {
    code: 29054,
    description: 'A client was added',
    template: 'Client {client} named {name} is added',
    severity: 5,
  },
  {
    code: 29055,
    description: 'A client was changed',
    template: 'Client {client} named {name} is changed - {change}',
    severity: 5,
  },
  {
    code: 29056,
    description: 'A client was removed',
    template: 'Client {client} named {name} is removed',
    severity: 5,
  },
  {
    code: 29057,
    description: 'The key that access tokens are signed with was replaced',
    template: 'Access tokens are signed with key {key} from now on - {reason}',
    severity: 5,
  },
  {
    code: 29058,
    description: 'A limit on attempts was hit',
    template: 'Too many attempts refused for {seconds} seconds - {limit}',
    severity: 4,
  },
  {
    code: 29059,
    description: 'An authorization server of others was configured, changed or removed',
    template: 'Authorization server {issuer} is {change}',
    severity: 5,
  },
  // The regional gateway.
  {
    code: 29061,
    description: 'A gateway or an engine refused a call without a valid access token',
    template: 'Call without a valid access token refused - {reason}',
    severity: 4,
  },
  {
    code: 29062,
    description: 'The instances of the gateway were loaded',
    template: 'Gateway of region {region} serves {n} instances',
    severity: 5,
  },
  {
    code: 29063,
    description: 'An instance does not answer its gateway',
    template: 'Instance {instance} does not answer - {reason}',
    severity: 4,
  },
  {
    code: 29064,
    description: 'An instance answers its gateway again',
    template: 'Instance {instance} answers again after {seconds} seconds',
    severity: 5,
  },
  {
    code: 29065,
    description: 'A gateway started',
    template: 'Gateway started',
    severity: 5,
  },
  {
    code: 29066,
    description: 'A gateway stopped',
    template: 'Gateway stopped',
    severity: 5,
  },
  // Recording (invariant I7).
  {
    code: 29071,
    description: 'Events from outside were not recorded, summed up',
    template: '{n} events were not recorded in {seconds} seconds - {reasons}',
    severity: 4,
  },
  {
    code: 29072,
    description: 'A request to record with valid credentials was refused',
    template: 'Recording refused - {reason}',
    severity: 4,
  },
  {
    code: 29073,
    description: 'Lines of a followed file may have been lost',
    template: 'Lines of {file} may have been lost - {reason}',
    severity: 4,
  },
  {
    code: 29074,
    description: 'The node takes in events from a source',
    template: 'Events are taken in from {source}',
    severity: 5,
  },
  {
    code: 29075,
    description: 'An engine learned the keys of access tokens from its portal',
    template: 'Access tokens of {issuer} are accepted with keys {keys}',
    severity: 5,
  },
  {
    code: 29076,
    description: 'Connections of syslog senders were refused, summed up',
    template: '{n} connections of syslog senders were refused in {seconds} seconds - {reasons}',
    severity: 4,
  },
  // Proofs.
  {
    code: 29081,
    description: 'The keys that sign the checkpoints of the log',
    template: 'Checkpoints of {origin} are signed with {keys}',
    severity: 5,
  },
  {
    code: 29082,
    description: 'A witness begins with a log of which it has seen nothing',
    template: 'Witness begins with log {origin} at size {size}',
    severity: 5,
  },
  {
    code: 29083,
    description: 'A log contradicts what its witness saw of it',
    template: 'Log {origin} contradicts what was seen of it - {reason}: seen {seen}, shown {shown}',
    severity: 3,
  },
  {
    code: 29084,
    description: 'A node told the keys of its log and of its witness',
    template: 'Log {log} of {owner} is known by other keys from now on',
    severity: 5,
  },
  {
    code: 29086,
    description: 'The log has new keys, which sign beside the old ones for a month',
    template: 'Checkpoints are signed with the new key {key} beside the old one {old}',
    severity: 5,
  },
  {
    code: 29087,
    description: 'The old keys of the log were destroyed',
    template: 'The old key of the log is destroyed - {old}',
    severity: 5,
  },
  {
    code: 29088,
    description: 'This log continues another one, which was closed',
    template:
      'This log {log} continues {old}, closed with {size} entries ({witnessed}) and root {root} - {reason}',
    severity: 4,
  },
  {
    code: 29090,
    description: 'The background check found damage in the log',
    template: 'Damage was found in {place} - {reason}',
    severity: 2,
  },
  {
    code: 29091,
    description: 'Damage that the background check had found is gone',
    template: 'The damage in {place} is gone - {reason}',
    severity: 5,
  },
]

/** The one of that number. */
export function ownCode(code: number): OwnCode | undefined {
  return ownCodes.find((own) => own.code === code)
}
