import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { isAnnalsError } from '../errors.ts'
import { type Configuration, resolveConfiguration, type Sources, withPort } from './configuration.ts'
import { settings } from './setting.ts'

test('without any source there is a complete configuration that cannot be changed', () => {
  const configuration = resolved({})
  assert.equal(configuration.data, '/srv/annals-data')
  assert.deepEqual(configuration.listen, { host: '127.0.0.1', port: 8080 })
  assert.equal(configuration.hostName, 'machine')
  assert.equal(configuration.timeZone, 'UTC')
  assert.equal(configuration.publicUrl, 'http://127.0.0.1:8080')
  assert.equal(configuration.tls, undefined)
  assert.equal(configuration.basicAuthentication, true)
  assert.deepEqual(configuration.lockout, { failures: 5, minutes: 15 })
  assert.equal(configuration.minFreeBytes, 64 * 1024 * 1024)
  assert.ok(Object.isFrozen(configuration) && Object.isFrozen(configuration.lockout))
})

test('flags come before the environment, that before the file, that before the defaults', (context) => {
  const sources = ['file', 'environment', 'flag'] as const
  const example = { file: 61, environment: 72, flag: 83 }
  const numbers = settings.filter(({ kind, key }) => kind === 'integer' && key !== 'minFreeBytes')
  fc.assert(
    fc.property(fc.constantFrom(...numbers), fc.subarray([...sources]), (setting, given) => {
      const file = temporaryFile(context, given.includes('file') ? yamlOf(setting.key, example.file) : '')
      const configuration = resolved({
        file,
        environment: given.includes('environment') ? { [setting.variable]: String(example.environment) } : {},
        flags: given.includes('flag') ? { [setting.key]: String(example.flag) } : {},
      })
      const winner = given.at(-1)
      assert.equal(
        valueAt(configuration, setting.key),
        winner === undefined ? setting.default : example[winner],
      )
    }),
    { numRuns: 40 },
  )
})

test('everything that is wrong is reported at once, with its place and a suggestion', (context) => {
  const file = temporaryFile(
    context,
    'listn: 127.0.0.1:1\ntimeZone: Europe/Zurch\nlockout:\n  failures: many\n  minuts: 3\n',
  )
  const message = refused({
    file,
    environment: { ANNALS_LISTEN: 'nowhere', ANNALS_DATTA: 'x', ANNALS_ADMIN_PASSWORD: 'S3cret-word' },
    flags: { logLevel: 'inf' },
  })
  for (const expected of [
    'wrong in 8 places',
    'annals.yaml:1: unknown key "listn"; did you mean "listen"?',
    'annals.yaml:2: "Europe/Zurch" is not what is expected: an IANA name, such as Europe/Zurich; did you mean "Europe/Zurich"?',
    'annals.yaml:4: "many" is not what is expected: a whole number from 1 to 1000',
    'annals.yaml:5: unknown key "lockout.minuts"; did you mean "lockout.minutes"?',
    'ANNALS_LISTEN: "nowhere" is not what is expected: HOST:PORT',
    'ANNALS_DATTA: unknown environment variable; did you mean "ANNALS_DATA"?',
    'ANNALS_ADMIN_PASSWORD: secrets are given in files: set ANNALS_ADMIN_PASSWORD_FILE to a path',
    '--log-level: "inf" is not what is expected: one of trace, debug, info, warn, error, fatal, silent; did you mean "info"?',
  ]) {
    assert.ok(message.includes(expected), `${expected}\nis not in\n${message}`)
  }
  assert.ok(!message.includes('S3cret-word'), 'what may be a secret is not repeated')
})

test('a value that loses against another source is checked all the same', () => {
  assert.match(
    refused({ environment: { ANNALS_LISTEN: 'nowhere' }, flags: { listen: '127.0.0.1:1' } }),
    /ANNALS_LISTEN/,
  )
})

