import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../run.ts'
import { temporaryDirectory } from '../testing/annals-process.ts'
import { testSurroundings } from '../testing/surroundings.ts'

test("a demo keeps to a directory of its own, and refuses anybody else's before it says anything", async (context) => {
  const directory = temporaryDirectory(context)
  const own = join(directory, 'annals-demo-data')
  const other = join(directory, 'other')
  for (const data of [own, other]) {
    mkdirSync(data)
    writeFileSync(join(data, 'annals.db'), '')
  }
  const environment = { ANNALS_DATA: other }
  for (const [data, outcome] of [
    [own, await ran(['serve', '--demo'], { directory })],
    [other, await ran(['serve', '--demo', '--data', 'other'], { directory })],
    [other, await ran(['serve', '--demo'], { directory, environment })],
  ] as const) {
    assert.deepEqual([outcome.exitCode, outcome.output], [2, ''])
    assert.equal(
      outcome.errors,
      `annals: ${data} is not empty, and is not a demo's: give the demo a directory of its own with --data\n`,
    )
    assert.deepEqual(readdirSync(data), ['annals.db'])
  }
})

test('nodes that are none refuse what is a demo', async (context) => {
  const data = temporaryDirectory(context)
  writeFileSync(join(data, 'annals-demo.json'), '{"format":"annals demo v1","seeded":true}')
  for (const command of ['serve', 'engine']) {
    for (const [taken, why] of [
      [data, 'is the directory of a demo'],
      [join(data, 'portal'), 'is a part of the demo'],
    ] as const) {
      const { exitCode, output, errors } = await ran([command, '--data', taken])
      assert.deepEqual([exitCode, output], [2, ''])
      assert.ok(errors.startsWith(`annals: ${taken} ${why}`), errors)
    }
  }
  assert.deepEqual(readdirSync(data), ['annals-demo.json'])
})

test('what is wrong with the configuration of a demo is said as it is of a portal', async () => {
  const { exitCode, errors } = await ran(['serve', '--demo', '--time-zone', 'Mars/Olympus'])
  assert.equal(exitCode, 2)
  assert.match(errors, /^annals: the configuration is wrong: --time-zone: /)
})

async function ran(args: readonly string[], different = {}) {
  const surroundings = testSurroundings(different)
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}
