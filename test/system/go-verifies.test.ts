// I2, I10: a real log, over the wire, verified by somebody else's code: Go's sumdb/note and sumdb/tlog, which know
// nothing of Annals. And what they say of copies that were tampered with.

import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  formatVkey,
  type NoteSigner,
  noteSigner,
  parseVkey,
  signatureTypes,
} from '../../src/tree/note-key.ts'
import { type Answer, ask } from '../conformance/wire.ts'
import { buildGoVerifier, type GoVerifier, skipWithoutGo, type Verdict } from './go-verifier.ts'
import {
  administrator,
  hostName,
  type PortalProcess,
  startPortal,
  storedLines,
  temporaryDirectory,
  until,
} from './portal-process.ts'
import { fetchCopy, flip, makeCopy } from './published-copy.ts'

const path = `/audit-trail/api/v2/logs/${hostName}`

/** A running portal, and what an auditor of its log has. */
interface Stage {
  readonly portal: PortalProcess
  readonly data: string
  readonly go: GoVerifier
  readonly directory: string
  /** The log's public keys, in a file. */
  readonly keys: string
  /** A checkpoint from before. */
  readonly old: string
  /** What the log publishes, as files. */
  readonly copy: string
}

test('I2, I10: a log is verified by code that others wrote', { skip: skipWithoutGo() }, async (context) => {
  const stage = await setStage(context)
  const { portal, go, directory, keys, old, copy } = stage
  const onlineWith = (keys: string, ...flags: string[]) =>
    go('log', '-key', `@${keys}`, '-user', administrator.name, ...flags, `${portal.baseUrl}${path}`)
  const online = (...flags: string[]) => onlineWith(keys, ...flags)
  const password = ['-password-file', join(directory, 'password')]

  await context.test(
    'the whole log, over HTTP, and that it goes on from a checkpoint of before',
    async () => {
      accepted(await online(...password, '-save', old), /entries +all 70\d, and/)
      await record(portal, 2_000)
      // With the keys as the log publishes them, in a file with more than keys.
      const published = join(directory, 'published-keys')
      writeFileSync(published, (await get(portal, `${path}/keys`)).body)
      accepted(await onlineWith(published, ...password), /has the signed root/)
      const verdict = await online(...password, '-old', old)
      accepted(verdict, /consistency +the log of \d+ entries is the beginning of the one of \d{4}\n/)
      assert.match(
        verdict.output,
        /1 signature\(s\) of the log verified, 1 of unknown keys or types not looked at/,
      )
      assert.match(verdict.output, /entries +all \d{4}, and the tree over them has the signed root/)
      assert.match(verdict.output, /inclusion +6\d proofs/)
    },
  )

  await context.test('the lines of an answer', async () => {
    const answer = await get(portal, '/audit-trail/api/v1/portal/type/auditlog?elapsed_hours=1')
    const [, from = '', to = ''] = /\.(\d+)-(\d+)"$/.exec(answer.headers.etag ?? '') ?? []
    const file = join(directory, 'answer')
    writeFileSync(file, answer.body)
    await covers(portal, Number(to))
    accepted(
      await online(...password, '-lines', file, '-from', from, '-to', to),
      /each proved to be in the tree/,
    )
    writeFileSync(file, answer.body.subarray(answer.body.indexOf('\n') + 1))
    refused(await online(...password, '-lines', file, '-from', from, '-to', to), /entry at 0 is not proved/)
  })

  await context.test('the proof of an entry', async () => {
    const file = join(directory, 'entry.tlog-proof')
    const { body } = await get(portal, `${path}/entries/1234/proof`)
    writeFileSync(file, body)
    const proof = (...flags: string[]) => go('proof', '-key', `@${keys}`, ...flags, file)
    accepted(await proof(), /the entry at 1234 is:\n<109>1 .* pos="1234" .*\|user \d+ ä\]/)
    const line = join(directory, 'line')
    writeFileSync(line, `${storedLines(stage.data)[1234] ?? ''}\n`)
    accepted(await proof('-entry', line), /the entry at 1234 is/)
    flip(line, 300)
    refused(await proof('-entry', line), /this entry is not at 1234/)
    writeFileSync(file, body.toString().replace('index 1234', 'index 1235'))
    refused(await proof(), /this entry is not at 1235/)
  })

  await context.test('a copy of what the log publishes, as files', async () => {
    assert.ok((await fetchCopy(portal, administrator, path, copy)) > 2_600)
    accepted(await go('log', '-key', `@${keys}`, '-old', old, copy), /has the signed root/)
  })

  for (const [what, file, at, why] of [
    ['an entry', 'tile/entries/003', 700, /entry at 7[67]\d and the tile at level 0 do not fit together/],
    ['a hash of leaves', 'tile/0/005', 77, /entry at 1282 and the tile at level 0 do not fit together/],
    ['a hash above them', 'tile/1/000.p/10', 77, /consistency: not the beginning|tile at level 1 do not fit/],
    ['the checkpoint’s text', 'checkpoint', 80, /checkpoint: invalid signature/],
    ['the checkpoint’s signature', 'checkpoint', 200, /checkpoint: (invalid signature|malformed)/],
  ] as const)
    await context.test(`a copy with one bit turned over in ${what} is refused`, async (inner) => {
      const tampered = join(temporaryDirectory(inner), 'copy')
      cpSync(copy, tampered, { recursive: true })
      flip(join(tampered, file), at)
      refused(await go('log', '-key', `@${keys}`, '-old', old, tampered), why)
    })

  await context.test(
    'I10: a history written anew with the log’s own key is no continuation',
    async (inner) => {
      const change = (line: string, k: number) => (k === 40 ? line.replace('user', 'none') : line)
      const rewritten = signAnew(stage, join(temporaryDirectory(inner), 'copy'), { change })
      // It is a log like any other to somebody who sees it for the first time…
      accepted(await go('log', '-key', `@${keys}`, rewritten), /has the signed root/)
      // … and to nobody who has kept a checkpoint.
      refused(
        await go('log', '-key', `@${keys}`, '-old', old, rewritten),
        /consistency: not the beginning of this log/,
      )
    },
  )

  await context.test('the cosignature of a witness', async (inner) => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const witness = noteSigner('w.example', signatureTypes.ed25519Cosignature, privateKey)
    const cosigned = signAnew(stage, join(temporaryDirectory(inner), 'copy'), { witnesses: [witness] })
    const verify = (directory: string) =>
      go('log', '-key', `@${keys}`, '-witness', formatVkey(witness), directory)
    // The time is the one that the copy states.
    accepted(await verify(cosigned), /witness +w\.example cosigned it at 1970-01-01T00:00:01Z/)
    refused(await verify(copy), /witness: w\.example has not cosigned this checkpoint/)
    flip(join(cosigned, 'checkpoint'), readFileSync(join(cosigned, 'checkpoint')).length - 20)
    refused(await verify(cosigned), /checkpoint: (invalid signature for key w\.example|malformed)/)
  })

  await context.test('another log’s key does not vouch for this one', async () => {
    const vkey = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
    refused(await go('log', '-key', vkey, copy), /checkpoint: note has no verifiable signatures/)
  })

  await context.test('what cannot be read is no verdict', async () => {
    assert.equal((await go('log', '-key', `@${keys}`, join(directory, 'nothing'))).exitCode, 3)
    writeFileSync(join(directory, 'password'), 'wrong\n')
    assert.deepEqual((await online(...password)).exitCode, 3)
    assert.equal((await go('log', copy)).exitCode, 2)
  })
})

