#!/usr/bin/env node
// Finds a Node that is new enough and runs src/main.ts with it. Plain JavaScript, because an old Node reads it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const oldest = [24, 15]
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) {
  process.argv[1] = main
  await import(main)
} else {
  const bundled = fileURLToPath(
    new URL(`../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
  )
  if (!existsSync(bundled)) {
    console.error(
      `annals: needs Node ${oldest.join('.')} or newer, and this is ${process.version}. ` +
        'Run "npm ci" in its directory, which brings one, or install a newer Node.',
    )
    process.exit(1)
  }
  const args = [main, ...process.argv.slice(2)]
  if (process.execve) process.execve(bundled, [bundled, ...args], process.env)
  const child = spawn(bundled, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
