import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { one } from '../config/testing/certificates.ts'
import { isAnnalsError } from '../errors.ts'
import {
  type Certificate,
  checkPinned,
  type KeyPair,
  makeCertificate,
  parseCertificate,
} from './certificate.ts'

const now = Date.now() * 1000
const year = 365 * 86_400 * 1_000_000

test('a certificate that is made says whose it is, what it is for, and for how long', async () => {
  const { certificate, keyPem } = await makeCertificate('portal.example.com', now)
  const x509 = new X509Certificate(certificate.pem)
  assert.equal(certificate.hostName, 'portal.example.com')
  assert.equal(certificate.notBefore, Math.floor(now / 1e6) * 1e6 - 86_400_000_000)
  assert.equal(certificate.notAfter, Math.floor(now / 1e6) * 1e6 + 5 * year)
  assert.equal(certificate.fingerprint, x509.fingerprint256.replaceAll(':', '').toLowerCase())
  assert.deepEqual([x509.subject, x509.issuer], ['CN=portal.example.com', 'CN=portal.example.com'])
  assert.equal(x509.ca, false)
  // serverAuth and clientAuth.
  assert.deepEqual(x509.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.equal(x509.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.ok(x509.verify(x509.publicKey), 'it is signed by its own key')
  assert.ok(x509.publicKey.equals(createPublicKey(keyPem)), 'the key is its key')
})

test('two certificates of one host have different keys and serial numbers of 128 positive bits', async () => {
  const [a, b] = await Promise.all([makeCertificate('portal', now), makeCertificate('portal', now)])
  const serials = [a, b].map(({ certificate }) => new X509Certificate(certificate.pem).serialNumber)
  assert.notEqual(serials[0], serials[1])
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/)
  assert.notEqual(a.keyPem, b.keyPem)
})

test('a host name that is too long for a common name stands whole in the certificate', async () => {
  const hostName = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`
  const { certificate } = await makeCertificate(hostName, now)
  assert.equal(certificate.hostName, hostName)
  assert.equal(new X509Certificate(certificate.pem).subject, `CN=${hostName.slice(0, 64)}`)
})

test('a certificate is read again as it was made, whatever the white space', async () => {
  const { certificate } = await makeCertificate('portal', now)
  assert.deepEqual(parseCertificate(certificate.pem), certificate)
  assert.deepEqual(parseCertificate(`\n${certificate.pem.replaceAll('\n', '\r\n')}\n`), certificate)
  assert.equal(parseCertificate(one.certificate).hostName, 'localhost')
})

test('what is not exactly one certificate in PEM is refused', async () => {
  const { certificate, keyPem } = await makeCertificate('portal', now)
  const { pem } = certificate
  for (const text of [
    '',
    'no certificate',
    pem + pem,
    pem + keyPem,
    keyPem,
    `Order: 1\n${pem}`,
    pem.slice(0, 300),
    pem.replace('MII', 'MIJ'),
    `${pem}${' '.repeat(16 * 1024)}`,
  ]) {
    assert.throws(() => parseCertificate(text), isInvalid, JSON.stringify(text.slice(0, 80)))
  }
})

test('both ends that pinned each other talk over TLS 1.3', async () => {
  const { engine, portal } = await pairs()
  const said = await talk({ server: engine, client: portal, serverPins: [portal], clientPins: [engine] })
  assert.deepEqual(said, { text: 'hello portal over TLSv1.3', refusal: '' })
})

test('a server refuses a client with no certificate, with a foreign one, and with an expired one', async () => {
  const { engine, portal, foreign, expired } = await pairs()
  const ends = { server: engine, clientPins: [engine] }
  for (const { client, pinned, reason } of [
    { client: undefined, pinned: portal, reason: /peer did not return a certificate/ },
    { client: foreign, pinned: portal, reason: /^DEPTH_ZERO_SELF_SIGNED_CERT$/ },
    { client: expired, pinned: expired, reason: /^CERT_HAS_EXPIRED$/ },
  ]) {
    const { text, refusal } = await talk({ ...ends, client, serverPins: [pinned] })
    assert.equal(text, '')
    assert.match(refusal, reason)
  }
})

test('a client refuses a server with a foreign certificate, also one of the same name, and an expired one', async () => {
  const { engine, portal, foreign, impostor, expired } = await pairs()
  const ends = { client: portal, serverPins: [portal] }
  for (const server of [foreign, impostor])
    await assert.rejects(talk({ ...ends, server, clientPins: [engine] }), /self-signed certificate|unable to/)
  await assert.rejects(talk({ ...ends, server: expired, clientPins: [expired] }), /certificate has expired/)
})

test('a certificate that the trust store takes and that is not pinned is refused by its fingerprint', async () => {
  const { engine, portal, impostor } = await pairs()
  await assert.rejects(
    talk({
      server: engine,
      client: portal,
      serverPins: [portal],
      clientPins: [impostor],
      clientTrusts: [engine],
    }),
    new RegExp(`engine shows another certificate than the pinned one: ${engine.certificate.fingerprint}`),
  )
})

test('during a rotation the old certificate and the next one of the same name are both taken, in either order', async () => {
  const { engine, portal } = await pairs()
  const [nextEngine, nextPortal] = [
    await makeCertificate('engine', now),
    await makeCertificate('portal', now),
  ]
  for (const server of [engine, nextEngine]) {
    for (const client of [portal, nextPortal]) {
      for (const reversed of [false, true]) {
        const [serverPins, clientPins] = [
          [portal, nextPortal],
          [engine, nextEngine],
        ]
        if (reversed) for (const pins of [serverPins, clientPins]) pins.reverse()
        const { text } = await talk({ server, client, serverPins, clientPins })
        assert.equal(text, 'hello portal over TLSv1.3')
      }
    }
  }
})

test('who shows no certificate at all is not pinned', async () => {
  const { portal } = await pairs()
  const check = checkPinned([portal.certificate])
  assert.match(String(check('engine', {} as tls.PeerCertificate)), /pinned one: none/)
  assert.match(String(checkPinned([])('engine', {} as tls.PeerCertificate)), /pinned one: none/)
})

interface Ends {
  readonly server: KeyPair
  readonly client: KeyPair | undefined
  readonly serverPins: readonly KeyPair[]
  readonly clientPins: readonly KeyPair[]
  /** The client's trust store, where that is not what it pinned. */
  readonly clientTrusts?: readonly KeyPair[]
}

// One connection as the federation makes it: what the server said, or why it refused. Throws what the client refuses.
async function talk({ server, client, serverPins, clientPins, clientTrusts = clientPins }: Ends) {
  const listener = tls.createServer(
    {
      cert: server.certificate.pem,
      key: server.keyPem,
      ca: serverPins.map(({ certificate }) => certificate.pem),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    (socket) => {
      socket.on('error', () => undefined)
      const name = parsePeer(socket.getPeerCertificate()).hostName
      socket.end(`hello ${name} over ${socket.getProtocol()}`)
    },
  )
  // Node's server closes on a client that it does not trust without a word: the client cannot know why.
  let refusal = ''
  listener.on('tlsClientError', (error, socket) => {
    refusal ||= String(socket.authorizationError ?? error.message)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { hostName } = clientPins[0]?.certificate ?? server.certificate
  const socket = tls.connect({
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    servername: hostName,
    ca: clientTrusts.map(({ certificate }) => certificate.pem),
    ...(client === undefined ? {} : { cert: client.certificate.pem, key: client.keyPem }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    checkServerIdentity: checkPinned(clientPins.map(({ certificate }) => certificate)),
  })
  let text = ''
  try {
    for await (const chunk of socket) text += String(chunk)
  } catch (error) {
    if (!isCutOff(error)) throw error
  } finally {
    socket.destroy()
    listener.close()
    await once(listener, 'close')
  }
  return { text, refusal }
}

// What a client meets where the server does not want it.
function isCutOff(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error)) return false
  return error.code === 'ECONNRESET' || String(error.code).startsWith('ERR_SSL_')
}

function parsePeer({ raw }: tls.PeerCertificate): Certificate {
  return parseCertificate(new X509Certificate(raw).toString())
}

async function pairs() {
  const [engine, portal, foreign, impostor, expired] = await Promise.all([
    makeCertificate('engine', now),
    makeCertificate('portal', now),
    makeCertificate('foreign', now),
    makeCertificate('engine', now),
    makeCertificate('engine', now - 6 * year),
  ])
  return { engine, portal, foreign, impostor, expired }
}

function isInvalid(error: unknown): boolean {
  return isAnnalsError(error, 'INVALID_INPUT')
}