test('a file that is no YAML, is no map or is not there is refused', (context) => {
  assert.match(refused({ file: temporaryFile(context, 'listen: [\n') }), /annals\.yaml:\d: /)
  assert.match(refused({ file: temporaryFile(context, 'data: a\ndata: b\n') }), /annals\.yaml:2: .*unique/)
  assert.match(refused({ file: temporaryFile(context, '- data\n') }), /expected to be a map/)
  assert.match(refused({ file: temporaryFile(context, 'data: {a: b}\n') }), /"data" is expected to be a path/)
  assert.match(refused({ file: '/nowhere/annals.yaml' }), /--config: .* cannot be read/)
  assert.match(refused({ environment: { ANNALS_CONFIG: '/nowhere/annals.yaml' } }), /ANNALS_CONFIG: /)
})

test('a file is read as it is written, whatever YAML would make of its values', (context) => {
  const text = 'basicAuthentication: off\nhostName: 1e3\nlockout: {minutes: "20"}\ntls:\npublicUrl: ~\n'
  const configuration = resolved({ file: temporaryFile(context, text) })
  assert.equal(configuration.basicAuthentication, false)
  assert.equal(configuration.hostName, '1e3')
  assert.equal(configuration.lockout.minutes, 20)
})

test('paths are relative to where they were written down', (context) => {
  const file = temporaryFile(context, 'data: there\n')
  assert.equal(resolved({ file }).data, join(file, '..', 'there'))
  assert.equal(resolved({ environment: { ANNALS_DATA: 'there' } }).data, '/srv/there')
  assert.equal(resolved({ flags: { data: '/var/there' } }).data, '/var/there')
})

test('an empty variable says nothing, and the variables of a Kubernetes service called "annals" are none of ours', () => {
  const environment = {
    ANNALS_LISTEN: '',
    ANNALS_SERVICE_HOST: '10.0.0.1',
    ANNALS_SERVICE_PORT_HTTP: '8080',
    ANNALS_PORT: 'tcp://10.0.0.1:8080',
    ANNALS_PORT_8080_TCP_ADDR: '10.0.0.1',
  }
  assert.equal(resolved({ environment }).listen.port, 8080)
})

test('plain HTTP beyond loopback is refused until it is allowed in so many words', () => {
  const message = refused({ flags: { listen: '0.0.0.0:8080' } })
  assert.match(message, /--listen: .*--tls-certificate-file.*--allow-plain-http-beyond-loopback/)
  const allowed = resolved({ flags: { listen: '0.0.0.0:8080', allowPlainHttpBeyondLoopback: 'on' } })
  assert.equal(allowed.publicUrl, 'http://machine:8080')
  const tls = { 'tls.certificateFile': 'c.pem', 'tls.keyFile': 'k.pem' }
  assert.equal(resolved({ flags: { listen: '0.0.0.0:443', ...tls } }).publicUrl, 'https://machine')
})

test('TLS needs a certificate and a key', () => {
  assert.match(
    refused({ flags: { 'tls.keyFile': 'k.pem', listen: '0.0.0.0:1' } }),
    /is wrong: --tls-key-file: .*"tls.certificateFile" is not set/,
  )
})

test('the public URL is an origin, and https outside loopback', () => {
  assert.equal(
    resolved({ flags: { publicUrl: 'https://Audit.example.com/' } }).publicUrl,
    'https://audit.example.com',
  )
  assert.equal(resolved({ flags: { publicUrl: 'http://localhost:1' } }).publicUrl, 'http://localhost:1')
  assert.match(refused({ flags: { publicUrl: 'http://audit.example.com' } }), /must be https/)
  for (const publicUrl of [
    'audit.example.com',
    'ftp://a',
    'https://a/b',
    'https://u:p@a',
    'https://a?b',
    'https://a#',
  ]) {
    assert.match(refused({ flags: { publicUrl } }), /--public-url: /, publicUrl)
  }
})

test('a machine whose name is no host name must be given one', () => {
  assert.match(refused({ machineName: 'my_machine' }), /"my_machine" is no host name .*--host-name/)
  assert.equal(
    resolved({ machineName: 'my_machine', flags: { hostName: 'Portal-01' } }).hostName,
    'portal-01',
  )
})

