#!/usr/bin/env node
// Finds a Node that is new enough and runs src/main.ts with it. Plain JavaScript, because an old Node reads it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const oldest = [24, 15]
// The young generation of 3 × 8 MiB at the most, and an old one that is collected before it has grown to four times
// what lives in it, as V8 does below a limit of a gigabyte: a third of the memory of a node that takes in events, at no
// cost that could be measured. What lives has a tenth of that limit. V8 reads them only when a process begins.
// Verifying a log makes garbage that dies at once: half of the young generation is enough.
const youngMiB = process.argv[2] === 'verify' ? 4 : 8
const flags = [`--max-semi-space-size=${youngMiB}`, '--max-old-space-size=512']
const launcher = fileURLToPath(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isNewEnough = major > oldest[0] || (major === oldest[0] && minor >= oldest[1])

if (isNewEnough && flags.every((flag) => process.execArgv.includes(flag))) {
  // Events wait some milliseconds for the disk. V8 would take that to be for ever, and put them where collecting them costs a
  // fifth of all CPU time. A V8 that does not know this goes on without it.
  setFlagsFromString('--no-allocation-site-pretenuring')
  // Keeps what Node makes of our TypeScript, so that the next start needs neither the time (half of it) nor the
  // memory (27 MB) of making it again. Where nothing can be written, it does without. The place is as safe as the
  // code itself: whoever can write there could change that.
  module.enableCompileCache(`${root}node_modules/.cache/annals`)
  await import('../src/main.ts')
} else {
  const bundled = `${root}node_modules/node-${process.platform}-${process.arch}/bin/node`
  const node = isNewEnough ? process.execPath : bundled
  if (!existsSync(node)) {
    console.error(
      `annals: needs Node ${oldest.join('.')} or newer, and this is ${process.version}. ` +
        'Run "npm ci" in its directory, which brings one, or install a newer Node.',
    )
    process.exit(1)
  }
  const args = [...(isNewEnough ? process.execArgv : []), ...flags, launcher, ...process.argv.slice(2)]
  // glibc keeps what is freed for ever larger pieces, unless it is told where to stop (`man mallopt`): 30 MB of 210 for
  // a portal that reads a hundred engines. And it gives every few threads a heap of their own, unless it is told how many: 14 MB
  // of one that takes in events. Whoever has set either knows better.
  const env = { MALLOC_MMAP_THRESHOLD_: String(128 * 1024), MALLOC_ARENA_MAX: '2', ...process.env }
  if (process.execve) process.execve(node, [node, ...args], env)
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
