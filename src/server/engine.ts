// The composition root of an engine: the only file that names every part of one and puts them together.

import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import { withPort } from '../config/configuration.ts'
import { formatListen, type Listen, parseListen } from '../config/listen.ts'
import { AnnalsError } from '../errors.ts'
import { portalJoined } from '../federation/engine-events.ts'
import { EngineSide } from '../federation/engine-side.ts'
import { addressTowards, askToJoin } from '../federation/ask-to-join.ts'
import type { JoinToken } from '../federation/join-token.ts'
import { KeptTokenTrust } from '../federation/kept-token-trust.ts'
import { PortalTrust } from '../federation/portal-trust.ts'
import { openTlsIdentity } from '../federation/tls-identity.ts'
import { HttpWitnesses } from '../federation/witness/http-witness.ts'
import type { WitnessPeer } from '../federation/witness/witness-peer.ts'
import { createEngineApp, createInnerApp } from '../http/app.ts'
import { EngineTokens } from '../identity/engine-tokens.ts'
import { Failures } from '../identity/failures.ts'
import type { FailedCall } from '../identity/login-events.ts'
import { callRefused } from '../identity/token-events.ts'
import { recordAbnormalStop } from '../intake/engine-life.ts'
import { innerStallMs } from '../limits.ts'
import { dataLayout } from '../log/layout.ts'
import { annalsVersion } from '../ops/version.ts'
import { realDisk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import {
  closeHttp,
  listenAt,
  type NodeBase,
  type NodeOptions,
  openNode,
  recordPhase,
  type RunningNode,
  serverCommands,
  trustedProxies,
  warnUnrecorded,
} from './node.ts'
import { openRecordSocket } from './record-socket.ts'
import { openIntake, openSources } from './sources.ts'
import { readWitnessPolicy } from './witness-policy.ts'
import { askWitnessesOf, beginExchange, openWitness, portalWitness, toldKeys } from './witnessing.ts'

/** What an engine is started with. */
export interface EngineOptions extends NodeOptions {
  /** Reads the token to join with. Called only by an engine that has not joined and is told to. */
  readonly token: () => Promise<JoinToken>
}

/** An engine that runs. */
export interface RunningEngine extends RunningNode {
  /** Where it listens for its portal. */
  readonly portalListen: Listen
  /** The portal that it has joined, now or before. */
  readonly portal: { readonly hostName: string; readonly url: string } | undefined
}

/** Starts an engine, joins its portal where it is told to and has not, and returns once it is ready. */
export async function startEngine(options: EngineOptions): Promise<RunningEngine> {
  const { configuration, logger, clock } = options
  const { data, hostName, listen, stopTimeoutSeconds } = configuration
  // As the product's own engines name themselves.
  const phases = { component: hostName, actor: 'nxengine' }
  await using parts = new AsyncDisposableStack()
  const policy = await readWitnessPolicy(configuration.witnessPolicyFile)
  const ask = askWitnessesOf(options, policy, async (asking) => {
    const http = asking.use(new HttpWitnesses())
    return portalsOf(http, await PortalTrust.open(realDisk, data))
  })
  const node = await openNode(parts, options, hostName, serverCommands.engine, ask)
  const { log, metrics, health, record } = node
  await recordAbnormalStop(log, record, phases)
  parts.defer(() => recordPhase(node, options, phases, '10003', true))
  const intake = openIntake(parts, node, options, phases)
  const identity = await openTlsIdentity({
    disk: realDisk,
    directory: dataLayout(data).tls,
    hostName,
    now: clock.wallMicros(),
  })
  const changed = () => (inner.server as unknown as TlsServer).setSecureContext(side.tlsOptions())
  const trust = await PortalTrust.open(realDisk, data, () => changed())
  const tokens = await KeptTokenTrust.open({
    disk: realDisk,
    directory: data,
    portalLog: () => trust.portal?.log,
    node: { hostName, component: hostName },
    record,
    logger,
  })
  const peers = async () => (trust.portal === undefined ? [] : [trust.portal])
  const witness = await openWitness(parts, node, options, { component: hostName, peers, policy })
  const keys = () => toldKeys(log, witness)
  const side = parts.use(
    new EngineSide({
      keys,
      log,
      identity,
      trust,
      tokens,
      clock,
      record,
      component: hostName,
      version: annalsVersion(),
      logger,
    }),
  )
  const face = {
    log,
    witness,
    hostName,
    component: hostName,
    metrics: metrics.http,
    logger,
    isReady: () => health.isReady(),
    health: () => health.report(),
    version: annalsVersion(),
  }
  const inner = createInnerApp({
    ...face,
    side,
    tls: side.tlsOptions(),
    bounds: { answerStallMs: innerStallMs },
  })
  inner.server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    metrics.http.refused('FORBIDDEN')
    // Node says what was wrong with a certificate only here.
    side.noteStranger(String(socket.authorizationError ?? error.message))
  })
  parts.defer(() => closeHttp(inner, stopTimeoutSeconds * 1000))
  const tls = options.tls === undefined ? {} : { tls: { cert: options.tls.cert, key: options.tls.key } }
  const callers = new EngineTokens({
    trust: () => tokens.current,
    log: log.id,
    clock,
    failures: failuresOf(parts, options, node),
  })
  const app = createEngineApp({
    ...face,
    ...tls,
    ...trustedProxies(configuration),
    challenge: { basic: false, resourceMetadata: () => undefined },
    recording: { authenticate: (claim) => callers.authenticate(claim), intake },
  })
  parts.defer(() => closeHttp(app, stopTimeoutSeconds * 1000))
  await openRecordSocket(parts, node, options, intake)
  await openSources(parts, node, options, intake)
  parts.defer(() => health.enter('stopping'))
  const portalListen = await listenForPortal(inner, configuration)
  await listenAt(app, listen, '--listen')
  side.start(changed)
  // The portal calls as soon as it has let the engine join.
  health.enter('running')
  if (trust.portal === undefined) await joinWhereTold(options, node, { trust, identity, portalListen, keys })
  await recordPhase(node, options, phases, '10001')
  const http = parts.use(new HttpWitnesses())
  beginExchange(parts, node, options, policy, () => portalsOf(http, trust))
  const all = parts.move()
  return {
    configuration: withPort(configuration, (app.server.address() as AddressInfo).port),
    portalListen,
    portal: trust.portal,
    log,
    failed: node.failed,
    stop: () => all.disposeAsync(),
  }
}

