// Runs a node until it is told to stop, or cannot go on.

import { AnnalsError } from '../errors.ts'
import { closeTimeoutMs, signalEchoMs } from '../limits.ts'
import type { Logger } from '../ops/logger.ts'
import type { RunningNode } from '../server/node.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Starts a node, and stops it at the first signal, even one that comes before it has started. Where there is something
 * to read again, SIGHUP has it read. Throws STORAGE_FAILED where its log cannot be written any more: the process is to
 * end.
 */
export async function runNode(
  surroundings: Surroundings,
  logger: Logger,
  start: () => Promise<RunningNode>,
): Promise<void> {
  using signals = listenForSignals(surroundings)
  using reloads = listenForReloads(surroundings, logger)
  const node = await start()
  reloads.serve(node)
  const end = await Promise.race([signals.first, node.failed.then((reason) => ({ reason }))])
  if (typeof end === 'string') logger.info({ signal: end }, 'stopping')
  await stopWithin(node, surroundings, logger)
  if (typeof end === 'string') return
  throw new AnnalsError('STORAGE_FAILED', 'the audit log cannot be written any more', { cause: end.reason })
}

// A second signal does not wait for anything. At a terminal one Ctrl-C comes several times: from the terminal itself,
// and passed on by npm and by the launcher.
function listenForSignals(surroundings: Surroundings): Disposable & { first: Promise<'SIGINT' | 'SIGTERM'> } {
  const first = Promise.withResolvers<'SIGINT' | 'SIGTERM'>()
  let firstAt: number | undefined
  const listening = surroundings.onSignal((signal) => {
    const now = performance.now()
    firstAt ??= now
    if (now === firstAt) first.resolve(signal)
    else if (now - firstAt > signalEchoMs) surroundings.exit(signal === 'SIGINT' ? 130 : 143)
  })
  return { first: first.promise, [Symbol.dispose]: () => listening[Symbol.dispose]() }
}

// One at a time; what comes meanwhile is one more. A SIGHUP that comes before the node has started waits for that.
// Where nothing can be read again, SIGHUP ends the process, as it does everywhere: a terminal was closed.
function listenForReloads(
  surroundings: Surroundings,
  logger: Logger,
): Disposable & { serve(node: RunningNode): void } {
  let node: RunningNode | undefined
  let isWanted = false
  let running: Promise<void> | undefined
  const work = async (reload: () => Promise<void>): Promise<void> => {
    while (isWanted) {
      isWanted = false
      await reload().catch((error: unknown) => logger.error({ err: error }, notReloaded))
    }
    running = undefined
  }
  const look = (): void => {
    if (node?.reload !== undefined && isWanted) running ??= work(node.reload)
  }
  const listening = surroundings.onReload(() => {
    isWanted = true
    look()
  })
  const stop = (): void => listening[Symbol.dispose]()
  const serve = (started: RunningNode): void => {
    node = started
    if (node.reload === undefined) stop()
    look()
  }
  return { serve, [Symbol.dispose]: stop }
}

const notReloaded = 'what the node was told to read again is wrong: everything stays as it was'

// A disk that does not answer any more must not keep a supervisor waiting for ever. What is acknowledged is durable.
async function stopWithin(node: RunningNode, surroundings: Surroundings, logger: Logger): Promise<void> {
  const timeoutMs = node.configuration.stopTimeoutSeconds * 1000 + closeTimeoutMs
  const timer = setTimeout(() => {
    logger.fatal('the node did not stop in time, and is ended')
    surroundings.exit(1)
  }, timeoutMs)
  try {
    await node.stop()
  } finally {
    clearTimeout(timer)
  }
}
