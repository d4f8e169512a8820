import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { isAnnalsError } from '../errors.ts'
import { waitingHashes, waitingStrangersHashes } from '../limits.ts'
import { Hasher } from './hasher.ts'
import { formatHash, hashParameters, parseHash } from './password.ts'
import { cheap } from './testing/identity-fixture.ts'

/** Dies of its first password. */
const mortal = () =>
  new Worker('require("worker_threads").parentPort.once("message", () => process.exit(3))', { eval: true })
/** Answers nothing, ever. */
const silent = () =>
  new Worker('require("worker_threads").parentPort.on("message", () => {})', { eval: true })

test('a password is verified against what was stored of it, and no other is', async () => {
  await using hasher = new Hasher({ parameters: cheap })
  const stored = await hasher.hash('Pa\u0308sswort 1')
  assert.deepEqual(parseHash(stored).parameters, cheap)
  assert.ok(await hasher.verify('P\u00e4sswort 1', stored))
  assert.ok(!(await hasher.verify('Passwort 1', stored)))
  assert.ok(!(await hasher.verify('', stored)))
})

test('the same password is stored differently each time', async () => {
  await using hasher = new Hasher({ parameters: cheap })
  assert.notEqual(await hasher.hash('x'), await hasher.hash('x'))
})

test('what is stored is the argon2id of RFC 9106, as others make it', async () => {
  // Made with the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32
  await using hasher = new Hasher()
  const salt = Buffer.from('somesalt').toString('base64').replaceAll('=', '')
  const hash = Buffer.from('09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7', 'hex')
  const stored = `$argon2id$v=19$m=65536,t=2,p=1$${salt}$${hash.toString('base64').replaceAll('=', '')}`
  assert.ok(await hasher.verify('password', stored))
})

test('a password that was hashed more cheaply than today is outdated', async () => {
  await using hasher = new Hasher({ parameters: cheap })
  await using today = new Hasher()
  const stored = await hasher.hash('x')
  assert.deepEqual(today.parameters, hashParameters)
  assert.deepEqual([hasher.isOutdated(stored), today.isOutdated(stored)], [false, true])
})

test('E9: beyond eight that wait, a password is refused before it is hashed', async () => {
  await using hasher = new Hasher({ startWorker: silent })
  const asked = Array.from({ length: 1 + waitingHashes }, async () => hasher.hash('x'))
  assert.ok(hasher.isFull)
  await assert.rejects(hasher.hash('x'), (error) => {
    assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS'))
    assert.ok((error.retryAfterSeconds ?? 0) > 0)
    return true
  })
  const ends = Promise.allSettled(asked)
  await hasher.close()
  for (const end of await ends) assert.equal(end.status, 'rejected')
})

test('E9: strangers leave places among those that wait to whoever is at home', async () => {
  await using hasher = new Hasher({ startWorker: silent })
  const stored = formatHash({ parameters: cheap, salt: new Uint8Array(16), hash: new Uint8Array(32) })
  const verify = (isAtHome: boolean) => hasher.verify('x', stored, isAtHome)
  const waiting = Array.from({ length: 1 + waitingStrangersHashes }, async () => verify(false))
  await assert.rejects(verify(false), (error) => isAnnalsError(error, 'TOO_MANY_REQUESTS'))
  const athome = Array.from({ length: waitingHashes - waitingStrangersHashes }, async () => verify(true))
  await assert.rejects(verify(true), (error) => isAnnalsError(error, 'TOO_MANY_REQUESTS'))
  const ends = Promise.allSettled([...waiting, ...athome])
  await hasher.close()
  for (const end of await ends)
    assert.ok(end.status === 'rejected' && isAnnalsError(end.reason, 'UNAVAILABLE'))
})

test('passwords that wait are hashed one after the other, in order', async () => {
  await using hasher = new Hasher({ parameters: cheap })
  const done: number[] = []
  await Promise.all([1, 2, 3, 4, 5].map(async (i) => hasher.hash('x').then(() => done.push(i))))
  assert.deepEqual(done, [1, 2, 3, 4, 5])
})

test('where the thread dies, its caller is told, and the next gets a new one', async () => {
  let started = 0
  const startWorker = () => {
    started += 1
    return started === 1 ? mortal() : new Worker(new URL('./password-worker.mjs', import.meta.url))
  }
  await using hasher = new Hasher({ parameters: cheap, startWorker })
  const [first, second] = await Promise.allSettled([hasher.hash('x'), hasher.hash('x')])
  assert.ok(first?.status === 'rejected' && isAnnalsError(first.reason, 'UNAVAILABLE'))
  assert.equal(second?.status, 'fulfilled')
  assert.equal(started, 2)
})

test('a thread that cannot be started at all is told, and nobody waits for ever', async () => {
  const startWorker = () => {
    throw new Error('no threads left')
  }
  await using hasher = new Hasher({ startWorker })
  const ends = await Promise.allSettled([hasher.hash('x'), hasher.hash('y')])
  for (const end of ends) assert.ok(end.status === 'rejected' && isAnnalsError(end.reason, 'UNAVAILABLE'))
})

test('what argon2 refuses is told to its caller, and the thread goes on', async () => {
  await using hasher = new Hasher({ parameters: { ...cheap, memory: 1 } })
  await assert.rejects(hasher.hash('x'), (error) => isAnnalsError(error, 'UNAVAILABLE'))
  await using other = new Hasher({ parameters: cheap })
  assert.ok(await hasher.verify('x', await other.hash('x')))
})

test('a closed hasher refuses', async () => {
  const hasher = new Hasher({ parameters: cheap })
  await hasher.hash('x')
  await hasher.close()
  await hasher.close()
  await assert.rejects(hasher.hash('x'), (error) => isAnnalsError(error, 'UNAVAILABLE'))
})
