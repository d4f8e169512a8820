import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { one, other } from '../config/testing/certificates.ts'
import { isGuardedUrl, RemoteDocuments } from './remote-documents.ts'
import { IssuerServer, json } from './testing/issuer-server.ts'

const pin = pinOf(one.certificate)

function pinOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
}

interface TlsServer extends AsyncDisposable {
  readonly port: number
  /** Requests that have arrived. */
  readonly requests: () => number
}

async function tlsServer(): Promise<TlsServer> {
  let requests = 0
  const server = createServer({ cert: one.certificate, key: one.key }, (_request, response) => {
    requests++
    response.end('{"a":1}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a document comes from a server that a configured authority vouches for, and from no other', async () => {
  await using server = await tlsServer()
  await using trusting = new RemoteDocuments({ ca: one.certificate })
  await using distrusting = new RemoteDocuments({ ca: other.certificate })
  await using asNodeTrusts = new RemoteDocuments()
  const url = `https://localhost:${server.port}/`
  assert.deepEqual(await trusting.get(url), { a: 1 })
  await assert.rejects(distrusting.get(url))
  await assert.rejects(asNodeTrusts.get(url))
  assert.equal(server.requests(), 1)
})

test('a pinned certificate is believed whatever it says, and before another one nothing is asked', async () => {
  await using server = await tlsServer()
  await using pinned = new RemoteDocuments({ pin: pin.toUpperCase() })
  await using wrong = new RemoteDocuments({ pin: pinOf(other.certificate) })
  // By an address that the certificate may not name, twice, and over a connection of its own each time.
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await pinned.get(`https://127.0.0.1:${server.port}/`), { a: 1 })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await assert.rejects(
    wrong.get(`https://127.0.0.1:${server.port}/`),
    /another certificate than the pinned one/,
  )
  assert.equal(server.requests(), 2)
})

test('a pin is not kept by a server without TLS', async () => {
  await using server = await IssuerServer.start()
  server.paths.set(
    '/a',
    json(() => ({})),
  )
  await using pinned = new RemoteDocuments({ pin })
  await assert.rejects(pinned.get(`${server.origin}/a`), /another certificate than the pinned one/)
  assert.deepEqual(server.asked, [])
})

test('a server that sends a byte now and then is not waited for longer than the bound', async () => {
  await using server = await IssuerServer.start()
  server.paths.set('/slow', (_request, response) => {
    response.writeHead(200)
    const dripping = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(dripping))
  })
  await using documents = new RemoteDocuments({}, 200)
  await assert.rejects(documents.get(`${server.origin}/slow`), { name: 'TimeoutError' })
})

test('a server that accepts and never answers is not waited for either', async () => {
  await using server = await IssuerServer.start()
  server.paths.set('/silent', () => undefined)
  await using documents = new RemoteDocuments({}, 200)
  await assert.rejects(documents.get(`${server.origin}/silent`), { name: 'TimeoutError' })
})

test('only https is asked, and http on this machine', async () => {
  for (const url of [
    'https://as.example.com/keys',
    'http://127.1.2.3:1/',
    'http://[::1]:80/',
    'http://localhost/a',
  ])
    assert.ok(isGuardedUrl(url), url)
  for (const url of [
    'http://as.example.com/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'https://user:password@as.example.com/',
    'https://as.example.com/#a',
    'file:///etc/hosts',
    'ftp://localhost/',
    'as.example.com',
    '',
  ])
    assert.ok(!isGuardedUrl(url), url)
  await using documents = new RemoteDocuments()
  await assert.rejects(documents.get('http://192.0.2.1/'), /without TLS/)
})
