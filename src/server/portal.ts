// The composition root of a portal: the only file that names every part of one and puts them together.

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Configuration, withPort } from '../config/configuration.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { drain } from '../database/outbox.ts'
import type { JoinedNode } from '../federation/enrolment.ts'
import { draftOf } from '../entry/line.ts'
import { Engines, type EnginesParts, witnessesAtRest } from '../federation/engines.ts'
import { RegistryPosition } from '../federation/registry-position.ts'
import { Registry } from '../federation/registry.ts'
import { openTlsIdentity, type TlsIdentity } from '../federation/tls-identity.ts'
import { createPortalApp } from '../http/app.ts'
import { Manifests } from '../http/manifests.ts'
import type { TokenPlace } from '../identity/access-token.ts'
import { type Identity, openIdentity } from '../identity/identity.ts'
import { issuerPath, resourceMetadataPath, resourcePath } from '../identity/oauth-paths.ts'
import type { TokenKeys } from '../identity/token-keys.ts'
import { outboxIntervalMs, tokenKeyLookMs, witnessAskMs } from '../limits.ts'
import type { AuditLog } from '../log/audit-log.ts'
import { dataLayout } from '../log/layout.ts'
import type { Logger } from '../ops/logger.ts'
import { annalsVersion } from '../ops/version.ts'
import { realDisk } from '../store/disk.ts'
import { replaceFile } from '../store/durable-file.ts'
import { openExternalIssuers } from './external-issuers.ts'
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
import { portalComponent } from './portal-component.ts'
import { openRecordSocket } from './record-socket.ts'
import { openIntake, openSources } from './sources.ts'
import { readWitnessPolicy } from './witness-policy.ts'
import { askWitnessesOf, beginExchange, openWitness, toldKeys } from './witnessing.ts'

/** The first administrator's login name. */
export const administratorName = 'admin'

/** What a portal is started with. */
export interface PortalOptions extends NodeOptions {
  /**
   * Called at the first start: makes the first administrator's password known to whoever is to have it, and returns
   * it. Only then the account is made: a crash in between leaves a password too many, and not an account too few.
   */
  readonly firstPassword: () => Promise<string>
}

/** A portal that runs. */
export interface RunningPortal extends RunningNode {
  /** The name of a main administrator. */
  readonly administrator: string
  /** As `Registry.makeToken`. */
  readonly makeToken: Registry['makeToken']
}

const phases = { component: portalComponent, actor: '*system' } as const