// The portal, where one was joined.
function portalsOf(http: HttpWitnesses, { portal }: PortalTrust): WitnessPeer[] {
  return portal === undefined ? [] : [portalWitness(http, portal)]
}

// Calls without valid credentials that were only counted become their entry (S7).
function failuresOf(
  parts: AsyncDisposableStack,
  { configuration: { hostName }, clock, logger }: EngineOptions,
  { record }: NodeBase,
): Failures {
  const component = hostName
  const tell = (call: FailedCall) => callRefused({ hostName, component }, call)
  const failures = new Failures({ clock, record, hostName, component, tell })
  parts.defer(() => failures.close().catch((error: unknown) => warnUnrecorded(logger, error)))
  return failures
}

/** Where the port is kept that was free at the first start: the portal is told it once. */
const portFile = 'portal-port'

async function listenForPortal(
  inner: ReturnType<typeof createInnerApp>,
  { data, portalListen }: NodeOptions['configuration'],
): Promise<Listen> {
  const file = join(data, portFile)
  const kept = portalListen.port === 0 ? Number((await readWhole(realDisk, file))?.toString() ?? 0) : 0
  await listenAt(inner, { ...portalListen, port: portalListen.port || kept }, '--portal-listen')
  const { port } = inner.server.address() as AddressInfo
  if (portalListen.port === 0 && port !== kept) await replaceFile(realDisk, file, Buffer.from(`${port}\n`))
  return { ...portalListen, port }
}

interface Joining {
  readonly trust: PortalTrust
  readonly identity: Awaited<ReturnType<typeof openTlsIdentity>>
  readonly portalListen: Listen
  readonly keys: () => string
}

// A crash before the portal's answer is kept: the next start asks again, with the same token and the same facts, and is
// answered again. A crash before the entry: it is missing, and the portal's log has its own.
async function joinWhereTold(
  options: EngineOptions,
  { log, record }: NodeBase,
  { trust, identity, portalListen, keys }: Joining,
): Promise<void> {
  const { configuration, logger, clock } = options
  const { join: url, advertise, hostName } = configuration
  if (url === undefined)
    return logger.warn('this engine has not joined a portal: start it with --join and --token-file')
  const token = await options.token()
  const address = advertise ?? (await addressFor(url, portalListen))
  const logKey = Buffer.from(log.publicKey).toString('base64')
  const { certificate } = identity.current
  const engine = { hostName, log: log.id, logKey, keys: keys(), certificate }
  const portal = await askToJoin({ url, token, engine, address })
  await trust.join(portal, url, clock.wallMicros())
  const told = { ...portal, certificate: portal.certificate.fingerprint }
  await record(portalJoined({ hostName, component: hostName }, { actor: '*system' }, told, token.id)).catch(
    (error: unknown) => logger.warn({ err: error }, 'that this engine joined could not be recorded'),
  )
}

async function addressFor(url: string, { host, port }: Listen): Promise<string> {
  if (host !== '0.0.0.0' && host !== '::') return formatListen({ host, port })
  const own = await addressTowards(url)
  const address = formatListen({ host: own.replace(/^::ffff:/, ''), port })
  if (parseListen(address) !== undefined) return address
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `say with --advertise where the portal reaches this engine, not ${address}`,
  )
}
