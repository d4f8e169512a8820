import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { one } from '../../src/config/testing/certificates.ts'
import { draftOf } from '../../src/entry/line.ts'
import { selfEvent } from '../../src/entry/self-event.ts'
import { openLog } from '../../src/log/open.ts'
import { systemClock } from '../../src/ops/clock.ts'
import { curlLine } from '../../src/cli/serve.ts'
import {
  type AnnalsProcess,
  type Outcome,
  runAnnals,
  startAnnals,
  startAnnalsInTerminal,
  temporaryDirectory,
} from '../../src/cli/testing/annals-process.ts'

const auditLog = '/audit-trail/api/v1/portal/type/auditlog'

// Each waits for its processes most of the time.
suite('annals serve', { concurrency: 4 }, () => {
  test('a first start without a terminal leaves the password in a file of its owner, and all that it prints works', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    const portal = await serve(context, data)
    const said = portal.output()
    const file = join(data, 'admin-password')
    assert.match(said, new RegExp(`account is "admin". Its password is in ${file}: `))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(statSync(data).mode & 0o777, 0o700)
    const password = readFileSync(file, 'utf8').trim()
    assert.ok(!said.includes(password))
    const [, curlUrl] = /^ {2}curl -u admin '([^']+)'$/m.exec(said) ?? []
    const answer = await fetch(curlUrl ?? '', { headers: basic(password) })
    assert.equal(answer.status, 200)
    const messages = (await answer.text()).split('\n').map((line) => line.replace(/^.*\] \[/, '['))
    for (const expected of [
      '[Portal|SYSTEM|20001|*system] Portal is starting',
      '[Portal|USER|20201|*system] User admin is created',
      '[Portal|SYSTEM|20002|*system] Portal is up and running',
    ]) {
      assert.ok(messages.includes(expected), expected)
    }
    const { exitCode, errors } = await stop(portal)
    assert.equal(exitCode, 0)
    assertOnlyJson(errors)
  })

  test('a fleet that comes back in one moment is let in, even while the node stands still', async (context) => {
    const portal = await serve(context, join(temporaryDirectory(context), 'data'))
    const port = Number(new URL(urlOf(portal)).port)
    portal.process.kill('SIGSTOP')
    const sockets = Array.from({ length: 700 }, () => connect(port, '127.0.0.1'))
    context.after(() => sockets.forEach((socket) => socket.destroy()))
    try {
      // Beyond what waits to be accepted, a connection would only be tried again.
      await Promise.all(
        sockets.map((socket) => once(socket, 'connect', { signal: AbortSignal.timeout(20_000) })),
      )
    } finally {
      portal.process.kill('SIGCONT')
    }
    const answers = sockets.map(async (socket) => {
      socket.end('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      const answer = await socket.setEncoding('utf8').toArray()
      return answer.join('').slice(0, 15)
    })
    for (const answer of await Promise.all(answers)) assert.equal(answer, 'HTTP/1.1 200 OK')
    await stop(portal)
  })

  test('a first start at a terminal shows the password once, and writes it nowhere', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    const portal = startAnnalsInTerminal(context, [
      'serve',
      '--data',
      data,
      '--listen',
      '127.0.0.1:0',
      '--host-name',
      'portal',
    ])
    await portal.says('curl -u admin')
    const [, password] = /shown only now:\s+(\S+)/.exec(portal.output()) ?? []
    assert.ok(password !== undefined)
    assert.equal((await fetch(urlOf(portal) + auditLog, { headers: basic(password) })).status, 200)
    assert.ok(!existsSync(join(data, 'admin-password')))
    // Ctrl-C
    portal.process.stdin.write('\u0003')
    assert.equal((await portal.ended).exitCode, 0)
    assert.match(entries(data).at(-1) ?? '', /\|20004\|\*system\] Portal is stopped$/)
    const again = await serve(context, data)
    assert.doesNotMatch(again.output(), /password/)
    await stop(again)
  })

  test('the first password may be given in a file, and a bad one stops the start before there is an account', async (context) => {
    const directory = temporaryDirectory(context)
    const [data, file] = [join(directory, 'data'), join(directory, 'password')]
    const environment = { ANNALS_ADMIN_PASSWORD_FILE: file }
    writeFileSync(file, 'weak\n')
    const args = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--host-name', 'portal']
    const refused = await runAnnals(context, args, environment)
    assert.equal(refused.exitCode, 2)
    assert.match(refused.errors, /the password in .* cannot be used: .* at least 8 characters/)
    writeFileSync(file, 'Strong-enough-1\n')
    const portal = await serve(context, data, [], environment)
    assert.equal((await fetch(urlOf(portal) + auditLog, { headers: basic('Strong-enough-1') })).status, 200)
    assert.ok(!existsSync(join(data, 'admin-password')))
    await stop(portal)
  })

  test('I1: a first start that is killed at any step leaves an instance that the administrator can get into', async (context) => {
    const steps = ['lock', 'log/log.json', 'log/segments', 'annals.db', 'admin-password']
    await Promise.all(
      steps.map(async (step) => {
        const data = join(temporaryDirectory(context), 'data')
        const args = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--host-name', 'portal']
        const portal = startAnnals(context, args)
        while (!existsSync(join(data, step))) await sleep(1)
        portal.process.kill('SIGKILL')
        await portal.ended
        const again = await serve(context, data)
        const password = readFileSync(join(data, 'admin-password'), 'utf8').trim()
        assert.equal((await fetch(urlOf(again) + auditLog, { headers: basic(password) })).status, 200, step)
        await stop(again)
      }),
    )
  })

  test('I5: a second server on the same data says who holds it', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    const portal = await serve(context, data)
    const second = await runAnnals(context, ['serve', '--data', data, '--listen', '127.0.0.1:0'])
    assert.equal(second.exitCode, 4)
    assert.match(
      second.errors,
      new RegExp(
        `^annals: this data directory is in use by process ${portal.process.pid} \\(annals serve\\) since `,
      ),
    )
    await stop(portal)
  })

  test('a port that is taken is a wrong configuration, and everything is let go again', async (context) => {
    const directory = temporaryDirectory(context)
    const portal = await serve(context, join(directory, 'one'))
    const other = join(directory, 'other')
    const refused = await runAnnals(context, [
      'serve',
      '--data',
      other,
      '--host-name',
      'portal',
      '--listen',
      new URL(urlOf(portal)).host,
    ])
    assert.equal(refused.exitCode, 2)
    assert.match(
      refused.errors,
      /cannot listen at 127\.0\.0\.1 port \d+: another program listens there already/,
    )
    assert.match(entries(other).at(-1) ?? '', /\|20004\|\*system\] Portal is stopped$/)
    await stop(portal)
    await stop(await serve(context, other))
  })

  test('a running portal records what commands change, and ends what was proved before', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    const portal = await serve(context, data)
    const password = readFileSync(join(data, 'admin-password'), 'utf8').trim()
    const read = () => fetch(urlOf(portal) + auditLog, { headers: basic(password) })
    assert.equal((await read()).status, 200)
    const made = await runAnnals(context, ['account', 'add', 'siem', '--generate', '--data', data])
    assert.deepEqual([made.exitCode, made.errors], [0, ''])
    assert.match(await (await read()).text(), /\|20201\|\*cli:[^|\]]+\] User siem is created/)
    assert.equal(
      (await runAnnals(context, ['account', 'passwd', 'admin', '--generate', '--data', data])).exitCode,
      0,
    )
    assert.equal((await read()).status, 401)
    await stop(portal)
  })

  test('SIGTERM closes idle connections at once, and is recorded', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    const portal = await serve(context, data)
    const idle = connect(Number(new URL(urlOf(portal)).port), '127.0.0.1')
    idle.write('GET /readyz HTTP/1.1\r\nHost: portal\r\n\r\n')
    await once(idle, 'data')
    const closed = once(idle, 'close')
    assert.equal((await stop(portal)).exitCode, 0)
    await closed
    assert.match(entries(data).at(-1) ?? '', /\|20004\|\*system\] Portal is stopped$/)
  })

  test('R6: an answer that takes longer than the stop may take is broken visibly, and both are recorded', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    await fill(data)
    const portal = await serve(context, data, ['--stop-timeout-seconds', '1'])
    const { socket, length } = await slowDownload(portal, data)
    assert.equal((await stop(portal)).exitCode, 0)
    let received = 0
    socket.on('data', (bytes: Buffer) => (received += bytes.length))
    socket.resume()
    await once(socket, 'close')
    assert.ok(received < length)
    const last = entries(data).slice(-2)
    assert.match(last[0] ?? '', /\|29003\|admin\] Audit log transfer broken after \d+ of \d+ bytes$/)
    assert.match(last[1] ?? '', /\|20004\|\*system\] Portal is stopped$/)
  })

  test('a second signal does not wait for anything; one that is passed on twice is one', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    await fill(data)
    const portal = await serve(context, data)
    await slowDownload(portal, data)
    portal.process.kill('SIGTERM')
    portal.process.kill('SIGTERM')
    while (!portal.errors().includes('stopping')) await sleep(10)
    assert.equal(await Promise.race([portal.ended, sleep(1_200, 'runs')]), 'runs')
    portal.process.kill('SIGTERM')
    assert.equal((await portal.ended).exitCode, 143)
  })

  test('with a certificate the portal speaks TLS, and says how to trust it', async (context) => {
    const directory = temporaryDirectory(context)
    const [certificate, key] = [join(directory, 'portal.crt'), join(directory, 'portal.key')]
    writeFileSync(certificate, one.certificate)
    writeFileSync(key, one.key, { mode: 0o600 })
    const tls = ['--tls-certificate-file', certificate, '--tls-key-file', key]
    const portal = await serve(context, join(directory, 'data'), tls)
    const url = urlOf(portal)
    assert.match(url, /^https:/)
    assert.ok(
      portal.output().includes(`curl --cacert ${certificate} -u admin '${url}${auditLog}?elapsed_hours=1'`),
    )
    const status = await new Promise((resolve, reject) => {
      httpsRequest(`${url}/readyz`, { ca: one.certificate }, (answer) => resolve(answer.statusCode))
        .on('error', reject)
        .end()
    })
    assert.equal(status, 200)
    await stop(portal)
    const missing = await runAnnals(context, [
      'serve',
      '--data',
      join(directory, 'other'),
      '--tls-certificate-file',
      '/nowhere.crt',
      '--tls-key-file',
      key,
    ])
    assert.equal(missing.exitCode, 2)
    assert.match(missing.errors, /"tls.certificateFile" cannot be read/)
    assert.ok(!existsSync(join(directory, 'other')))
  })

  test('a data directory that everybody may write in is refused', async (context) => {
    const data = join(temporaryDirectory(context), 'data')
    mkdirSync(data)
    const { chmod } = await import('node:fs/promises')
    await chmod(data, 0o777)
    const { exitCode, errors } = await runAnnals(context, [
      'serve',
      '--data',
      data,
      '--listen',
      '127.0.0.1:0',
    ])
    assert.equal(exitCode, 2)
    assert.match(errors, /every user of this machine may write/)
  })

  test('the curl line is one for a shell, whatever the names are', () => {
    const configuration = {
      tls: { certificateFile: "/it's here/c.pem", keyFile: '' },
      publicUrl: 'https://portal',
      listen: { host: '::', port: 1 },
    }
    const line = curlLine({ configuration: configuration as never, administrator: 'ädmin' })
    assert.equal(
      line,
      `curl --cacert '/it'\\''s here/c.pem' -u 'ädmin' 'https://portal${auditLog}?elapsed_hours=1'`,
    )
    const plain = curlLine({
      configuration: { ...configuration, tls: undefined } as never,
      administrator: 'admin',
    })
    assert.equal(plain, `curl -u admin 'http://[::1]:1${auditLog}?elapsed_hours=1'`)
  })
})

