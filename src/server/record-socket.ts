// The record socket of a node: a unix stream socket at which programs of the same machine record over HTTP. Nothing is asked
// of them: who may open the file may record, and the file's owner, group and mode say who that is.

import { randomUUID } from 'node:crypto'
import { chmod, lstat, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { AnnalsError } from '../errors.ts'
import { createSocketApp } from '../http/app.ts'
import type { Principal } from '../identity/principal.ts'
import type { Intake } from '../intake/intake.ts'
import { acceptBacklog, socketPathBytes } from '../limits.ts'
import { annalsVersion } from '../ops/version.ts'
import { absent, errorCode } from '../store/disk.ts'
import { closeHttp, type NodeBase, type NodeOptions } from './node.ts'

/** Who records at the socket, and what may be recorded there: everything but the node's own codes. */
export function localPrincipal(): Principal {
  const records = { components: 'any', codes: 'any', ownCodes: false } as const
  return { name: localName, session: randomUUID(), scheme: 'Local', rights: { reads: [], records } }
}

/** How entries name whoever is not asked who they are. No account can be called so. */
export const localName = '*local'

/**
 * Takes events in at the record socket until `parts` is disposed of. One that a crash has left is replaced. Throws
 * INVALID_CONFIGURATION where that cannot be done; where nobody named the socket and its path is too long, there is none.
 */
export async function openRecordSocket(
  parts: AsyncDisposableStack,
  node: NodeBase,
  { configuration, logger }: NodeOptions,
  intake: Intake,
): Promise<void> {
  const { recordSocket: path, isRecordSocketDerived, stopTimeoutSeconds } = configuration
  if (Buffer.byteLength(path) > socketPathBytes) {
    if (!isRecordSocketDerived) throw cannot(path, `its path is longer than ${socketPathBytes} bytes`)
    return logger.warn(
      { path },
      'there is no record socket, for its path is too long: name one with --record-socket',
    )
  }
  await demandFree(path)
  const app = socketApp(node, configuration, logger, intake)
  parts.defer(() => closeHttp(app, stopTimeoutSeconds * 1000))
  await listen(app, path).catch((cause: unknown) => {
    throw cannot(path, whyNot(cause), cause)
  })
}

function socketApp(
  { log, metrics, health }: NodeBase,
  { hostName }: NodeOptions['configuration'],
  logger: NodeOptions['logger'],
  intake: Intake,
): FastifyInstance {
  const principal = localPrincipal()
  return createSocketApp({
    log,
    hostName,
    component: intake.component,
    source: localName,
    recording: { authenticate: async () => principal, intake },
    metrics: metrics.http,
    logger,
    isReady: () => health.isReady(),
    health: () => health.report(),
    version: annalsVersion(),
  })
}

// A live socket in the data directory cannot be another node's, for this one holds the lock; one elsewhere can.
async function demandFree(path: string): Promise<void> {
  // Asked for by itself: listening says of a directory that is not there that it may not be used.
  await stat(dirname(path)).catch(unusable(path))
  const found = await lstat(path).catch(absent(undefined)).catch(unusable(path))
  if (found === undefined) return
  if (!found.isSocket()) throw cannot(path, 'something that is no socket has this name')
  if (await isAnswered(path)) throw cannot(path, 'another program listens there already')
  await rm(path, { force: true }).catch(unusable(path))
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true))
    // Whoever may not open it cannot know; then it is not removed either.
    socket.once('error', (error) =>
      resolve(errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT'),
    )
    socket.once('connect', () => socket.destroy())
  })
}

// Never open to everybody, not even between its being made and its getting its mode. Node removes it when it closes.
async function listen(app: FastifyInstance, path: string): Promise<void> {
  const before = process.umask(0o007)
  process.umask(before | 0o007)
  try {
    await app.listen({ path, backlog: acceptBacklog })
  } finally {
    process.umask(before)
  }
  await chmod(path, socketMode)
}

// Its owner and its group.
const socketMode = 0o660

function unusable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw cannot(path, whyNot(cause), cause)
  }
}

function whyNot(cause: unknown): string {
  const code = errorCode(cause)
  if (code === 'ENOENT') return 'its directory does not exist'
  return code === 'EACCES' || code === 'EPERM' ? 'this user may not listen there' : String(cause)
}

function cannot(path: string, why: string, cause?: unknown): AnnalsError {
  return new AnnalsError('INVALID_CONFIGURATION', `cannot listen at ${path}: ${why} (--record-socket)`, {
    cause,
  })
}
