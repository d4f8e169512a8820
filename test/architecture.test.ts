// The table of directions of ARCHITECTURE.md: who may import whom. A folder may import what stands to its right,
// everybody may import `errors` and `limits`, and nothing else goes.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'

const src = join(import.meta.dirname, '../src')

/** What each folder imports directly by right; what those may import it may import too. */
const directions: Record<string, readonly string[]> = {
  main: ['cli'],
  cli: ['server', 'verify', 'config', 'ops'],
  server: ['http', 'config', 'ops'],
  http: ['federation', 'intake', 'identity', 'agora', 'verify'],
  agora: ['identity', 'entry'],
  federation: ['log', 'database', 'tree'],
  intake: ['log'],
  log: ['entry', 'tree', 'store'],
  identity: ['database', 'entry'],
  database: ['entry'],
  store: ['entry'],
  ops: ['entry'],
  config: ['entry'],
  verify: ['entry', 'tree'],
  tree: [],
  entry: [],
  errors: [],
  limits: [],
}

/** Packages and built-in modules that a pure folder may use: they compute, and touch nothing. */
const pure = {
  entry: ['temporal-polyfill', 'node:crypto', 'node:assert'],
  tree: ['node:crypto', 'node:assert'],
  verify: ['node:crypto', 'node:assert'],
}

/** What a verifier may load: it computes, reads files and asks nobody. `commander` parses a command line. */
const offline = [
  'commander',
  'temporal-polyfill',
  'node:assert',
  'node:buffer',
  'node:crypto',
  'node:fs',
  'node:path',
  'node:stream',
  'node:util',
]

// Static imports and re-exports, dynamic ones, and files named as URLs (workers).
const importing =
  /^(?:(?:import|export|\})[^'\n]*\bfrom|import) '([^']+)'|\bimport\('([^']+)'\)|\bnew URL\('([^']+)', import/gm

interface Import {
  readonly file: string
  readonly from: string
  readonly target: string
}

function allowed(folder: string, seen = new Set<string>()): Set<string> {
  if (seen.has(folder)) return seen
  seen.add(folder)
  for (const next of directions[folder] ?? []) allowed(next, seen)
  return seen
}

function folderOf(path: string): string {
  return normalize(path).split('/')[0]?.replace(/\.ts$/, '') ?? ''
}

function imports(): Import[] {
  const found: Import[] = []
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue
    const text = readFileSync(join(src, file), 'utf8')
    for (const match of text.matchAll(importing)) {
      const target = match[1] ?? match[2] ?? match[3]
      if (target !== undefined) found.push({ file, from: folderOf(file), target })
    }
  }
  return found
}

test('every folder is in the table of directions', () => {
  for (const { from } of imports()) assert.ok(from in directions, `${from} is not in the table`)
})

test('no folder imports what is not to its right', () => {
  for (const { file, from, target } of imports()) {
    if (!target.startsWith('.')) continue
    const to = folderOf(relative(src, join(src, dirname(file), target)))
    if (to === '..' || to === 'errors' || to === 'limits') continue
    assert.ok(allowed(from).has(to), `${file} imports ${target}: ${from} may not import ${to}`)
  }
})

test('entry and tree do no I/O', () => {
  for (const { file, from, target } of imports()) {
    const modules = pure[from as keyof typeof pure]
    if (modules === undefined || target.startsWith('.')) continue
    assert.ok(
      modules.some((name) => target === name || target.startsWith(`${name}/`)),
      `${file} imports ${target}`,
    )
  }
})

test('testing doubles stay out of what is shipped', () => {
  for (const { file, target } of imports()) {
    assert.ok(!target.includes('/testing/') || file.includes('/testing/'), `${file} imports ${target}`)
  }
})

test('whoever verifies offline reaches nothing that touches the network', () => {
  const reached = closure(['cli/verify.ts'])
  const packages = new Set<string>()
  for (const { target } of imports().filter(({ file }) => reached.has(file)))
    if (!target.startsWith('.')) packages.add(target)
  assert.deepEqual([...packages].filter((name) => !offline.includes(name.split('/')[0] ?? '')).sort(), [])
  for (const file of reached)
    assert.doesNotMatch(readFileSync(join(src, file), 'utf8'), /\b(?:fetch|WebSocket|EventSource)\(/, file)
})

test('a command that changes what a node keeps loads no server', () => {
  const reached = closure(['account', 'client', 'engines', 'key', 'profile'].map((name) => `cli/${name}.ts`))
  const servers = [...reached].filter((file) => /^(?:http|intake|agora)\//.test(file))
  assert.deepEqual(servers, [])
})

// The files that are loaded with these, themselves included.
function closure(files: readonly string[]): Set<string> {
  const all = imports()
  const reached = new Set(files)
  for (const file of reached)
    for (const { target } of all.filter((each) => each.file === file && each.target.startsWith('.')))
      reached.add(normalize(join(dirname(file), target)))
  return reached
}
