// An engine as a process of its own, and how it joins a portal: with a token that the portal's command made, as an
// operator does it. Between the two there may be a proxy that does what networks do.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type AuditLine, readLine } from '../conformance/audit-line.ts'
import { ask, type Server } from '../conformance/wire.ts'
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts'
import {
  annals,
  type Command,
  type PortalProcess,
  startAnnals,
  type StartOptions,
  storedLines,
  temporaryDirectory,
  until,
  whenReady,
} from './portal-process.ts'

/** A portal to join. */
export interface JoinablePortal extends Server {
  readonly data: string
}

/** An engine that is ready. Its `baseUrl` is that of its own listener: health and numbers. */
export interface EngineProcess extends PortalProcess {
  readonly hostName: string
  readonly data: string
}

/** How to start an engine. */
export interface EngineOptions extends StartOptions {
  readonly data: string
  readonly hostName: string
  readonly args?: readonly string[]
}

/** An engine, and the proxy through which its portal reaches it. */
export interface ProxiedEngine {
  readonly engine: EngineProcess
  readonly proxy: FaultProxy
  /** Where it listens for its portal. */
  readonly port: number
  /** From now on the proxy leads to this port, and connections that live are cut. */
  leadTo(port: number): void
  /** Starts the same engine again, after it has ended. */
  restart(): Promise<EngineProcess>
}

/** The log of one engine (A2). */
export function enginePath(name: string): string {
  return `/audit-trail/api/v1/engine/${name}/type/auditlog`
}

/** The logs of all (A3). */
export const enginesPath = '/audit-trail/api/v1/engines/type/auditlog'

/** Makes a token at the portal, and returns its file. */
export async function makeToken(
  context: TestContext,
  portal: JoinablePortal,
  args: readonly string[] = [],
): Promise<string> {
  const file = join(temporaryDirectory(context), 'token')
  await annals(context, ['engines', 'token', '--data', portal.data, '--token-file', file, ...args])
  return file
}

/** Starts an engine at free ports of loopback, unless `args` say otherwise. It may end before it is ready. */
export function launchEngine(context: TestContext, options: EngineOptions): Command {
  const { data, hostName, args = [], ...start } = options
  const fixed = ['--data', data, '--host-name', hostName, '--listen', '127.0.0.1:0']
  const forPortal = args.includes('--portal-listen') ? [] : ['--portal-listen', '127.0.0.1:0']
  return startAnnals(context, ['engine', ...fixed, ...forPortal, ...args], start)
}

/** Starts an engine, and waits until it is ready. */
export async function startEngine(context: TestContext, options: EngineOptions): Promise<EngineProcess> {
  const { data, hostName } = options
  return { ...(await whenReady(launchEngine(context, options))), data, hostName }
}

/** What an engine needs to be told to join. */
export function joinArgs(portal: Pick<Server, 'baseUrl'>, tokenFile: string): string[] {
  return ['--join', portal.baseUrl, '--token-file', tokenFile]
}

/** Starts an engine that joins a portal, and waits until the portal has called it. */
export async function joinEngine(
  context: TestContext,
  portal: JoinablePortal,
  options: EngineOptions,
): Promise<EngineProcess> {
  const join = joinArgs(portal, await makeToken(context, portal))
  const engine = await startEngine(context, { ...options, args: [...(options.args ?? []), ...join] })
  await untilUp(portal, options.hostName)
  return engine
}

/** The same for an engine that its portal reaches through a proxy. It finds its port itself, and keeps it. */
export async function joinBehindProxy(
  context: TestContext,
  portal: JoinablePortal,
  options: EngineOptions,
): Promise<ProxiedEngine> {
  // By the time that it has joined, and is called, it has kept it.
  const keptPort = () => Number(readFileSync(join(options.data, 'portal-port'), 'utf8'))
  let port: number | undefined
  const proxy = await startFaultProxy(context, {
    host: '127.0.0.1',
    get port() {
      return port ?? keptPort()
    },
  })
  const args = [...(options.args ?? []), '--advertise', `127.0.0.1:${proxy.port}`]
  const engine = await joinEngine(context, portal, { ...options, args })
  const leadTo = (other: number) => {
    port = other
    proxy.cutAll()
  }
  return { engine, proxy, port: keptPort(), leadTo, restart: () => startEngine(context, options) }
}

/** Imports files into the log of an engine that has not been started yet. */
export async function importInto(
  context: TestContext,
  { data, hostName }: Pick<EngineOptions, 'data' | 'hostName'>,
  ...files: readonly string[]
): Promise<void> {
  await annals(context, ['import', '--data', data, '--host-name', hostName, ...files])
}

/** An engine, as `annals engines list` shows it to programs. */
export interface ListedEngine {
  readonly hostName: string
  readonly state: string
  readonly reason: string | null
  readonly log: string
  readonly address: string
}

/** What `annals engines list` shows. */
export async function listEngines(
  context: TestContext,
  { data }: Pick<JoinablePortal, 'data'>,
): Promise<ListedEngine[]> {
  return JSON.parse(await annals(context, ['engines', 'list', '--json', '--data', data])) as ListedEngine[]
}

/** The state of one engine, and why, as `annals engines list` shows them. */
export async function shownAs(
  context: TestContext,
  portal: Pick<JoinablePortal, 'data'>,
  hostName: string,
): Promise<[state: string | undefined, reason: string | null | undefined]> {
  const engine = (await listEngines(context, portal)).find((listed) => listed.hostName === hostName)
  return [engine?.state, engine?.reason]
}

/** Waits until the portal counts an engine as one that answers. */
export async function untilUp(portal: Server, hostName: string): Promise<void> {
  await until(async () => (await numberOf(portal, `annals_engine_up{engine="${hostName}"}`)) === 1)
}

/** Waits until the portal counts an engine as one that does not answer. */
export async function untilDown(portal: Server, hostName: string): Promise<void> {
  await until(async () => (await numberOf(portal, `annals_engine_up{engine="${hostName}"}`)) === 0)
}

/** One number of a node's metrics, by its name and labels. Undefined where it has none. */
export async function numberOf(node: Server, name: string): Promise<number | undefined> {
  const text = (await ask(node, '/metrics')).body.toString()
  const line = text.split('\n').find((line) => line.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

/** The entries of a log at rest. */
export function entriesOf({ data }: { readonly data: string }): AuditLine[] {
  return storedLines(data).map((line) => readLine(Buffer.from(line)))
}

/** Those of reads. What a node does by itself, such as learning keys or witnessing, it records when it comes. */
export function readsOf(node: { readonly data: string }): AuditLine[] {
  return entriesOf(node).filter(({ code }) => code.startsWith('2900'))
}
