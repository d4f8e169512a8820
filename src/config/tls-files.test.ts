import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { one, other } from './testing/certificates.ts'
import { readTlsFiles } from './tls-files.ts'

test('a certificate and its key are read', (context) => {
  const files = makeCertificate(context)
  const { cert, key, warnings } = readTlsFiles(files)
  assert.match(cert.toString(), /^-----BEGIN CERTIFICATE/)
  assert.match(key.toString(), /PRIVATE KEY/)
  assert.deepEqual(warnings, [])
})

test('a key that every user can read is used, and said', (context) => {
  const files = makeCertificate(context)
  chmodSync(files.keyFile, 0o644)
  assert.match(readTlsFiles(files).warnings[0] ?? '', /every user/)
})

test('files that cannot be read, are no PEM or do not fit together are refused', (context) => {
  const files = makeCertificate(context)
  const nonsense = `${files.certificateFile}.txt`
  writeFileSync(nonsense, 'nonsense')
  const refused = { code: 'INVALID_CONFIGURATION' }
  assert.throws(() => readTlsFiles({ ...files, certificateFile: '/nowhere.pem' }), {
    ...refused,
    message: /"tls.certificateFile" cannot be read/,
  })
  assert.throws(() => readTlsFiles({ ...files, keyFile: '/nowhere.pem' }), {
    ...refused,
    message: /"tls.keyFile" cannot be read/,
  })
  assert.throws(() => readTlsFiles({ ...files, certificateFile: nonsense }), refused)
  assert.throws(() => readTlsFiles({ ...files, keyFile: makeCertificate(context, other).keyFile }), refused)
})

test('the authority of syslog senders is read with them, and refused by name and path where it cannot be', (context) => {
  const files = makeCertificate(context)
  assert.equal(readTlsFiles(files).clientCa, undefined)
  assert.equal(readTlsFiles(files, files.certificateFile).clientCa, one.certificate)
  assert.throws(() => readTlsFiles(files, '/nowhere.pem'), {
    code: 'INVALID_CONFIGURATION',
    message: /"syslog.clientCaFile" cannot be used: \/nowhere.pem: /,
  })
})

function makeCertificate(context: TestContext, of = one): { certificateFile: string; keyFile: string } {
  const directory = mkdtempSync(join(tmpdir(), 'annals-tls-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const files = { certificateFile: join(directory, 'certificate.pem'), keyFile: join(directory, 'key.pem') }
  writeFileSync(files.certificateFile, of.certificate)
  writeFileSync(files.keyFile, of.key, { mode: 0o600 })
  return files
}
