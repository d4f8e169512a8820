// `annals verify` of what `annals fetch` has kept: offline, with the files alone.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { joinEngine } from './engine-process.ts'
import { ask } from '../conformance/wire.ts'
import { administrator, startAnnals, startPortal, temporaryDirectory } from './portal-process.ts'

const credentials = administrator

test('what was fetched is proved again without the server, by whoever has the keys', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const portal = { ...(await startPortal(context, { data })), data }
  await joinEngine(context, portal, { hostName: 'alpha', data: join(directory, 'alpha') })
  const at = (name: string) => join(directory, name)
  const annals = async (...args: readonly string[]) => await startAnnals(context, [...args], {}).ended
  const fetch = async (log: string, name: string) => {
    writeFileSync(at('password'), administrator.password)
    const login = ['--user', administrator.name, '--password-file', at('password')]
    const keep = [
      '--verify',
      '--state',
      at('seen'),
      '--output',
      at(`${name}.log`),
      '--save-proof',
      at(`${name}.proof`),
      '--save-tiles',
      at(`${name}.tiles`),
    ]
    const { exitCode, errors } = await annals('fetch', log, '--url', portal.baseUrl, ...login, ...keep)
    assert.equal(exitCode, 0, errors)
  }
  await fetch('portal', 'portal')
  await fetch('engines', 'engines')
  for (const log of ['portal-01', 'alpha'])
    writeFileSync(at(`${log}.keys`), (await ask(portal, `/audit-trail/api/v2/logs/${log}/keys`)).body)
  const receipt = await ask(portal, '/audit-trail/api/v2/logs/portal-01/entries/1/proof', { credentials })
  writeFileSync(at('entry.proof'), receipt.body)
  await portal.stop()
  const keys = ['--key', at('portal-01.keys'), '--key', at('alpha.keys')]

  await context.test('the answer of one log', async () => {
    const { exitCode, output, errors } = await annals(
      'verify',
      at('portal.log'),
      '--proof',
      at('portal.proof'),
      ...keys,
    )
    assert.equal(exitCode, 0, errors)
    assert.match(output, /^signed by the log; witnessed by nobody you named\nlog +portal-01-/)
    assert.match(output, /complete +every entry that was recorded before /)
  })

  await context.test('the answer of all engines, where each checkpoint needs a key', async () => {
    const given = ['verify', at('engines.log'), '--proof', at('engines.proof')]
    const { exitCode, output, errors } = await annals(...given, ...keys, '--json')
    assert.equal(exitCode, 0, errors)
    const { result, form, engines } = JSON.parse(output) as Record<string, unknown>
    assert.deepEqual([result, form, Array.isArray(engines) && engines.length], ['proved', 'engines', 1])
    const without = await annals(...given, '--key', at('portal-01.keys'))
    assert.equal(without.exitCode, 7)
    assert.match(without.errors, /the checkpoint is of alpha\/.*, of which no key was given/)
  })

  await context.test('one line of it', async () => {
    writeFileSync(at('line'), readFileSync(at('portal.log'), 'utf8').split('\n')[1] ?? '')
    const { exitCode, output, errors } = await annals(
      'verify',
      at('line'),
      '--proof',
      at('entry.proof'),
      ...keys,
    )
    assert.equal(exitCode, 0, errors)
    assert.match(output, /\nposition +1, recorded at /)
  })

  await context.test('I2: a line that was changed or left out is found', async () => {
    const text = readFileSync(at('portal.log'), 'utf8')
    const lines = text.split('\n')
    const last = text.length - 3
    const flipped = `${text.slice(0, last)}${text[last] === 'x' ? 'y' : 'x'}${text.slice(last + 1)}`
    for (const changed of [flipped, lines.toSpliced(1, 1).join('\n'), lines.toSpliced(-2, 1).join('\n')]) {
      writeFileSync(at('changed.log'), changed)
      const { exitCode, output } = await annals(
        'verify',
        at('changed.log'),
        '--proof',
        at('portal.proof'),
        ...keys,
      )
      assert.deepEqual([exitCode, output], [7, ''])
    }
    writeFileSync(at('line'), lines[2] ?? '')
    assert.equal((await annals('verify', at('line'), '--proof', at('entry.proof'), ...keys)).exitCode, 7)
  })

  await context.test(
    'I2: its lines, when they come back from elsewhere, against the tiles that were kept',
    async () => {
      const lines = readFileSync(at('portal.log'), 'utf8').split('\n').slice(0, -1)
      const given = [
        'verify',
        at('export.txt'),
        '--tiles',
        at('portal.tiles'),
        ...keys,
        '--to',
        String(lines.length),
      ]
      writeFileSync(at('export.txt'), lines.toReversed().join('\r\n'))
      const { exitCode, output, errors } = await annals(...given)
      assert.equal(exitCode, 0, errors)
      assert.match(output, /\nthere +(\d+) of \1\n/)
      writeFileSync(at('export.txt'), lines.toSpliced(2, 1).join('\n'))
      const without = await annals(...given)
      assert.equal(without.exitCode, 7)
      assert.match(without.output, /\nmissing +1: 2\n/)
    },
  )
})
