// Node's own warnings. One of them says nothing to whoever runs Annals: that `node:sqlite` is experimental. We chose
// it knowingly and test with it; every other warning is shown.

import type { EventEmitter } from 'node:events'

/** Keeps exactly those warnings from being printed. To be called before anything imports `node:sqlite`. */
export function quietWarnings(process: EventEmitter): void {
  const printers = process.listeners('warning')
  process.removeAllListeners('warning')
  process.on('warning', (warning: Error) => {
    if (isExpected(warning)) return
    for (const print of printers) print.call(process, warning)
  })
}

function isExpected({ name, message }: Error): boolean {
  return name === 'ExperimentalWarning' && message.startsWith('SQLite ')
}
