import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from './logger.ts'

test('a line is one JSON object with its level, its time and its message', () => {
  const [line] = logged('info', (logger) => logger.warn({ segment: 3 }, 'an index was rebuilt'))
  const { time, ...rest } = JSON.parse(line ?? '') as Record<string, unknown>
  assert.deepEqual(rest, { level: 'warn', segment: 3, msg: 'an index was rebuilt' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('credentials are cut out, however deep a request is logged', () => {
  const lines = logged('info', (logger) => {
    logger.error({ authorization: 'Basic c2VjcmV0' }, 'a')
    logger.error({ headers: { authorization: 'Basic c2VjcmV0', host: 'here' } }, 'b')
    logger.error({ request: { headers: { Authorization: 'Basic c2VjcmV0', cookie: 'c2VjcmV0' } } }, 'c')
    logger.error({ body: { password: 'c2VjcmV0', client_secret: 'c2VjcmV0' } }, 'd')
  })
  assert.equal(lines.length, 4)
  assert.ok(!lines.join('').includes('c2VjcmV0'))
  assert.ok(lines.join('').includes('here'))
})

test('what lies below the level is not said', () => {
  assert.deepEqual(
    logged('error', (logger) => logger.info('nothing to see')),
    [],
  )
})

test('an error is said with its stack and its cause', () => {
  const [line] = logged('info', (logger) =>
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'x'),
  )
  assert.match(line ?? '', /outer.*inner/)
  assert.match(line ?? '', /logger\.test\.ts/)
})

function logged(level: string, say: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = []
  say(createLogger(level, { write: (line) => void lines.push(line) }))
  return lines
}
