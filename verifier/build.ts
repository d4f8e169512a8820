// Builds the verifier: one file that needs nothing else, with a policy that lets it run its own script and style and
// connect to nothing.
//
//   node verifier/build.ts [FILE]

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'

const here = import.meta.dirname

/** The page, as one text. */
export async function buildVerifier(): Promise<string> {
  const script = (await bundle()).trim()
  const style = readFileSync(join(here, 'page.css'), 'utf8')
  // As functions, so that no `$` in the parts means anything.
  return readFileSync(join(here, 'page.html'), 'utf8')
    .replace('content=""', () => `content="${policyOf(script, style)}"`)
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`)
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'page.ts')],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome117', 'firefox119', 'safari17.4'],
    // A page in UTF-8 may hold any character, but the end of a script.
    charset: 'utf8',
    inject: [join(here, 'buffer.ts')],
    alias: { 'node:crypto': join(here, 'crypto.ts'), 'node:assert/strict': join(here, 'assert.ts') },
  })
  const script = outputFiles[0]?.text ?? ''
  if (script === '' || /<\/script|<!--/i.test(script)) throw new Error('this cannot stand in a page')
  return script
}

function policyOf(script: string, style: string): string {
  const rules = [
    "default-src 'none'",
    `script-src ${sourceOf(script)}`,
    `style-src ${sourceOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return rules.join('; ')
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? join(here, 'dist', 'verifier.html'))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, await buildVerifier())
  process.stdout.write(`${file}\n`)
}