/** Starts a portal, and returns once it is ready. */
export async function startPortal(options: PortalOptions): Promise<RunningPortal> {
  const { configuration, logger, clock } = options
  const { data, hostName, listen, stopTimeoutSeconds } = configuration
  await using parts = new AsyncDisposableStack()
  const policy = await readWitnessPolicy(configuration.witnessPolicyFile)
  const ask = askWitnessesOf(options, policy, (asking) => enginesAtRest(asking, options))
  const node = await openNode(parts, options, portalComponent, serverCommands.portal, ask)
  const { log, metrics, health, record } = node
  // A crash before this: there is a log with its key, and perhaps its first entry. The next start finds both.
  await recordPhase(node, options, phases, '20001')
  parts.defer(() => recordPhase(node, options, phases, '20004', true))
  const intake = openIntake(parts, node, options, phases)
  const database = parts.use(await openDatabase(dataLayout(data).database))
  // Links and issuers are made from it. A port that the system chooses is known once the portal listens.
  let running = configuration
  const publicUrl = () => running.publicUrl
  const others = parts.use(await openExternalIssuers({ configuration, clock, logger, record, publicUrl }))
  const identity = openIdentity({
    database,
    record,
    clock,
    hostName,
    options: identityOptions(configuration),
    place: () => tokenPlace(running),
    others: others.issuers,
    engines: { logOf: (name) => engines.logOf(name), tell: (log) => engines.tell(log) },
    limited: (limit) => metrics.limited(limit),
  })
  // Calls without valid credentials that were only counted become their entry (S7).
  parts.defer(() => identity.close().catch((error: unknown) => warnUnrecorded(logger, error)))
  const administrator = await ensureAdministrator(identity, options.firstPassword)
  const registryPosition = new RegistryPosition(realDisk, data)
  const note = registryPosition.noting((event) => log.record(draftOf(event, log.id)))
  const outbox = parts.use(drainOutbox(database, note, logger))
  const tls = await openTlsIdentity(tlsPlace(options))
  const registry = new Registry({ database, clock, hostName, random: randomBytes })
  const tokenTrust = () => identity.tokenTrust()
  const peers = () => registry.connected()
  const witness = await openWitness(parts, node, options, { component: portalComponent, peers, policy })
  const keys = () => toldKeys(log, witness)
  const engines = parts.use(enginesOf(options, node, { registry, identity: tls, tokenTrust, keys }))
  metrics.watchEngines(() => engines.numbers())
  const app = createPortalApp({
    log,
    identity,
    authorization: identity.authorization,
    challenge: {
      basic: configuration.basicAuthentication,
      resourceMetadata: () => `${publicUrl()}${resourceMetadataPath}`,
    },
    ...trustedProxies(configuration),
    recording: { authenticate: (claim) => identity.authenticate(claim), intake },
    engines,
    witness,
    enrol: (body, mac) => registry.enrol(body, mac, { ...joinedAs(log, tls), keys: keys() }),
    publicUrl,
    manifests: new Manifests(),
    registryPosition: async () => {
      await outbox.drained()
      return await registryPosition.read()
    },
    timeZone: configuration.timeZone,
    hostName,
    component: portalComponent,
    metrics: metrics.http,
    logger,
    isReady: () => health.isReady(),
    health: () => health.report(),
    version: annalsVersion(),
    bounds: { answerStallMs: configuration.answerStallSeconds * 1000 },
    ...(options.tls === undefined ? {} : { tls: { cert: options.tls.cert, key: options.tls.key } }),
  })
  parts.defer(() => closeHttp(app, stopTimeoutSeconds * 1000))
  await openRecordSocket(parts, node, options, intake)
  await openSources(parts, node, options, intake)
  parts.defer(() => health.enter('stopping'))
  await listenAt(app, listen, '--listen')
  await recordPhase(node, options, phases, '20002')
  running = withPort(configuration, (app.server.address() as AddressInfo).port)
  parts.use(rotateTokenKeys(identity.tokenKeys, configuration, logger))
  await keepPublicUrl(running, logger)
  engines.start()
  beginExchange(parts, node, options, policy, () => engines.witnesses())
  health.enter('running')
  const all = parts.move()
  return {
    configuration: running,
    log,
    administrator,
    makeToken: (request, by) => registry.makeToken(request, by),
    failed: node.failed,
    ...(others.reload === undefined ? {} : { reload: others.reload }),
    stop: () => all.disposeAsync(),
  }
}

function identityOptions({ lockout, basicAuthentication, accessTokenSeconds }: Configuration) {
  return { lockout, basicEnabled: basicAuthentication, tokenSeconds: accessTokenSeconds }
}

// What access tokens say of this instance (RFC 9068).
function tokenPlace({ publicUrl, instanceName: instance, region }: Configuration): TokenPlace {
  return { issuer: `${publicUrl}${issuerPath}`, audience: `${publicUrl}${resourcePath}`, instance, region }
}

