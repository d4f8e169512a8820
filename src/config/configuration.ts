// The configuration of a node: one frozen value, complete and checked. Flags come before the environment, that before
// the file, and that before the defaults.

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AnnalsError } from '../errors.ts'
import { configurationFileBytes } from '../limits.ts'
import { type Assignment, isProblem, parseAssignment, type Problem, type Value } from './assignment.ts'
import { fileVariable, readEnvironment } from './environment.ts'
import { readConfigurationFile } from './file.ts'
import { isHostName } from '../entry/host-name.ts'
import { isLoopback, type Listen, parseListen } from './listen.ts'
import { defaultPublicUrl, isBeyondLoopback } from './public-url.ts'
import type { logLevels, Role } from './schema.ts'
import { roleDefault, settings } from './setting.ts'

/** The level of the operator's log. */
export type LogLevel = (typeof logLevels)[number]

/** What a node needs to know. Paths are absolute. */
export interface Configuration {
  readonly data: string
  readonly listen: Listen
  readonly hostName: string
  readonly timeZone: string
  /** An origin, without a slash at its end. */
  readonly publicUrl: string
  /** True where `publicUrl` was made from `listen`, and is made again once the port is known. */
  readonly isPublicUrlDerived: boolean
  /** Undefined: plain HTTP. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined
  readonly basicAuthentication: boolean
  readonly lockout: { readonly failures: number; readonly minutes: number }
  readonly adminPasswordFile: string | undefined
  readonly instanceName: string
  readonly region: string
  readonly accessTokenSeconds: number
  readonly tokenKeyDays: number
  readonly issuersFile: string | undefined
  /** Of a gateway. */
  readonly instancesFile: string | undefined
  /** Addresses of proxies, as `parseAddressRanges` reads them. */
  readonly trustedProxies: string | undefined
  readonly minFreeBytes: number
  /** 0: the log is not checked in the background. */
  readonly recheckDays: number
  readonly logLevel: LogLevel
  readonly answerStallSeconds: number
  readonly stopTimeoutSeconds: number
  readonly engineTimeoutSeconds: number
  readonly engineResumeSeconds: number
  /** Of an engine: where it listens for its portal, and where that reaches it. */
  readonly portalListen: Listen
  readonly advertise: string | undefined
  /** Of an engine: the URL of the portal to join, an origin, and the file with the token. */
  readonly join: string | undefined
  readonly tokenFile: string | undefined
  /** Where syslog is taken in; undefined each where it is not. */
  readonly syslog: {
    /** A unix datagram socket. */
    readonly socket: string | undefined
    readonly udp: Listen | undefined
    readonly tcp: Listen | undefined
    readonly tls: Listen | undefined
    /** Whose client certificates are demanded over TLS. */
    readonly clientCaFile: string | undefined
    readonly allowBeyondLoopback: boolean
  }
  /** Patterns of files whose lines are recorded, absolute. */
  readonly follow: readonly string[]
  readonly followMappingFile: string | undefined
  /** Witnesses beyond the node's peers, and logs that it cosigns for beyond theirs. */
  readonly witnessPolicyFile: string | undefined
  /** The unix socket at which programs of this machine may record. */
  readonly recordSocket: string
  /** True where nobody named it. */
  readonly isRecordSocketDerived: boolean
}

/** What a configuration is made from. */
export interface Sources {
  /** Flags by the settings' keys, as typed. */
  readonly flags: Readonly<Record<string, string>>
  /** `--config`, where given. */
  readonly file: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What relative paths of flags and variables are relative to. */
  readonly directory: string
  /** The default of `hostName`. */
  readonly machineName: string
  /** Whose defaults count; a portal's unless it is given. */
  readonly role?: Role
  /** Defaults that come before those, by the settings' keys. */
  readonly defaults?: Readonly<Record<string, string>>
}

/** Puts a configuration together. Throws INVALID_CONFIGURATION, which lists everything that is wrong. */
export function resolveConfiguration(sources: Sources): Configuration {
  const problems: Problem[] = []
  const values = new Map<string, Value>()
  const origins = new Map<string, string>()
  // Least first, so that what comes later wins. A value that loses is checked all the same: it is wrong somewhere.
  for (const assignment of [
    ...fromFile(sources, problems),
    ...fromEnvironment(sources, problems),
    ...fromFlags(sources),
  ]) {
    const value = parseAssignment(assignment)
    if (isProblem(value)) problems.push(value)
    else {
      values.set(assignment.setting.key, value)
      origins.set(assignment.setting.key, assignment.origin)
    }
  }
  const configuration = complete(values, sources)
  problems.push(...contradictions(configuration, values, (key) => origins.get(key) ?? key))
  if (problems.length > 0) throw refusal(problems)
  return deepFreeze(configuration)
}

