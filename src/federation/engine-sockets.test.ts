import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate as immediate } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import { engineConnections } from '../limits.ts'
import { type Answer, EngineSockets } from './engine-sockets.ts'
import { EngineFailure } from './failure.ts'
import { ReadBuffers } from './read-buffers.ts'
import { answerOf, type ScriptedServer, startScriptedServer } from './testing/scripted-server.ts'

describe('the connections to an engine', () => {
  test('one that is free is used again', async (context) => {
    const { server, sockets } = await open(context)
    for (let k = 0; k < 5; k++) (await whole(await sockets.ask(get))).close()
    assert.equal(server.connections.length, 1)
    sockets.close(new EngineFailure('cut'))
  })

  test('one whose answer was not read to its end is not', async (context) => {
    const { server, sockets } = await open(context)
    const answer = await sockets.ask(get)
    answer.close()
    ;(await whole(await sockets.ask(get))).close()
    assert.equal(server.connections.length, 2)
    sockets.close(new EngineFailure('cut'))
  })

  test('one that ended unnoticed is replaced at once, and a new one that ends is a failure', async (context) => {
    let answers = 0
    const { server, sockets } = await open(context, (socket) => {
      answers += 1
      if (answers === 1 || answers === 3) socket.write(answerOf('abc'))
      else socket.destroy()
    })
    ;(await whole(await sockets.ask(get))).close()
    ;(await whole(await sockets.ask(get))).close()
    assert.equal(server.connections.length, 2)
    server.connections[1]?.destroy()
    await assert.rejects(sockets.ask(get), { reason: 'cut' })
    sockets.close(new EngineFailure('cut'))
  })

  test('there are so many and no more; beyond, a question waits for its turn', async (context) => {
    const { server, sockets } = await open(context)
    const answers = await Promise.all(Array.from({ length: engineConnections }, () => sockets.ask(get)))
    const waiting = sockets.ask(get)
    await immediate()
    assert.equal(server.connections.length, engineConnections)
    const [first] = answers
    assert.ok(first)
    ;(await whole(first)).close()
    await waiting
    assert.equal(server.connections.length, engineConnections)
    sockets.close(new EngineFailure('cut'))
  })

  test('a head that does not come in time is a timeout, and so is a turn', async (context) => {
    const { server, sockets } = await open(context, () => undefined, 30)
    await assert.rejects(sockets.ask(get), { reason: 'timeout' })
    // It may have come to be known only after that.
    while (server.connections[0]?.closed !== true) await immediate()
    const asked = Array.from({ length: engineConnections + 1 }, () => sockets.ask(get))
    for (const result of await Promise.allSettled(asked))
      assert.equal(result.status === 'rejected' && (result.reason as EngineFailure).reason, 'timeout')
  })

  test('whoever gives up ends a question that waits, and a body that comes', async (context) => {
    const { sockets } = await open(context, (socket, request) => {
      if (request.startsWith('GET /body')) socket.write(answerOf('', 10))
    })
    const giveUp = new AbortController()
    const asked = sockets.ask(get, giveUp.signal)
    const answer = await sockets.ask({ method: 'GET', path: '/body' }, giveUp.signal)
    const read = answer.read(Buffer.alloc(10))
    giveUp.abort(new EngineFailure('disconnected'))
    await assert.rejects(asked, { reason: 'disconnected' })
    await assert.rejects(read, { reason: 'disconnected' })
    await assert.rejects(sockets.ask(get, giveUp.signal), { reason: 'disconnected' })
  })

  test('closing them ends all that is under way, and nothing is asked any more', async (context) => {
    const { sockets } = await open(context, () => undefined)
    const asked = sockets.ask(get)
    sockets.close(new EngineFailure('disconnected'))
    await assert.rejects(asked, { reason: 'disconnected' })
    await assert.rejects(sockets.ask(get), { reason: 'disconnected' })
  })

  test('retiring them lets finish what is under way', async (context) => {
    const { server, sockets } = await open(context)
    ;(await whole(await sockets.ask(get))).close()
    const answer = await sockets.ask(get)
    let isRetired = false
    const retired = sockets.retire().then(() => (isRetired = true))
    await immediate()
    assert.equal(isRetired, false)
    ;(await whole(answer)).close()
    await retired
    await once(server.connections[0] ?? assert.fail(), 'close')
  })
})

const get = { method: 'GET', path: '/' } as const

async function open(
  context: TestContext,
  answer: Parameters<typeof startScriptedServer>[1] = (socket) => socket.write(answerOf('abc')),
  timeoutMs = 10_000,
): Promise<{ server: ScriptedServer; sockets: EngineSockets }> {
  const server = await startScriptedServer(context, answer)
  return { server, sockets: new EngineSockets(server.connect, 'engine-01', timeoutMs, new ReadBuffers()) }
}

async function whole(answer: Answer): Promise<Answer> {
  assert.equal(await answer.read(Buffer.alloc(3)), 3)
  return answer
}