test('a list is a flag for each part, a list in the file, and has commas in the environment', (context) => {
  const file = temporaryFile(context, 'follow:\n  - one.log\n  - "two*.log"\n')
  const directory = join(file, '..')
  assert.deepEqual(resolved({ file }).follow, [join(directory, 'one.log'), join(directory, 'two*.log')])
  assert.deepEqual(resolved({ file: temporaryFile(context, 'follow: /a.log\n') }).follow, ['/a.log'])
  assert.deepEqual(resolved({ environment: { ANNALS_FOLLOW: 'a.log,/b/*.log' } }).follow, [
    '/srv/a.log',
    '/b/*.log',
  ])
  assert.deepEqual(resolved({ file, flags: { follow: '/c.log\n/d.log' } }).follow, ['/c.log', '/d.log'])
  assert.deepEqual(resolved({}).follow, [])
  assert.match(
    refused({ file: temporaryFile(context, 'follow: {a: b}\n') }),
    /"follow" is expected to be a path/,
  )
  assert.match(refused({ environment: { ANNALS_FOLLOW: 'a,,b' } }), /ANNALS_FOLLOW: .*expected: a path/)
})

test('syslog without authentication stays on this machine until it is allowed in so many words', () => {
  assert.deepEqual(resolved({ flags: { 'syslog.udp': '127.0.0.1:5514' } }).syslog.udp, {
    host: '127.0.0.1',
    port: 5514,
  })
  const tls = { 'tls.certificateFile': 'c.pem', 'tls.keyFile': 'k.pem', 'syslog.tls': '0.0.0.0:6514' }
  for (const flags of [{ 'syslog.udp': '0.0.0.0:5514' }, { 'syslog.tcp': '[::]:5514' }, tls]) {
    assert.match(
      refused({ flags }),
      /--syslog-(udp|tcp|tls): other machines .*--syslog-allow-beyond-loopback/,
    )
    resolved({ flags: { ...flags, 'syslog.allowBeyondLoopback': 'on' } })
  }
  resolved({ flags: { ...tls, 'syslog.clientCaFile': 'ca.pem' } })
})

test('syslog over TLS needs a certificate, and client certificates need TLS', () => {
  assert.match(
    refused({ flags: { 'syslog.tls': '127.0.0.1:6514' } }),
    /--syslog-tls: .*"tls.certificateFile"/,
  )
  assert.match(
    refused({ flags: { 'syslog.clientCaFile': 'ca.pem' } }),
    /--syslog-client-ca-file: .*"syslog.tls"/,
  )
})

test('the record socket is in the data directory unless it is named', () => {
  assert.equal(resolved({}).recordSocket, '/srv/annals-data/record.sock')
  assert.equal(resolved({}).isRecordSocketDerived, true)
  const named = resolved({ flags: { recordSocket: '/run/annals.sock' } })
  assert.deepEqual([named.recordSocket, named.isRecordSocketDerived], ['/run/annals.sock', false])
})

test('the public URL of any free port is known once the port is', () => {
  const free = resolved({ flags: { listen: '127.0.0.1:0' } })
  assert.equal(withPort(free, 4711).publicUrl, 'http://127.0.0.1:4711')
  const given = resolved({ flags: { listen: '127.0.0.1:0', publicUrl: 'https://audit.example.com' } })
  assert.equal(withPort(given, 4711).publicUrl, 'https://audit.example.com')
})

function resolved(sources: Partial<Sources>): Configuration {
  return resolveConfiguration({
    flags: {},
    file: undefined,
    environment: {},
    directory: '/srv',
    machineName: 'machine',
    ...sources,
  })
}

function refused(sources: Partial<Sources>): string {
  try {
    resolved(sources)
  } catch (error) {
    if (isAnnalsError(error, 'INVALID_CONFIGURATION')) return error.message
    throw error
  }
  return assert.fail('the configuration was accepted')
}

function temporaryFile(context: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-config-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'annals.yaml')
  writeFileSync(file, text)
  return file
}

function yamlOf(key: string, value: number): string {
  const [outer, inner] = key.split('.')
  return inner === undefined ? `${outer}: ${value}\n` : `${outer}:\n  ${inner}: ${value}\n`
}

function valueAt(configuration: Configuration, key: string): unknown {
  return key.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], configuration)
}