async function setStage(context: TestContext): Promise<Stage> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'data')
  const portal = await startPortal(context, { data })
  await record(portal, 700)
  const keys = join(directory, 'keys')
  writeFileSync(keys, `${keysOf(data).join('\n')}\n`)
  writeFileSync(join(directory, 'password'), `${administrator.password}\n`)
  const places = { old: join(directory, 'old'), copy: join(directory, 'copy') }
  return { portal, data, go: buildGoVerifier(context), directory, keys, ...places }
}

/** Records events, and waits until a checkpoint covers the log up to the last of them. */
async function record(portal: PortalProcess, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, k) => ({
    id: randomUUID(),
    code: 20101,
    component: 'Portal',
    actor: `user ${k} ä`,
    session: 's-1',
  }))
  const headers = { 'content-type': 'application/x-ndjson' }
  const body = events.map((event) => JSON.stringify(event)).join('\n')
  const answer = await ask(portal, `${path}/entries`, {
    method: 'POST',
    credentials: administrator,
    headers,
    body,
  })
  assert.equal(answer.status, 200, answer.body.toString('utf8', 0, 500))
  const last = answer.body.toString().trimEnd().split('\n').at(-1) ?? ''
  const { position } = JSON.parse(last) as { position: number }
  await covers(portal, position + 1)
}

async function covers(portal: PortalProcess, size: number): Promise<void> {
  await until(
    async () => Number((await get(portal, `${path}/checkpoint`)).body.toString().split('\n')[1]) >= size,
  )
}

async function get(portal: PortalProcess, path: string): Promise<Answer> {
  const answer = await ask(portal, path, { credentials: administrator })
  assert.equal(answer.status, 200, `${path}: ${answer.body.toString()}`)
  return answer
}

/** The log's own keys, as its first entry names them. */
function keysOf(data: string): string[] {
  const keys = / keys="([^"]+)"/.exec(storedLines(data)[0] ?? '')?.[1]?.split(' ') ?? []
  assert.equal(keys.length, 2)
  return keys
}

/** The copy's log, signed anew with the log's own stolen key, and by others; entries may be changed. */
function signAnew(
  { data, copy }: Stage,
  directory: string,
  { witnesses = [], change = (line) => line }: Anew,
): string {
  const size = Number(readFileSync(join(copy, 'checkpoint'), 'utf8').split('\n')[1])
  const entries = storedLines(data)
    .slice(0, size)
    .map((line, k) => Buffer.from(change(line, k)))
  const origin = parseVkey(keysOf(data)[0] ?? '')?.name ?? ''
  const key = createPrivateKey(readFileSync(join(data, 'log', 'key.pem')))
  makeCopy(directory, entries, origin, [noteSigner(origin, signatureTypes.ed25519, key), ...witnesses])
  return directory
}

interface Anew {
  readonly witnesses?: readonly NoteSigner[]
  readonly change?: (line: string, position: number) => string
}

function accepted({ exitCode, output, errors }: Verdict, what: RegExp): void {
  assert.equal(exitCode, 0, output + errors)
  assert.match(output, what)
}

function refused({ exitCode, output, errors }: Verdict, why: RegExp): void {
  assert.equal(exitCode, 1, output + errors)
  assert.match(output, /^REFUSED /m)
  assert.match(output, why)
}