async function serve(
  context: TestContext,
  data: string,
  more: readonly string[] = [],
  environment = {},
): Promise<AnnalsProcess> {
  const args = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--host-name', 'portal', ...more]
  const portal = startAnnals(context, args, environment)
  await portal.says('curl ')
  return portal
}

async function stop(portal: AnnalsProcess): Promise<Outcome> {
  portal.process.kill('SIGTERM')
  return await portal.ended
}

function urlOf(portal: AnnalsProcess): string {
  return /address +(https?:\/\/[^\s,]+)/.exec(portal.output())?.[1] ?? ''
}

function basic(password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` }
}

// More than the sockets of both sides hold.
async function fill(data: string): Promise<void> {
  await using log = await openLog({ data, hostName: 'portal', component: 'Portal', clock: systemClock() })
  const long = 'x'.repeat(30_000)
  const event = () =>
    selfEvent({ code: '20202', actor: '*system', hostName: 'portal', fields: { deletedAccount: long } })
  // Fewer at once than may wait.
  for (let part = 0; part < 5; part += 1)
    await Promise.all(Array.from({ length: 100 }, () => log.record(draftOf(event(), log.id))))
}

// Asks for the whole log, reads the head of the answer, and then no more.
async function slowDownload(
  portal: AnnalsProcess,
  data: string,
): Promise<{ socket: Socket; length: number }> {
  const { authorization } = basic(readFileSync(join(data, 'admin-password'), 'utf8').trim())
  const socket = connect(Number(new URL(urlOf(portal)).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`GET ${auditLog} HTTP/1.1\r\nHost: portal\r\nAuthorization: ${authorization}\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  socket.pause()
  const length = Number(/content-length: (\d+)/i.exec(head.toString('latin1'))?.[1])
  assert.ok(length > 10_000_000)
  return { socket, length }
}

function entries(data: string): string[] {
  const directory = join(data, 'log', 'segments')
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
  return names.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}

function assertOnlyJson(errors: string): void {
  for (const line of errors.split('\n').slice(0, -1)) assert.equal(typeof JSON.parse(line), 'object', line)
}
