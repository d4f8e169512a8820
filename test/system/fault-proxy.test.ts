// What the tests' own proxies do is proved, for what they prove is believed.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFaultProxy, type Fault, type FaultProxy } from './fault-proxy.ts'
import { freePort } from './free-port.ts'
import { startMeddler } from './meddler.ts'
import { until } from './portal-process.ts'

test('it passes bytes both ways, and an end of either side', async (context) => {
  const proxy = await proxyTo(context, echo)
  const { socket, received } = dial(context, proxy)
  socket.end('hello')
  await once(socket, 'close')
  assert.equal(received().toString(), 'hello')
  await until(() => proxy.connections === 0)
  assert.deepEqual([proxy.accepted, proxy.bytesToClient], [1, 5])
})

test('a delay holds every chunk and keeps their order', async (context) => {
  const delayMs = 30
  const proxy = await proxyTo(context, echo, { kind: 'delay', delayMs })
  const { socket, received } = dial(context, proxy)
  const started = performance.now()
  for (let k = 0; k < 100; k++) socket.write(`${k} `)
  socket.end()
  await once(socket, 'close')
  assert.equal(received().toString(), Array.from({ length: 100 }, (_, k) => `${k} `).join(''))
  // Not a measurement of ours: no correct proxy can be earlier.
  assert.ok(performance.now() - started >= 2 * delayMs)
})

test('a delay is no limit to what passes', async (context) => {
  const bytes = 32 * 1024 * 1024
  const proxy = await proxyTo(context, (socket) => socket.end(Buffer.alloc(bytes, 'x')), {
    kind: 'delay',
    delayMs: 5,
  })
  const { socket, received } = dial(context, proxy)
  await once(socket, 'end')
  assert.equal(received().length, bytes)
})

