// What the tests' namespaces do is proved, for what they prove is believed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeNamespace, skipWithoutNamespaces, type Namespace } from './network-namespace.ts'
import { until } from './portal-process.ts'

const skip = skipWithoutNamespaces()

test('a server inside a namespace answers', { skip }, async (context) => {
  const namespace = makeNamespace(context)
  const port = await echoInside(context, namespace)
  const { socket, received } = dial(context, namespace.address, port)
  socket.write('hello')
  await until(() => received() === 'hello')
})

test('the host inside reaches us, and nothing beyond', { skip }, async (context) => {
  const namespace = makeNamespace(context)
  const server = createServer((socket) => socket.end('from outside')).listen(0, namespace.hostAddress)
  await once(server, 'listening')
  context.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const script = `require('net').connect(${port}, '${namespace.hostAddress}').pipe(process.stdout)`
  const [command, ...args] = [...namespace.prefix, process.execPath, '-e', script]
  const child = spawn(command, args)
  context.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  await once(child, 'close')
  assert.equal(output, 'from outside')
  assert.doesNotMatch(namespace.exec(['ip', 'route']), /default/)
})

test('a black hole neither accepts nor refuses', { skip }, async (context) => {
  const { socket } = dial(context, makeNamespace(context).blackHole, 443)
  const outcome = Promise.race([once(socket, 'connect'), once(socket, 'close'), sleep(500, 'nothing')])
  assert.equal(await outcome, 'nothing')
})

test(
  'a silenced host swallows what is said on a connection that lives, until it is restored',
  { skip },
  async (context) => {
    const namespace = makeNamespace(context)
    const port = await echoInside(context, namespace)
    const { socket, received } = dial(context, namespace.address, port)
    socket.write('before ')
    await until(() => received() === 'before ')
    namespace.silence()
    socket.write('after')
    const another = dial(context, namespace.address, port)
    const outcome = Promise.race([
      once(another.socket, 'connect'),
      once(socket, 'close'),
      sleep(500, 'nothing'),
    ])
    assert.equal(await outcome, 'nothing')
    assert.equal(received(), 'before ')
    namespace.restore()
    await until(() => received() === 'before after')
  },
)

test('of a namespace nothing is left when its test has ended', { skip }, async (context) => {
  let name = ''
  let outside: Namespace | undefined
  await context.test('it is there while its test runs', (inner) => {
    outside = makeNamespace(inner)
    name = outside.name
    assert.match(outside.exec(['ip', 'link']), /inside/)
  })
  assert.notEqual(name, '')
  assert.throws(() => outside?.exec(['true']))
})

async function echoInside(context: TestContext, { prefix }: Namespace): Promise<number> {
  const script = `
    const server = require('net').createServer((socket) => socket.pipe(socket))
    server.listen(0, '0.0.0.0', () => console.log(server.address().port))`
  const [command, ...args] = [...prefix, process.execPath, '-e', script]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(port.toString())
}

function dial(
  context: TestContext,
  host: string,
  port: number,
): { readonly socket: Socket; readonly received: () => string } {
  let text = ''
  const socket = connect(port, host)
  // A test that waits for a failure waits for it itself.
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
  context.after(() => socket.destroy())
  return { socket, received: () => text }
}
