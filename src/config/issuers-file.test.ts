import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { isGuardedUrl } from '../identity/remote-documents.ts'
import { signatureAlgorithms } from '../identity/remote-keys.ts'
import { isScope } from '../identity/scope.ts'
import { issuerAlgorithms, readIssuersFile } from './issuers-file.ts'
import { one } from './testing/certificates.ts'

const own = 'https://audit.example.com/oauth2/default'

function directory(text: string): Disposable & { readonly path: string; readonly file: string } {
  const made = mkdtempDisposableSync(join(tmpdir(), 'annals-issuers-'))
  const file = join(made.path, 'issuers.yaml')
  writeFileSync(file, text)
  return { path: made.path, file, [Symbol.dispose]: () => made.remove() }
}

/** What is said of a file, without its first line, each line without what stands before the place. */
function problemsOf(text: string): string[] {
  using made = directory(text)
  try {
    readIssuersFile(made.file, own)
  } catch (error) {
    assert.ok(isAnnalsError(error, 'INVALID_CONFIGURATION'))
    const [first = '', ...lines] = error.message.split('\n')
    return lines.length === 0
      ? [first.replace('the configuration is wrong: ', '')]
      : lines.map((line) => line.trim())
  }
  throw new Error('nothing is said of it')
}

/** A list of one issuer that is right but for what is given. */
function issuer(different: string, left = ''): string {
  const right = [
    'issuer: https://as.example.com',
    'audience: here',
    'grants: [{claim: a, value: b, scope: "service:audit-trail"}]',
  ]
  const lines = [...right.filter((line) => left === '' || !line.startsWith(`${left}:`)), different]
  return `- ${lines.filter((line) => line !== '').join('\n  ')}\n`
}

test('an issuer is read with what is left out filled in', () => {
  using made = directory(issuer(''))
  assert.deepEqual(readIssuersFile(made.file, own), [
    {
      issuer: 'https://as.example.com',
      audience: 'here',
      algorithms: ['RS256'],
      clockSkewSeconds: 30,
      acceptUntypedTokens: false,
      jwksUri: undefined,
      ca: undefined,
      grants: [{ claim: 'a', value: 'b', scope: 'service:audit-trail', record: undefined }],
    },
  ])
})

test('an issuer is read with everything that can be said of it', () => {
  using made = directory(`
- issuer: https://as.example.com/realms/a
  audience: https://audit.example.com/audit-trail/api
  algorithms: [ES256, EdDSA]
  clockSkewSeconds: 0
  acceptUntypedTokens: true
  jwksUri: https://as.example.com/realms/a/keys
  caFile: ca.pem
  grants:
    - claim: roles
      value: "1000"
      scope: service:audit-trail:engine:engine-01.example.com
    - claim: scp
      value: write
      scope: service:audit-trail:record
      record:
        components: [Portal, Finder]
        codes: [20101, 20201-20299]
    - claim: scp
      value: all
      scope: service:audit-trail:record
      record: { components: any, codes: any }
`)
  writeFileSync(join(made.path, 'ca.pem'), one.certificate)
  const [read, ...more] = readIssuersFile(made.file, own)
  assert.deepEqual(more, [])
  assert.deepEqual([read?.algorithms, read?.clockSkewSeconds], [['ES256', 'EdDSA'], 0])
  assert.deepEqual([read?.acceptUntypedTokens, read?.ca], [true, one.certificate])
  assert.deepEqual(
    read?.grants.map(({ value, record }) => [value, record]),
    [
      ['1000', undefined],
      [
        'write',
        {
          components: ['Portal', 'Finder'],
          codes: [
            [20101, 20101],
            [20201, 20299],
          ],
        },
      ],
      ['all', { components: 'any', codes: 'any' }],
    ],
  )
})

test('an empty file lists nobody', () => {
  for (const text of ['', '# nobody yet\n', '[]']) {
    using made = directory(text)
    assert.deepEqual(readIssuersFile(made.file, own), [])
  }
})

test('no algorithm can be allowed that needs no key, or a shared one', () => {
  for (const algorithm of ['none', 'HS256', 'HS384', 'HS512', 'rs256'])
    assert.match(
      problemsOf(issuer(`algorithms: [RS256, ${algorithm}]`)).join(),
      /^issuers\.yaml:4: "algorithms" is expected to be a list of RS256/,
    )
  assert.match(problemsOf(issuer('algorithms: []')).join(), /expected to be a list of/)
})

test('nothing can be granted but scopes, and no code of the node', () => {
  for (const scope of [
    'main-administrator',
    'openid',
    'service:audit-trail:engine:',
    'service:audit-trail:engine:A',
    '*',
    '',
  ])
    assert.match(
      problemsOf(issuer(`grants: [{claim: a, value: b, scope: "${scope}"}]`, 'grants')).join(),
      /"scope" is expected to be service:audit-trail, /,
    )
  const record = (bounds: string): string =>
    problemsOf(
      issuer(`grants: [{claim: a, value: b, scope: "service:audit-trail:record", ${bounds}}]`, 'grants'),
    ).join()
  assert.match(record('value: b'), /unique/)
  for (const codes of [
    '[29000]',
    '[29999]',
    '[1-99999]',
    '[28999-29000]',
    '[2-1]',
    '[x]',
    '[-5]',
    '5',
    'all',
    '["1 - 2"]',
  ])
    assert.match(
      record(`record: {components: any, codes: ${codes}}`),
      /"codes" is expected to be a list of codes/,
      codes,
    )
  for (const components of ['Portal', '[5]', '[""]'])
    assert.match(
      record(`record: {components: ${components}, codes: any}`),
      /"components" is expected/,
      components,
    )
  assert.match(record('record: {components: any, codes: any, ownCodes: true}'), /unknown key "ownCodes"/)
})

