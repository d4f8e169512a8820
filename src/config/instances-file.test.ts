import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { type ConfiguredInstance, readInstancesFile } from './instances-file.ts'
import { one } from './testing/certificates.ts'

/** Reads a file of this text, beside which `ca.pem` is a certificate. */
function read(text: string): readonly ConfiguredInstance[] {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'annals-instances-'))
  writeFileSync(join(directory.path, 'ca.pem'), one.certificate)
  writeFileSync(join(directory.path, 'instances.yaml'), text)
  return readInstancesFile(join(directory.path, 'instances.yaml'))
}

/** What is said of a file, each thing with its line. */
function problemsOf(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    assert.ok(isAnnalsError(error, 'INVALID_CONFIGURATION'))
    const [first = '', ...lines] = error.message.split('\n')
    return lines.length === 0
      ? [first.replace('the configuration is wrong: ', '')]
      : lines.map((line) => line.trim())
  }
  throw new Error('nothing is said of it')
}

/** A list of one instance that is right but for what is given. */
function instance(different: Readonly<Record<string, string>> = {}): string {
  const right = {
    name: 'acme',
    region: 'eu',
    issuer: 'https://audit.acme.example/oauth2/default',
    url: 'https://10.0.0.5:8443',
  }
  const lines = Object.entries({ ...right, ...different }).map(([key, value]) => `${key}: ${value}`)
  return `- ${lines.join('\n  ')}\n`
}

const pin = 'AB'.repeat(32)

test('an instance is read with what is left out filled in', () => {
  assert.deepEqual(read(instance()), [
    {
      name: 'acme',
      region: 'eu',
      issuer: 'https://audit.acme.example/oauth2/default',
      audience: 'https://audit.acme.example/audit-trail/api',
      url: 'https://10.0.0.5:8443',
      ca: undefined,
      pin: undefined,
    },
  ])
})

test('an instance is read with everything that can be said of it', () => {
  const [first] = read(instance({ audience: 'https://other.example/api', caFile: 'ca.pem' }))
  assert.deepEqual([first?.audience, first?.ca], ['https://other.example/api', one.certificate])
  const colons = pin.replaceAll(/(..)(?!$)/g, '$1:')
  for (const written of [pin, colons]) {
    const [pinned] = read(instance({ pin: `"${written}"` }))
    assert.equal(pinned?.pin, pin.toLowerCase())
  }
})

test('where a portal is reached is an origin over TLS, or on this machine', () => {
  for (const url of ['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://localhost', 'https://a.example/'])
    assert.equal(read(instance({ url }))[0]?.url, new URL(url).origin)
  for (const url of [
    'http://10.0.0.5:8080',
    'https://a.example/path',
    'https://user@a.example',
    'https://a.example/?x',
    'a.example',
    'ftp://127.0.0.1',
  ])
    assert.match(
      problemsOf(instance({ url: `"${url}"` })).join(),
      /"url" is expected to be an https URL/,
      url,
    )
})

test('an issuer is that of a portal', () => {
  for (const issuer of [
    'https://audit.acme.example',
    'https://audit.acme.example/oauth2/default/',
    'https://audit.acme.example/x/oauth2/default',
    'oauth2/default',
  ])
    assert.match(problemsOf(instance({ issuer })).join(), /"issuer" is expected to be the URL of/, issuer)
})

test('no name and no issuer is listed twice, and somebody is listed', () => {
  const issuer = 'https://other.example/oauth2/default'
  assert.deepEqual(problemsOf(instance() + instance({ issuer })), [
    'instances.yaml:5: "name" is listed already: acme',
  ])
  assert.deepEqual(problemsOf(instance() + instance({ name: 'other' })), [
    'instances.yaml:7: "issuer" is listed already: https://audit.acme.example/oauth2/default',
  ])
  for (const text of ['', '[]', '# nobody yet\n'])
    assert.match(problemsOf(text).join(), /instancesFile: .*instances\.yaml lists no instance/)
})

test('whom to trust is said in one way', () => {
  assert.deepEqual(problemsOf(instance({ caFile: 'ca.pem', pin: `"${pin}"` })), [
    'instances.yaml:6: "pin" and "caFile" do not go together: either says all of whom to trust',
  ])
  for (const wrong of ['abc', `"${pin}00"`, `"${'xy'.repeat(32)}"`, `"${'AB:'.repeat(32)}"`])
    assert.match(problemsOf(instance({ pin: wrong })).join(), /"pin" is expected to be the SHA-256/, wrong)
  assert.match(problemsOf(instance({ caFile: 'instances.yaml' })).join(), /"caFile" cannot be used/)
  assert.match(
    problemsOf(instance({ pin: `"${pin}"`, url: 'http://localhost' })).join(),
    /instances\.yaml:5: "pin" is for TLS, and "url" is not/,
  )
})

test('everything that is wrong is said at once, each thing with its line', () => {
  const problems = problemsOf(`- name: a b
  region: eu
  issuer: https://a.example/oauth2/default
  url: http://a.example
  adress: x
- region: us
  issuer: https://b.example/oauth2/default
  url: https://b.example
  caFile: nowhere.pem
- text
- name: c
  region: us
  issuer: https://c.example/oauth2/default
  url: https://c.example
  caFile: nowhere.pem
`)
  const expected = [
    /^instances\.yaml:1: "name" is expected to be the name of the instance/,
    /^instances\.yaml:4: "url" is expected/,
    /^instances\.yaml:5: unknown key "adress"/,
    /^instances\.yaml:6: "name" is missing$/,
    /^instances\.yaml:10: an entry is expected to be a map/,
    /^instances\.yaml:15: "caFile" cannot be used: ENOENT/,
  ]
  for (const pattern of expected)
    assert.equal(
      problems.filter((problem) => pattern.test(problem)).length,
      1,
      `${String(pattern)} in\n${problems.join('\n')}`,
    )
  assert.equal(problems.length, expected.length, problems.join('\n'))
})
