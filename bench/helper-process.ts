// A program of the benchmarks' own in a process of its own, so that what it does is not done by the process that
// measures. It is told what to do in one message, and says in one that it has begun. What it is told is on no
// command line: a token to join with is a secret.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a helper is told, and what it says. Both are messages between processes. */
export interface Protocol {
  readonly task: unknown
  readonly reply: unknown
}

/** A helper that runs until it is disposed of. */
export interface Helper<P extends Protocol> extends AsyncDisposable {
  readonly reply: P['reply']
}

/** Starts a program beside this file, and returns once it has said what it has to say. */
export async function startHelper<P extends Protocol>(file: string, task: P['task']): Promise<Helper<P>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  }
  child.send({ task })
  const said = once(child, 'message').then(([message]) => message as Pick<P, 'reply'>)
  const failed = ended.then(() => Promise.reject(new Error(`${file} has ended`)))
  const { reply } = await Promise.race([said, failed])
  failed.catch(() => undefined)
  return { reply, [Symbol.asyncDispose]: stop }
}

/** Runs a helper: begins its task, says so, and ends it when it is told to, or when whoever measures has gone. */
export function serveTask<P extends Protocol>(
  begin: (task: P['task']) => Promise<{ readonly reply: P['reply']; readonly stop: () => Promise<void> }>,
): void {
  process.once('message', (message: Pick<P, 'task'>) => void serve(begin(message.task)))
}

async function serve(
  begun: Promise<{ readonly reply: unknown; readonly stop: () => Promise<void> }>,
): Promise<void> {
  const { reply, stop } = await begun
  const end = () => void stop().then(() => process.exit())
  // An interrupt at the terminal reaches all processes of the benchmark; the one that measures says when to end.
  process
    .once('SIGTERM', end)
    .once('disconnect', end)
    .on('SIGINT', () => undefined)
  process.send?.({ reply })
}