test('bounds go with the scope that needs them', () => {
  assert.deepEqual(
    problemsOf(issuer('grants: [{claim: a, value: b, scope: "service:audit-trail:record"}]', 'grants')),
    ['issuers.yaml:3: "record" is missing: service:audit-trail:record needs components and codes'],
  )
  const superfluous =
    'grants: [{claim: a, value: b, scope: "service:audit-trail", record: {components: any, codes: any}}]'
  assert.deepEqual(problemsOf(issuer(superfluous, 'grants')), [
    'issuers.yaml:3: "record" goes only with service:audit-trail:record',
  ])
})

test('what other servers say of instances of ours can grant nothing', () => {
  assert.match(
    problemsOf(
      issuer('grants: [{claim: annals_region, value: b, scope: "service:audit-trail"}]', 'grants'),
    ).join(),
    /"claim" is expected to be the name of a claim, which is none of annals_/,
  )
})

test('the own authorization server cannot be one of others, and none can be listed twice', () => {
  assert.deepEqual(problemsOf(issuer(`issuer: ${own}`, 'issuer')), [
    'issuers.yaml:3: "issuer" is the authorization server of this node',
  ])
  assert.deepEqual(problemsOf(issuer('') + issuer('')), [
    'issuers.yaml:4: "issuer" is listed already: https://as.example.com',
  ])
})

test('an issuer is an https URL, or one of this machine, in which no "@" can be taken for ours', () => {
  for (const url of [
    'http://as.example.com',
    'https://a@as.example.com',
    'https://as.example.com/a@b',
    'https://as.example.com/?a',
    'https://as.example.com/#a',
    'as.example.com',
    'ftp://localhost',
    'https://as.example.com/ a',
    '5',
  ])
    assert.match(
      problemsOf(issuer(`issuer: "${url}"`, 'issuer')).join(),
      /"issuer" is expected to be the https URL/,
      url,
    )
  using made = directory(issuer('issuer: http://127.0.0.1:9000/oauth2/default', 'issuer'))
  assert.equal(readIssuersFile(made.file, own).length, 1)
})

test('everything that is wrong is said at once, each thing with its line', () => {
  const problems = problemsOf(`- issuer: https://a.example.com
  audience: 5
  clockSkewSeconds: 301
  algoritms: [RS256]
  acceptUntypedTokens: "yes"
  grants:
    - claim: a
      value: 5
- issuer: https://b.example.com
  audience: x
  grants: []
- text
- issuer: https://c.example.com
  audience: x
  caFile: nowhere.pem
  grants: [{claim: a, value: b, scope: "service:audit-trail"}]
`)
  const expected = [
    /^issuers\.yaml:2: "audience" is expected to be the text/,
    /^issuers\.yaml:3: "clockSkewSeconds" is expected to be a whole number from 0 to 300$/,
    /^issuers\.yaml:4: unknown key "algoritms"; did you mean "algorithms"\?$/,
    /^issuers\.yaml:5: "acceptUntypedTokens" is expected to be true or false$/,
    /^issuers\.yaml:7: "scope" is missing$/,
    /^issuers\.yaml:8: "value" is expected to be a text, in quotes/,
    /^issuers\.yaml:11: "grants" is expected to be a list of claim, value and scope$/,
    /^issuers\.yaml:12: an entry is expected to be a map of keys and values$/,
    /^issuers\.yaml:15: "caFile" cannot be used: ENOENT/,
  ]
  for (const pattern of expected)
    assert.equal(
      problems.filter((problem) => pattern.test(problem)).length,
      1,
      `${String(pattern)} in\n${problems.join('\n')}`,
    )
  assert.equal(problems.length, expected.length, problems.join('\n'))
})

test('what is no list, or no YAML, is said to be none', () => {
  assert.deepEqual(problemsOf('issuer: a'), ['issuers.yaml:1: the file is expected to be a list'])
  assert.match(problemsOf('- a: [').join(), /^issuers\.yaml:\d+: /)
  assert.match(problemsOf('- &a {x: [1, 1]}\n- *a\n').join(), /alias/i)
})

test('a file that cannot be read is named by its setting', () => {
  assert.throws(() => readIssuersFile('/nowhere/issuers.yaml', own), {
    code: 'INVALID_CONFIGURATION',
    message: /issuersFile: \/nowhere\/issuers\.yaml cannot be read: ENOENT/,
  })
})

test('a CA file without a certificate is refused', () => {
  using made = directory(issuer('caFile: issuers.yaml'))
  assert.throws(() => readIssuersFile(made.file, own), /"caFile" cannot be used/)
})

// Two folders that may not import each other must say the same.
test('what can be configured is what can be verified', () => {
  assert.deepEqual([...issuerAlgorithms], [...signatureAlgorithms])
  for (const scope of ['service:audit-trail', 'service:audit-trail:record', 'service:audit-trail:engine:a']) {
    assert.ok(isScope(scope))
    using made = directory(
      issuer(
        `grants: [{claim: a, value: b, scope: "${scope}"${scope.endsWith('record') ? ', record: {components: any, codes: any}' : ''}}]`,
        'grants',
      ),
    )
    const [read] = readIssuersFile(made.file, own)
    assert.equal(read?.grants[0]?.scope, scope)
    assert.ok(isGuardedUrl(read.issuer))
  }
})