test('a client that does not read makes the server wait', async (context) => {
  let written = 0
  const fill = (socket: Socket) => {
    const chunk = Buffer.alloc(64 * 1024)
    const write = () => {
      while (socket.write(chunk)) written += chunk.length
    }
    socket.on('drain', write)
    write()
  }
  const proxy = await proxyTo(context, fill)
  const socket = connect(proxy.port, proxy.host)
  context.after(() => socket.destroy())
  await until(() => proxy.bytesToClient > 0)
  // It has stopped where nothing more is written for a while, with what the system's buffers hold.
  for (let before = -1; before !== written;) {
    before = written
    await sleep(100)
  }
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes were taken`)
  const stoppedAt = written
  socket.resume()
  await until(() => written > stoppedAt)
})

test('refuse refuses on a port that it can open again, and leaves what lives alone', async (context) => {
  const proxy = await proxyTo(context, echo)
  const { socket, received } = dial(context, proxy)
  socket.write('before ')
  await until(() => received().length > 0)
  proxy.refuse()
  assert.equal(await failureOf(connect(proxy.port, proxy.host)), 'ECONNREFUSED')
  socket.end('after')
  await once(socket, 'close')
  assert.equal(received().toString(), 'before after')
  await proxy.accept()
  const again = dial(context, proxy)
  again.socket.end('again')
  await once(again.socket, 'close')
  assert.equal(again.received().toString(), 'again')
})

test('a server that refuses is a reset', async (context) => {
  const proxy = await startFaultProxy(context, { host: '127.0.0.1', port: await freePort() })
  assert.equal(await failureOf(connect(proxy.port, proxy.host)), 'ECONNRESET')
})

test('reset resets', async (context) => {
  const proxy = await proxyTo(context, echo, { kind: 'reset' })
  assert.equal(await failureOf(connect(proxy.port, proxy.host)), 'ECONNRESET')
})

test('swallow takes the connection and then says nothing', async (context) => {
  const proxy = await proxyTo(context, echo, { kind: 'swallow' })
  const { socket, received } = dial(context, proxy)
  const failure = failureOf(socket)
  socket.write('hello?')
  await until(() => proxy.connections === 1)
  await sleep(100)
  assert.deepEqual([received().length, socket.closed, proxy.connections], [0, false, 1])
  proxy.cutAll()
  // What was never read is lost, and the system says so.
  assert.equal(await failure, 'ECONNRESET')
})

test('garbage is plain text, whatever is said', async (context) => {
  const proxy = await proxyTo(context, echo, { kind: 'garbage' })
  const { socket, received } = dial(context, proxy)
  socket.write(Buffer.from([0x16, 0x03, 0x01]))
  await once(socket, 'end')
  assert.match(received().toString(), /^HTTP\/1\.1 400 /)
})

for (const afterBytes of [0, 1, 100_000]) {
  test(`cut passes exactly ${afterBytes} bytes, and closes`, async (context) => {
    const proxy = await proxyTo(context, giveMuch, { kind: 'cut', afterBytes })
    const { socket, received } = dial(context, proxy)
    await once(socket, 'close')
    assert.deepEqual([received().length, proxy.bytesToClient], [afterBytes, afterBytes])
  })

  test(`stall passes exactly ${afterBytes} bytes, and stays open until the client leaves`, async (context) => {
    let serverClosed = false
    const proxy = await proxyTo(
      context,
      (socket) => {
        socket.on('close', () => (serverClosed = true))
        giveMuch(socket)
      },
      { kind: 'stall', afterBytes },
    )
    const { socket, received } = dial(context, proxy)
    await until(() => proxy.connections === 1 && received().length === afterBytes)
    await sleep(50)
    assert.deepEqual([received().length, socket.closed, proxy.connections], [afterBytes, false, 1])
    socket.destroy()
    await until(() => serverClosed && proxy.connections === 0)
  })
}

test('the next connections may have faults of their own', async (context) => {
  const proxy = await proxyTo(context, giveMuch)
  proxy.next.push({ kind: 'cut', afterBytes: 10 }, { kind: 'reset' })
  const first = dial(context, proxy)
  await once(first.socket, 'close')
  assert.equal(first.received().length, 10)
  assert.equal(await failureOf(connect(proxy.port, proxy.host)), 'ECONNRESET')
  const third = dial(context, proxy)
  await once(third.socket, 'end')
  assert.equal(third.received().length, muchBytes)
})

test('a client that goes away in the middle is felt by the server', async (context) => {
  let serverClosed = false
  const proxy = await proxyTo(context, (socket) => {
    socket.on('close', () => (serverClosed = true))
    socket.write('head')
  })
  const { socket, received } = dial(context, proxy)
  await until(() => received().length === 4)
  socket.resetAndDestroy()
  await until(() => serverClosed)
})

test('a meddler sees what was meant, and each side gets what he made of it', async (context) => {
  const { origin, asked } = await greeter(context)
  const meddler = await startMeddler(context, origin, {
    request: (body, headers) => {
      headers.set('x-mac', 'forged')
      return body.toString().replace('Anna', 'Mallory')
    },
    answer: (body) => `${body.toString()} and welcome`,
  })
  const answer = await post(meddler.port, 'Anna')
  assert.deepEqual(asked, [{ mac: 'forged', body: 'Mallory' }])
  assert.deepEqual([answer.status, await answer.text()], [201, 'hello Mallory and welcome'])
  const [exchange] = meddler.seen
  assert.deepEqual([exchange?.method, exchange?.path], ['POST', '/join?x=1'])
  assert.equal(exchange?.request.body.toString(), 'Anna')
  assert.equal(exchange?.request.headers.get('x-mac'), 'true')
  assert.equal(exchange?.answer?.body.toString(), 'hello Mallory')
})

test('a meddler passes on what he does not change, byte for byte', async (context) => {
  const { origin, asked } = await greeter(context)
  const meddler = await startMeddler(context, origin)
  const answer = await post(meddler.port, 'Zoë')
  assert.deepEqual(asked, [{ mac: 'true', body: 'Zoë' }])
  assert.equal(await answer.text(), 'hello Zoë')
})

test('a meddler can drop a request before it arrives, or an answer after it was given', async (context) => {
  const { origin, asked } = await greeter(context)
  const meddler = await startMeddler(context, origin, { request: () => undefined })
  await assert.rejects(post(meddler.port, 'Anna'))
  assert.equal(asked.length, 0)
  meddler.change = { answer: () => undefined }
  await assert.rejects(post(meddler.port, 'Anna'))
  assert.equal(asked.length, 1)
  assert.equal(meddler.seen[1]?.answer?.status, 201)
})

const muchBytes = 1024 * 1024

function echo(socket: Socket): void {
  socket.pipe(socket)
}

function giveMuch(socket: Socket): void {
  socket.end(Buffer.alloc(muchBytes, 'y'))
}

async function proxyTo(
  context: TestContext,
  serve: (socket: Socket) => void,
  fault: Fault = { kind: 'pass' },
): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const proxy = await startFaultProxy(context, {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  })
  proxy.fault = fault
  return proxy
}

function dial(context: TestContext, { host, port }: FaultProxy): { socket: Socket; received: () => Buffer } {
  const chunks: Buffer[] = []
  const socket = connect(port, host)
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  context.after(() => socket.destroy())
  return { socket, received: () => Buffer.concat(chunks) }
}

async function failureOf(socket: Socket): Promise<string | undefined> {
  socket.resume()
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  socket.on('close', () => resolve(undefined))
  return await promise
}

interface Asked {
  readonly mac: string | undefined
  readonly body: string
}

async function greeter(
  context: TestContext,
): Promise<{ origin: { host: string; port: number }; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createHttpServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      asked.push({ mac: incoming.headers['x-mac'] as string | undefined, body })
      outgoing.writeHead(201).end(`hello ${body}`)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { origin: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, asked }
}

async function post(port: number, body: string): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}/join?x=1`, {
    method: 'POST',
    body,
    headers: { 'X-Mac': 'true' },
  })
}