/** The same configuration, for a node that keeps its data elsewhere, its record socket with it. */
export function withData(configuration: Configuration, data: string): Configuration {
  const recordSocket = defaultRecordSocket(data)
  return deepFreeze({ ...configuration, data, recordSocket, isRecordSocketDerived: true })
}

/** The same configuration, for the port that port 0 became. */
export function withPort(configuration: Configuration, port: number): Configuration {
  const { hostName, isPublicUrlDerived, tls } = configuration
  const listen = { ...configuration.listen, port }
  const publicUrl = isPublicUrlDerived
    ? defaultPublicUrl(listen, hostName, tls !== undefined)
    : configuration.publicUrl
  return deepFreeze({ ...configuration, listen, publicUrl })
}

function fromFile({ file, environment, directory }: Sources, problems: Problem[]): Assignment[] {
  const named = file ?? (environment[fileVariable] === '' ? undefined : environment[fileVariable])
  if (named === undefined) return []
  const path = resolve(directory, named)
  try {
    const bytes = readFileSync(path)
    if (bytes.length > configurationFileBytes)
      throw new Error(`it is longer than ${configurationFileBytes} bytes`)
    const found = readConfigurationFile(bytes.toString(), path, dirname(path))
    problems.push(...found.problems)
    return found.assignments
  } catch (error) {
    const origin = file === undefined ? fileVariable : '--config'
    problems.push({
      origin,
      message: `${named} cannot be read: ${String(error)}`,
    })
    return []
  }
}

function fromEnvironment({ environment, directory }: Sources, problems: Problem[]): Assignment[] {
  const found = readEnvironment(environment, directory)
  problems.push(...found.problems)
  return found.assignments
}

function fromFlags({ flags, directory }: Sources): Assignment[] {
  return settings.flatMap((setting) => {
    const text = flags[setting.key]
    return text === undefined ? [] : [{ setting, text, origin: setting.flag, directory }]
  })
}

function complete(values: ReadonlyMap<string, Value>, sources: Sources): Configuration {
  const { machineName } = sources
  const read = (key: string) => values.get(key) ?? defaultOf(key, sources)
  const text = (key: string) => read(key) as string
  const optionalText = (key: string) => read(key) as string | undefined
  const number = (key: string) => read(key) as number
  const flag = (key: string) => read(key) as boolean
  const optionalListen = (key: string) => {
    const written = optionalText(key)
    return written === undefined ? undefined : parseListen(written)
  }
  const listen = parseListen(text('listen')) as Listen
  // Host names are the same in any case (RFC 4343), and the log's id holds this one.
  const hostName = (optionalText('hostName') ?? machineName).toLowerCase()
  const [certificateFile, keyFile] = [optionalText('tls.certificateFile'), optionalText('tls.keyFile')]
  const tls =
    certificateFile === undefined || keyFile === undefined ? undefined : { certificateFile, keyFile }
  const publicUrl = optionalText('publicUrl')
  const portal = optionalText('join')
  return {
    data: text('data'),
    listen,
    hostName,
    timeZone: text('timeZone'),
    publicUrl:
      publicUrl === undefined
        ? defaultPublicUrl(listen, hostName, tls !== undefined)
        : new URL(publicUrl).origin,
    isPublicUrlDerived: publicUrl === undefined,
    tls,
    basicAuthentication: flag('basicAuthentication'),
    lockout: { failures: number('lockout.failures'), minutes: number('lockout.minutes') },
    adminPasswordFile: optionalText('adminPasswordFile'),
    instanceName: optionalText('instanceName') ?? hostName.slice(0, 64),
    region: text('region'),
    accessTokenSeconds: number('accessTokenSeconds'),
    tokenKeyDays: number('tokenKeyDays'),
    issuersFile: optionalText('issuersFile'),
    instancesFile: optionalText('instancesFile'),
    trustedProxies: optionalText('trustedProxies'),
    minFreeBytes: number('minFreeBytes'),
    recheckDays: number('recheckDays'),
    logLevel: text('logLevel') as LogLevel,
    answerStallSeconds: number('answerStallSeconds'),
    stopTimeoutSeconds: number('stopTimeoutSeconds'),
    engineTimeoutSeconds: number('engineTimeoutSeconds'),
    engineResumeSeconds: number('engineResumeSeconds'),
    portalListen: parseListen(text('portalListen')) as Listen,
    advertise: optionalText('advertise'),
    join: portal === undefined ? undefined : new URL(portal).origin,
    tokenFile: optionalText('tokenFile'),
    syslog: {
      socket: optionalText('syslog.socket'),
      udp: optionalListen('syslog.udp'),
      tcp: optionalListen('syslog.tcp'),
      tls: optionalListen('syslog.tls'),
      clientCaFile: optionalText('syslog.clientCaFile'),
      allowBeyondLoopback: flag('syslog.allowBeyondLoopback'),
    },
    follow: (read('follow') as readonly string[] | undefined) ?? [],
    followMappingFile: optionalText('followMappingFile'),
    witnessPolicyFile: optionalText('witnessPolicyFile'),
    recordSocket: optionalText('recordSocket') ?? defaultRecordSocket(text('data')),
    isRecordSocketDerived: optionalText('recordSocket') === undefined,
  }
}

