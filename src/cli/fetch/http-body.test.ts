import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchQueueBytes } from '../../limits.ts'
import { HttpBody } from './http-body.ts'

test('every byte that came is handed on before the break is told', async () => {
  const { body } = bodyOf()
  body.push(Buffer.from('one'))
  body.push(Buffer.from('two'))
  body.end(new Error('broken'))
  const read: string[] = []
  const reading = (async () => {
    for await (const chunk of body) read.push(chunk.toString())
  })()
  await assert.rejects(reading, /broken/)
  assert.deepEqual(read, ['one', 'two'])
})

test('the source is held back while too much waits, and let go on when it is read', async () => {
  const { body, calls } = bodyOf()
  body.push(Buffer.alloc(fetchQueueBytes - 1))
  assert.deepEqual(calls, [])
  body.push(Buffer.alloc(1))
  body.push(Buffer.alloc(1))
  assert.deepEqual(calls, ['pause'])
  await body[Symbol.asyncIterator]().next()
  assert.deepEqual(calls, ['pause', 'resume'])
})

test('bytes that come while somebody waits for them are handed on at once', async () => {
  const { body, calls } = bodyOf()
  const iterator = body[Symbol.asyncIterator]()
  const next = iterator.next()
  body.push(Buffer.from('late'))
  assert.equal((await next).value?.toString(), 'late')
  body.end()
  assert.equal((await iterator.next()).done, true)
  assert.deepEqual(calls, [])
})

test('whoever stops reading lets go of the connection, but not of one that has ended in order', async () => {
  const { body, calls } = bodyOf()
  body.push(Buffer.from('one'))
  for await (const _chunk of body) break
  assert.deepEqual(calls, ['abort'])
  const whole = bodyOf()
  whole.body.end()
  whole.body.destroy()
  assert.deepEqual(whole.calls, [])
})

function bodyOf() {
  const calls: string[] = []
  const body = new HttpBody({
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    abort: () => void calls.push('abort'),
  })
  return { body, calls }
}
