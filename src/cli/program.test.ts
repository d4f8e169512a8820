import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from './run.ts'
import { runAnnals } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'

test('the version is printed, and nothing else', async (context) => {
  const { exitCode, output, errors } = await runAnnals(context, ['--version'])
  assert.deepEqual([exitCode, errors], [0, ''])
  assert.match(output, /^\d+\.\d+\.\d+\n$/)
})

test('a slip in a command or a flag is answered with a suggestion and exit code 2', async () => {
  const command = await ran(['serv'])
  assert.equal(command.exitCode, 2)
  assert.match(command.errors, /^annals: unknown command 'serv'\n\(Did you mean serve\?\)/)
  const flag = await ran(['serve', '--lisen', 'x'])
  assert.equal(flag.exitCode, 2)
  assert.match(flag.errors, /^annals: unknown option '--lisen'\n\(Did you mean --listen\?\)/)
  assert.match(flag.errors, /"annals serve --help" says how it is used/)
})

test('help is on standard output when it is asked for, and an error when nothing was', async () => {
  const asked = await ran(['--help'])
  assert.deepEqual([asked.exitCode, asked.errors], [0, ''])
  assert.match(asked.output, /Exit codes:\n +0 +done/)
  const nothing = await ran([])
  assert.deepEqual([nothing.exitCode, nothing.output], [2, ''])
  assert.match(nothing.errors, /Usage: annals/)
})

test('the help of every command teaches: what it does, its flags, and an example', async () => {
  for (const command of [
    'serve',
    'import',
    'check',
    'account',
    'account add',
    'account list',
    'account passwd',
    'account unlock',
    'account remove',
    'account set-profile',
    'engines',
    'engines token',
    'engines list',
    'engines show',
    'engines disconnect',
    'engines reconnect',
    'key',
    'key show',
    'key rotate',
    'key rotate tls',
  ]) {
    const { exitCode, output } = await ran([...command.split(' '), '--help'])
    assert.equal(exitCode, 0, command)
    assert.match(output, new RegExp(`^Usage: annals ${command} `), command)
    assert.match(output, /\nExamples?:\n +\S/, command)
    if (!['account', 'engines', 'key', 'key rotate'].includes(command))
      assert.match(output, /--data <DIRECTORY>[^]*default:\s+\.\/annals-data[^]*ANNALS_DATA/, command)
  }
})

test('everything that is wrong with the configuration is said at once, in plain words', async (context) => {
  const args = ['serve', '--listen', 'nowhere', '--time-zone', 'Mars/Olympus']
  const { exitCode, output, errors } = await runAnnals(context, args, { ANNALS_LOG_LEVEL: 'chatty' })
  assert.deepEqual([exitCode, output], [2, ''])
  assert.match(errors, /^annals: the configuration is wrong in 3 places:\n/)
  for (const origin of ['ANNALS_LOG_LEVEL', '--listen', '--time-zone'])
    assert.match(errors, new RegExp(`\n  ${origin}: `))
  assert.doesNotMatch(errors, /\n +at /)
})

test('--verbose says where an error came from', async () => {
  const { exitCode, errors } = await ran(['check', '--data', '/nowhere', '--verbose'])
  assert.equal(exitCode, 5)
  assert.match(errors, /^annals: .*\n  code: LOG_MISSING\n +at /)
})

async function ran(args: readonly string[]) {
  const surroundings = testSurroundings()
  const exitCode = await run(args, surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}