function defaultOf(key: string, { directory, role, defaults }: Sources): Value | undefined {
  const setting = settings.find((setting) => setting.key === key)
  const ofRole = setting && roleDefault(setting, role ?? 'portal')
  const value = defaults?.[key] ?? ofRole
  return setting?.isPath && value !== undefined ? resolve(directory, String(value)) : value
}

function defaultRecordSocket(data: string): string {
  return join(data, 'record.sock')
}

// What no single setting can be blamed for.
function contradictions(
  configuration: Configuration,
  values: ReadonlyMap<string, Value>,
  originOf: (key: string) => string,
): Problem[] {
  const { listen, hostName, publicUrl, tls, isPublicUrlDerived } = configuration
  const problems: Problem[] = []
  const isPlainAllowed = values.get('allowPlainHttpBeyondLoopback') === true
  if (!isHostName(hostName)) {
    const message = `the machine's name ${JSON.stringify(hostName)} is no host name (RFC 1123): give this node one with --host-name`
    problems.push({ origin: 'hostName', message })
  }
  for (const [given, missing] of [keyAndCertificate, keyAndCertificate.toReversed()] as [string, string][]) {
    if (values.has(given) && !values.has(missing)) {
      problems.push({
        origin: originOf(given),
        message: `TLS needs a certificate and its key: "${missing}" is not set`,
      })
    }
  }
  if (
    tls === undefined &&
    !keyAndCertificate.some((key) => values.has(key)) &&
    !isLoopback(listen.host) &&
    !isPlainAllowed
  ) {
    problems.push({ origin: originOf('listen'), message: plainHttp })
  }
  if (
    !isPublicUrlDerived &&
    publicUrl.startsWith('http:') &&
    isBeyondLoopback(publicUrl) &&
    !isPlainAllowed
  ) {
    problems.push({ origin: originOf('publicUrl'), message: 'outside loopback the public URL must be https' })
  }
  problems.push(...syslogContradictions(configuration, originOf))
  return problems
}

// Who sends syslog is not known, unless it shows a certificate.
function syslogContradictions({ syslog, tls }: Configuration, originOf: (key: string) => string): Problem[] {
  const problems: Problem[] = []
  const report = (key: string, message: string) => problems.push({ origin: originOf(key), message })
  if (syslog.tls !== undefined && tls === undefined)
    report(
      'syslog.tls',
      'syslog over TLS needs the certificate and the key of this node: "tls.certificateFile"',
    )
  if (syslog.clientCaFile !== undefined && syslog.tls === undefined)
    report('syslog.clientCaFile', 'clients show certificates over TLS only: "syslog.tls" is not set')
  for (const name of ['udp', 'tcp', 'tls'] as const) {
    const at = syslog[name]
    const isProved = name === 'tls' && syslog.clientCaFile !== undefined
    if (at !== undefined && !isLoopback(at.host) && !isProved && !syslog.allowBeyondLoopback)
      report(`syslog.${name}`, openSyslog)
  }
  return problems
}

const openSyslog =
  'other machines can reach this address, and whoever can may record without proving who it is: listen on 127.0.0.1, ' +
  'demand certificates with --syslog-tls and --syslog-client-ca-file, or allow it with --syslog-allow-beyond-loopback'

const keyAndCertificate = ['tls.keyFile', 'tls.certificateFile']

const plainHttp =
  'other machines can reach this address, and passwords would travel in the clear: give a certificate with ' +
  '--tls-certificate-file and --tls-key-file, listen on 127.0.0.1, or allow it with --allow-plain-http-beyond-loopback'

/** INVALID_CONFIGURATION, with everything that is wrong. */
export function refusal(problems: readonly Problem[]): AnnalsError {
  const lines = problems.map(({ origin, message }) => `${origin}: ${message}`)
  const [only] = lines
  return new AnnalsError(
    'INVALID_CONFIGURATION',
    lines.length === 1 && only !== undefined
      ? `the configuration is wrong: ${only}`
      : `the configuration is wrong in ${lines.length} places:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  )
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