// The key that signs them is replaced by age, sooner or later after it is due.
function rotateTokenKeys(keys: TokenKeys, { tokenKeyDays }: Configuration, logger: Logger): Disposable {
  const ageMicros = tokenKeyDays * 86_400 * 1_000_000
  const look = () =>
    void keys.rotateWhenOlderThan(ageMicros).then(
      (isRotated) => isRotated && logger.info('access tokens are signed with another key from now on'),
      (error: unknown) => logger.error({ err: error }, 'the key of access tokens could not be replaced'),
    )
  look()
  const timer = setInterval(look, tokenKeyLookMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function tlsPlace({ configuration: { data, hostName }, clock }: NodeOptions) {
  return { disk: realDisk, directory: dataLayout(data).tls, hostName, now: clock.wallMicros() }
}

// Before the log is open, and so before anything else is: what it is about may be the log's own past.
async function enginesAtRest(parts: AsyncDisposableStack, options: PortalOptions) {
  const { data, hostName } = options.configuration
  const { clock } = options
  const database = parts.use(await openDatabase(dataLayout(data).database))
  const registry = new Registry({ database, clock, hostName, random: randomBytes })
  return await witnessesAtRest(parts, registry, await openTlsIdentity(tlsPlace(options)), witnessAskMs)
}

function enginesOf(
  { configuration, clock, logger }: PortalOptions,
  { metrics, record }: NodeBase,
  own: Pick<EnginesParts, 'registry' | 'identity' | 'tokenTrust' | 'keys'>,
): Engines {
  return new Engines({
    ...own,
    clock,
    timeoutMs: configuration.engineTimeoutSeconds * 1000,
    resumeMs: configuration.engineResumeSeconds * 1000,
    record,
    hostName: configuration.hostName,
    component: portalComponent,
    metrics: metrics.engines,
    logger,
  })
}

// For "annals engines token". Without it that command says what it can tell from its own settings.
async function keepPublicUrl({ data, publicUrl }: Configuration, logger: Logger): Promise<void> {
  try {
    await replaceFile(realDisk, dataLayout(data).publicUrl, Buffer.from(`${publicUrl}\n`))
  } catch (error) {
    logger.warn({ err: error }, 'the public URL could not be kept for commands')
  }
}

// An engine that joins while a rotation is under way learns of the next certificate as all others do.
function joinedAs({ id, hostName, publicKey }: AuditLog, { current }: TlsIdentity): JoinedNode {
  const logKey = Buffer.from(publicKey).toString('base64')
  return { hostName, log: id, logKey, certificate: current.certificate }
}

// Any account will do: somebody could log in, or an administrator of the machine has made it on purpose.
async function ensureAdministrator(
  identity: Identity,
  firstPassword: () => Promise<string>,
): Promise<string> {
  const accounts = await identity.accounts.list()
  if (accounts.length === 0) {
    const account = {
      name: administratorName,
      profile: 'main-administrator',
      password: await firstPassword(),
    } as const
    await identity.accounts.add(account, { actor: '*system' })
    return administratorName
  }
  return accounts.find(({ profile }) => profile === 'main-administrator')?.name ?? administratorName
}

/** The outbox of a portal that runs. */
interface Outbox extends AsyncDisposable {
  /** Resolves once what was in it is recorded, or is known to have to wait. */
  drained(): Promise<void>
}

// Records what changes left in the outbox: at once, and then again and again, one after the other. Ends with what
// changed while the last answers were on their way.
function drainOutbox(database: Database, record: NodeBase['record'], logger: Logger): Outbox {
  const stopping = new AbortController()
  const { signal } = stopping
  let lastProblem: string | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const drainOnce = async (): Promise<void> => {
    const problem: unknown = await drain(database, record).then(
      ({ stoppedBy }) => stoppedBy,
      (error: unknown) => error,
    )
    const text = problem instanceof Error ? problem.message : undefined
    // Said once, and not five times a second.
    if (text !== undefined && text !== lastProblem)
      logger.warn({ err: problem }, 'changes wait to be recorded')
    lastProblem = text
  }
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await inTurn()
      await sleep(outboxIntervalMs, undefined, { signal }).catch(() => undefined)
    }
    await inTurn()
  }
  const inTurn = () => {
    const drained = turn.then(drainOnce)
    turn = drained
    return drained
  }
  const running = loop()
  return {
    drained: () => inTurn(),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}
