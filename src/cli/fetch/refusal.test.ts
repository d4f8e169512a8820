import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnnalsError } from '../../errors.ts'
import { exitCodeOf } from '../exit-code.ts'
import { HttpBody } from './http-body.ts'
import { refusalOf } from './refusal.ts'
import { Setback } from './setback.ts'

test('E1 to E11: each refusal of the contract has an exit code that a script can act on', async () => {
  const expected: [number, string, number][] = [
    [400, 'INVALID_PARAMETER', 2],
    [401, 'UNAUTHENTICATED', 5],
    [403, 'FORBIDDEN', 5],
    [404, 'NOT_FOUND', 5],
    [405, 'METHOD_NOT_ALLOWED', 5],
    [406, 'NOT_ACCEPTABLE', 5],
    [416, 'RANGE_NOT_SATISFIABLE', 5],
    [429, 'TOO_MANY_REQUESTS', 4],
    [500, 'UNKNOWN_ENGINE', 5],
    [500, 'UNREACHABLE_ENGINE', 4],
    [500, 'UNREACHABLE_INSTANCE', 4],
    [503, 'UNAVAILABLE', 4],
  ]
  for (const [status, code, exitCode] of expected) {
    const error = await refused(status, JSON.stringify([{ code, message: 'why' }]))
    assert.equal(exitOf(error), exitCode, code)
    assert.match(error.message, new RegExp(`^the server refuses \\(${status}\\): ${code}: why`))
  }
})

test('E3: an array with several elements is shown one a line, each with its engine', async () => {
  const element = (engine: string) => ({ code: 'UNREACHABLE_ENGINE', message: 'no answer', engine })
  const error = await refused(500, JSON.stringify([element('engine-01'), element('engine-02')]))
  assert.deepEqual(error.message.split('\n'), [
    'the server refuses (500), for 2 reasons:',
    '  UNREACHABLE_ENGINE: engine-01: no answer',
    '  UNREACHABLE_ENGINE: engine-02: no answer',
  ])
  assert.equal(exitOf(error), 4)
})

test('a refusal of many reasons is shown in part and counted', async () => {
  const elements = Array.from({ length: 150 }, (_, k) => ({ code: 'UNREACHABLE_ENGINE', message: `e${k}` }))
  const lines = (await refused(500, JSON.stringify(elements))).message.split('\n')
  assert.deepEqual([lines.length, lines.at(-1)], [102, '  and 50 more'])
})

test('servers that say it otherwise are understood as far as it goes, and never trusted with codes about us', async () => {
  const expected: [number, string, number][] = [
    [500, '["UNREACHABLE_ENGINE"]', 4],
    [500, '[{"error":"UNKNOWN_ENGINE","status":500}]', 5],
    [500, '[{"code":"LOG_DAMAGED","message":"x"}]', 1],
    [500, '<html>', 1],
    [401, '', 5],
    [400, '{"message":"bad"}', 2],
    [418, '[null, 1]', 2],
  ]
  for (const [status, text, exitCode] of expected)
    assert.equal(exitOf(await refused(status, text)), exitCode, text)
})

test('what a server says cannot command a terminal, and is bounded', async () => {
  const message = `\u001b[2J\u001b]0;x\u0007\r\nannals: done\u202e${'x'.repeat(5_000)}`
  const error = await refused(403, JSON.stringify([{ code: 'FORBIDDEN', message }]))
  assert.match(error.message, /FORBIDDEN: \[2J \]0;x annals: done x+…$/)
  assert.ok(error.message.length < 600)
})

test('a redirect is never followed, and where it leads is said without its query', async () => {
  const error = await refused(302, '', { location: 'https://elsewhere.example.com/login?token=secret' })
  assert.equal(exitOf(error), 2)
  assert.match(error.message, /redirects to https:\/\/elsewhere\.example\.com\/login \(302\)/)
  assert.doesNotMatch(error.message, /secret/)
})

test('E9, E10: what passes is a setback, with the time that the server asks for', async () => {
  const error = await refused(503, '[]', { 'retry-after': '3' })
  assert.ok(error instanceof Setback)
  assert.deepEqual([error.code, error.retryAfterMs], ['UNAVAILABLE', 3_000])
})

async function refused(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Error> {
  const nothing = () => undefined
  const body = new HttpBody({ pause: nothing, resume: nothing, abort: nothing })
  body.push(Buffer.from(text))
  body.end()
  return await refusalOf({ status, header: (name) => headers[name], body }, 'the server')
}

function exitOf(error: Error): number {
  assert.ok(error instanceof AnnalsError || error instanceof Setback)
  return exitCodeOf[error.code]
}
