import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { DgramSocket } from 'node-unix-socket'
import { one, other } from '../../config/testing/certificates.ts'
import type { LogId, StoredEntry } from '../../entry/event.ts'
import { draftOf, parseLine } from '../../entry/line.ts'
import { AnnalsError } from '../../errors.ts'
import {
  socketPathBytes,
  syslogDatagramWindow,
  syslogKeepAliveMs,
  syslogMessageBytes,
  syslogStreamWindow,
} from '../../limits.ts'
import { linesOf, openTestLog } from '../../log/testing/log-under-test.ts'
import { Intake } from '../intake.ts'
import { Losses } from '../losses.ts'
import { parseUdpTable } from './kernel-drops.ts'
import { openSyslog, type SyslogOptions } from './open-syslog.ts'

const loopback = { host: '127.0.0.1', port: 0 }

interface Node extends AsyncDisposable {
  readonly listeners: Awaited<ReturnType<typeof openSyslog>>
  readonly warnings: string[]
  /** Who was refused, and why. */
  readonly turnedAway: string[]
  /** While it is set, the log has no room. */
  isRefusing: boolean
  /** Stops listening, records the losses, and gives all entries that did not come from the log itself. */
  stop(): Promise<StoredEntry[]>
  /** How many messages are lost so far. */
  lost(): number
  /** Waits until so many messages are recorded. */
  recorded(count: number): Promise<void>
  recordedSoFar(): number
}

async function node(options: Partial<SyslogOptions>): Promise<Node> {
  const { log } = await openTestLog({ hostName: 'node-01' })
  const warnings: string[] = []
  const turnedAway: string[] = []
  let [recorded, lost] = [0, 0]
  const losses = new Losses({
    record: async (event) => void (await log.record(draftOf(event, log.id))),
    hostName: 'node-01',
    component: 'Portal',
    clock: { monotonicMicros: () => Math.round(performance.now() * 1000) },
  })
  const full = () => Promise.reject(new AnnalsError('STORAGE_FULL', 'no room'))
  const intake = new Intake({
    log: {
      id: log.id,
      demandRoom: (bytes) => log.demandRoom(bytes),
      record: (draft) => (self.isRefusing ? full() : log.record(draft)),
      recordAll: (drafts) => (self.isRefusing ? full() : log.recordAll(drafts)),
    },
    hostName: 'node-01',
    component: 'Portal',
    metrics: {
      recorded: (_via, _isNew, count) => (recorded += count),
      lost: (_via, _reason, count) => (lost += count),
    },
    losses,
  })
  const listeners = await openSyslog({
    intake,
    turnedAway: (reason, peer) => turnedAway.push(`${peer} ${reason}`),
    logger: { warn: (_, message) => warnings.push(message) },
    clock: { wallMicros: () => Date.now() * 1000 },
    timeZone: 'UTC',
    ...options,
  })
  const self: Node = {
    listeners,
    warnings,
    turnedAway,
    isRefusing: false,
    async stop() {
      await listeners[Symbol.asyncDispose]()
      await losses.close()
      const lines = await linesOf(log)
      await log.close()
      return lines.map((line) => parseLine(Buffer.from(line))).filter(({ code }) => code !== '29011')
    },
    recorded: (count) => until(() => recorded >= count),
    recordedSoFar: () => recorded,
    lost: () => lost,
    [Symbol.asyncDispose]: () => listeners[Symbol.asyncDispose](),
  }
  return self
}

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'annals-syslog-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await sleep(5)
}

async function tcp({ listeners: { addresses } }: Node): Promise<Socket> {
  const socket = connect(addresses.tcp?.port ?? 0, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const cannotBeTold = 'a syslog connection was closed: what it sends cannot be told apart any more'

const [sending, keepingAlive] = ['01', '02']

/** What the kernel waits for at a connection that was accepted at a port, and for how long still (proc_net_tcp(5)). */
function timerOf(port = 0): { kind: string; leftMs: number } {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/self/net/tcp', 'latin1').split('\n')
  const fields = rows.map((row) => row.trim().split(/\s+/))
  const established = fields.find(([, address = '', , state]) => state === '01' && address.endsWith(local))
  const [kind = '', hundredths = ''] = established?.[5]?.split(':') ?? []
  return { kind, leftMs: Number.parseInt(hundredths, 16) * 10 }
}

function droppedAt(port: number | undefined): number {
  const rows = parseUdpTable(readFileSync('/proc/self/net/udp', 'latin1'))
  return rows.find((row) => row.port === port)?.drops ?? 0
}

function demandKeepAlive(port: number | undefined): void {
  const { kind, leftMs } = timerOf(port)
  assert.equal(kind, keepingAlive)
  assert.ok(leftMs > 0 && leftMs <= syslogKeepAliveMs, `${leftMs} ms`)
}

/** So many messages, each with its number and a time without a year. */
function numbered(from: number, count: number, more = ''): string {
  const messages = Array.from({ length: count }, (_, k) => `<13>Nov 25 10:00:00 a: ${from + k} ${more}\n`)
  return messages.join('')
}

/** A clock that is asked once for each of those messages that is read. */
function countingClock(read: { count: number }): { wallMicros(): number } {
  return { wallMicros: () => ((read.count += 1), Date.now() * 1000) }
}

function texts(entries: readonly StoredEntry[]): string[] {
  return entries.map(({ message }) => Buffer.from(message).toString())
}

/** Sends over UDP, and resolves once the kernel has it all. */
async function sendUdp({ listeners: { addresses } }: Node, messages: readonly string[]): Promise<void> {
  const socket = createSocket('udp4')
  for (const message of messages) {
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.send(message, addresses.udp?.port ?? 0, '127.0.0.1', () => resolve())
    await promise
  }
  socket.close()
}

describe('syslog over TCP', () => {
  test('is recorded in the order of its messages, whichever way they are told apart', async () => {
    await using sut = await node({ tcp: loopback })
    const [lines, counted] = [await tcp(sut), await tcp(sut)]
    const sent = Array.from({ length: 3_000 }, (_, k) => `message ${k}`)
    for (const text of sent) {
      lines.write(`<13>by line, ${text}\n`)
      counted.write(`${text.length + 13} <13>counted, ${text}`)
    }
    lines.end()
    counted.end()
    await sut.recorded(2 * sent.length)
    const entries = await sut.stop()
    for (const how of ['by line, ', 'counted, ']) {
      const those = texts(entries).filter((text) => text.startsWith(how))
      assert.deepEqual(
        those.map((text) => text.slice(how.length)),
        sent,
      )
    }
    assert.ok(
      entries.every(
        ({ via, by, hostName }) => via === 'syslog' && by === '127.0.0.1' && hostName === '127.0.0.1',
      ),
    )
  })

  test('is recorded, marked, where the connection ends within a message', async () => {
    await using sut = await node({ tcp: loopback })
    const [lines, counted] = [await tcp(sut), await tcp(sut)]
    lines.end('<13>one\n<13>tw')
    await sut.recorded(2)
    counted.write('99 <13>three')
    // A few turns, and it has been read: both ends are in this process.
    for (let k = 0; k < 5; k++) await turn()
    counted.resetAndDestroy()
    await sut.recorded(3)
    const entries = await sut.stop()
    assert.deepEqual(texts(entries), ['one', 'tw', 'three'])
    assert.deepEqual(
      entries.map(({ elements }) => elements.flatMap(({ params }) => params)),
      [[], [['incomplete', 'true']], [['incomplete', 'true']]],
    )
  })

  test('L3: a message too long for one entry is recorded in parts', async () => {
    await using sut = await node({ tcp: loopback })
    const text = `${'é\t'.repeat(50_000)}end`
    ;(await tcp(sut)).end(`<13>${text}\n`)
    await sut.recorded(5)
    const entries = await sut.stop()
    assert.equal(Buffer.concat(entries.map(({ message }) => message)).toString(), text)
    assert.deepEqual(
      entries.map(({ part }) => part?.index),
      entries.map((_, k) => k + 1),
    )
    assert.ok(entries.every(({ part }) => part?.count === entries.length))
  })

  test('I7: what is longer than a message may be is cut, or ends the connection, and is counted', async () => {
    await using sut = await node({ tcp: loopback })
    const [lines, counted] = [await tcp(sut), await tcp(sut)]
    lines.write(`<13>${'x'.repeat(syslogMessageBytes)}\n<13>next\n`)
    await sut.recorded(1)
    counted.write(`10 <13>before${syslogMessageBytes + 1} <13>x`)
    await once(counted, 'close')
    lines.end()
    await sleep(20)
    const entries = await sut.stop()
    const loss = entries.find(({ code }) => code === '29071')
    assert.match(
      loss?.text ?? '',
      /\] 2 events were not recorded in \d+ seconds - syslog truncated: 1, syslog too-long: 1$/,
    )
    const whole = Buffer.concat(
      entries.filter(({ part }) => part !== undefined).map(({ message }) => message),
    )
    assert.equal(whole.length, syslogMessageBytes - '<13>'.length)
    assert.ok(texts(entries).includes('next') && texts(entries).includes('before'))
    assert.deepEqual(sut.warnings, [cannotBeTold])
  })

  test('I7: what cannot be told apart any more ends the connection, and is counted', async () => {
    await using sut = await node({ tcp: loopback })
    const [padded, endless] = [await tcp(sut), await tcp(sut)]
    padded.write('10 <13>before008 <13>lost9 <13>lost')
    await once(padded, 'close')
    endless.write('x'.repeat(2 * syslogMessageBytes + 1))
    await once(endless, 'close')
    const entries = await sut.stop()
    const loss = entries.find(({ code }) => code === '29071')
    assert.match(loss?.text ?? '', / - syslog framing: 2, syslog truncated: 1$/)
    assert.equal(
      texts(entries)
        .filter((text) => !text.startsWith('x'))
        .join(),
      `before,${loss?.text}`,
    )
    assert.deepEqual(sut.warnings, [cannotBeTold])
  })

  test('is not read while the log has no room, and is all recorded in its order when it has', async () => {
    await using sut = await node({ tcp: loopback })
    sut.isRefusing = true
    const socket = await tcp(sut)
    let [sent, blocked] = [0, false]
    // The kernel takes some megabytes before it is full.
    while (!blocked && sent < 500) {
      blocked =
        !socket.write(numbered(sent * 1_000, 1_000, 'x'.repeat(190))) &&
        !(await Promise.race([once(socket, 'drain').then(() => true), sleep(300, false)]))
      sent += 1
    }
    assert.ok(blocked, 'the sender is held up')
    socket.end()
    // There is room now and then.
    const turns = setInterval(() => (sut.isRefusing = !sut.isRefusing), 20)
    await sut.recorded(sent * 500)
    clearInterval(turns)
    sut.isRefusing = false
    await sut.recorded(sent * 1_000)
    const numbers = texts(await sut.stop()).map((text) => Number.parseInt(text, 10))
    assert.deepEqual(
      numbers,
      Array.from({ length: sent * 1_000 }, (_, k) => k),
    )
    assert.ok(sent * 1_000 > syslogStreamWindow.messages)
  })

  test('no more messages wait than may, however many come in one read, and each connection has its turn', async () => {
    const read = { count: 0 }
    await using sut = await node({ tcp: loopback, clock: countingClock(read) })
    sut.isRefusing = true
    const sockets = await Promise.all(Array.from({ length: 20 }, () => tcp(sut)))
    for (const socket of sockets) socket.end(numbered(0, 3_000))
    await until(() => read.count >= syslogStreamWindow.messages)
    await sleep(100)
    assert.equal(read.count, syslogStreamWindow.messages)
    sut.isRefusing = false
    await sut.recorded(20 * 3_000)
    const entries = await sut.stop()
    const numbers = texts(entries).map((text) => Number.parseInt(text, 10))
    // Who has had his turn waits until all the others have had theirs.
    const first = numbers.indexOf(2_999)
    assert.equal(numbers.slice(0, first).filter((number) => number === 0).length, 20)
  })

  test('is recorded where the connection breaks while the log has no room', async () => {
    const read = { count: 0 }
    await using sut = await node({ tcp: loopback, clock: countingClock(read) })
    sut.isRefusing = true
    const socket = await tcp(sut)
    socket.write(`${numbered(0, 1_500)}<13>re`)
    await until(() => read.count >= syslogStreamWindow.messages)
    await sleep(50)
    socket.resetAndDestroy()
    await until(() => sut.warnings.length > 0)
    sut.isRefusing = false
    await sut.recorded(1_501)
    const entries = await sut.stop()
    assert.deepEqual(texts(entries), [...Array.from({ length: 1_500 }, (_, k) => `${k} `), 're'])
    assert.deepEqual(entries.at(-1)?.elements, [{ name: 'detail@32473', params: [['incomplete', 'true']] }])
  })

  test('I7: what was read and has no room when the node stops is counted, message by message', async () => {
    const lost: string[] = []
    const read = { count: 0 }
    const sut = await node({
      tcp: loopback,
      clock: countingClock(read),
      bounds: { stopMs: 100 },
      intake: {
        hostName: 'node-01',
        log: 'portal-example' as LogId,
        // Somewhat later than it is told to.
        deliverGroup: async (_drafts, signal) => {
          await until(() => signal.aborted)
          await sleep(200)
          signal.throwIfAborted()
        },
        refused: ({ reason, count = 1 }) => void lost.push(...Array.from({ length: count }, () => reason)),
      },
    })
    const socket = await tcp(sut)
    socket.write(`${numbered(0, 3_000)}<13>re`)
    await until(() => read.count >= syslogStreamWindow.messages)
    await sut.stop()
    assert.equal(lost.length, 3_001)
    assert.deepEqual([...new Set(lost)], ['stopped'])
  })

  test('is taken from so many at once, and from so many of one address', async () => {
    await using sut = await node({ tcp: loopback, bounds: { connections: 5, peerConnections: 2 } })
    const from = async (localAddress: string): Promise<Socket> => {
      const socket = connect({
        port: sut.listeners.addresses.tcp?.port ?? 0,
        host: '127.0.0.1',
        localAddress,
      })
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return socket
    }
    const [first, ...others] = [await from('127.0.0.2'), await from('127.0.0.2')]
    await once(await from('127.0.0.2'), 'close')
    others.push(await from('127.0.0.3'), await from('127.0.0.3'), await from('127.0.0.4'))
    await once(await from('127.0.0.5'), 'close')
    first?.end('<13>first\n')
    await sut.recorded(1)
    const again = await from('127.0.0.2')
    again.end('<13>second\n')
    await sut.recorded(2)
    for (const socket of others) socket.destroy()
    const entries = await sut.stop()
    assert.deepEqual(texts(entries), ['first', 'second'])
    assert.deepEqual(sut.turnedAway, ['127.0.0.2 too-many-connections', '127.0.0.5 too-many-connections'])
    assert.deepEqual(sut.warnings, ['a syslog sender was turned away: there are too many connections'])
  })

  test('I7: messages that do not end cannot take all memory: who holds the most is closed, and counted', async () => {
    const recorded: string[] = []
    const lost: string[] = []
    await using sut = await node({
      tcp: loopback,
      intake: {
        hostName: 'node-01',
        log: 'portal-example' as LogId,
        deliverGroup: async (drafts) => void recorded.push(...drafts.map(({ rest }) => rest)),
        refused: ({ source, reason, count }) => void lost.push(`${source} ${reason} ${count}`),
      },
    })
    const sockets = await Promise.all(Array.from({ length: 40 }, () => tcp(sut)))
    let closed = 0
    for (const socket of sockets) {
      socket.on('close', () => (closed += 1))
      socket.write(`<13>${'x'.repeat(syslogMessageBytes - 1_024)}`)
    }
    await until(() => closed >= 7)
    ;(await tcp(sut)).end('<13>small\n')
    await until(() => recorded.length > 0)
    assert.deepEqual(recorded, ['] small'])
    assert.deepEqual([...new Set(lost)], ['127.0.0.1 no-room 1'])
    // Each is counted here before it sees its own end.
    await until(() => lost.length === closed)
    for (const socket of sockets) socket.destroy()
  })

  test('is asked after a silence whether its sender is still there', async () => {
    await using sut = await node({ tcp: loopback })
    const socket = await tcp(sut)
    socket.write('<13>one\n')
    await sut.recorded(1)
    demandKeepAlive(sut.listeners.addresses.tcp?.port)
    socket.destroy()
  })
})

describe('syslog over TLS', () => {
  const tls = { ...loopback, cert: one.certificate, key: one.key }
  const trusting = { host: '127.0.0.1', servername: 'localhost', ca: one.certificate }

  test('is recorded from whom the certificate names, where one is demanded', async () => {
    await using sut = await node({ tls: { ...tls, clientCa: other.certificate } })
    const { port = 0 } = sut.listeners.addresses.tls ?? {}
    const socket = connectTls({ ...trusting, port, cert: other.certificate, key: other.key })
    socket.end('9 <13>a\nb\nc<13>d\n')
    await sut.recorded(2)
    const entries = await sut.stop()
    assert.deepEqual(texts(entries), ['a\nb\nc', 'd'])
    assert.deepEqual(
      entries.map(({ by, hostName }) => [by, hostName]),
      [
        ['localhost', '127.0.0.1'],
        ['localhost', '127.0.0.1'],
      ],
    )
  })

  test('is asked after a silence whether its sender is still there', async () => {
    await using sut = await node({ tls: { ...tls, clientCa: other.certificate } })
    const { port = 0 } = sut.listeners.addresses.tls ?? {}
    const socket = connectTls({ ...trusting, port, cert: other.certificate, key: other.key })
    socket.write('<13>one\n')
    await sut.recorded(1)
    // While the handshake's last bytes are not acknowledged, the kernel tells of that.
    await until(() => timerOf(port).kind !== sending)
    demandKeepAlive(port)
    socket.destroy()
  })

  test('is not let in without a certificate, or with that of another authority, and each is counted', async () => {
    await using sut = await node({ tls: { ...tls, clientCa: other.certificate } })
    const { port = 0 } = sut.listeners.addresses.tls ?? {}
    const closed = async (socket: Socket): Promise<void> => {
      socket.on('error', () => undefined)
      await new Promise((resolve) => socket.on('close', resolve))
    }
    for (const shown of [{}, { cert: one.certificate, key: one.key }]) {
      const socket = connectTls({ ...trusting, port, ...shown })
      socket.write('<13>forged\n')
      await closed(socket)
    }
    const plain = connect(port, '127.0.0.1')
    plain.write('<13>forged\n')
    await closed(plain)
    // It is no news that somebody looks whether the port is open.
    const looking = connect(port, '127.0.0.1')
    await once(looking, 'connect')
    looking.end()
    await closed(looking)
    assert.deepEqual(await sut.stop(), [])
    assert.deepEqual(sut.turnedAway, [
      '127.0.0.1 no-certificate',
      '127.0.0.1 no-certificate',
      '127.0.0.1 handshake',
    ])
    assert.deepEqual(sut.warnings, ['a syslog sender could not be let in'])
  })

  test('whoever says nothing is closed, and takes nobody the place away', { timeout: 20_000 }, async () => {
    const bounds = { handshakeMs: 100, connections: 2 }
    await using sut = await node({ tls: { ...tls, clientCa: other.certificate }, bounds })
    const { port = 0 } = sut.listeners.addresses.tls ?? {}
    const [silent, slow] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    slow.write(Buffer.from([0x16, 0x03, 0x01]))
    await Promise.all([once(silent, 'close'), once(slow, 'close')])
    assert.deepEqual(sut.turnedAway, ['127.0.0.1 handshake', '127.0.0.1 handshake'])
    // On a busy machine its own handshake may be too long.
    for (let away = 0; away !== sut.turnedAway.length;) {
      away = sut.turnedAway.length
      const socket = connectTls({ ...trusting, port, cert: other.certificate, key: other.key })
      socket.on('error', () => undefined)
      socket.end('<13>a\n')
      await once(socket, 'close')
    }
    await sut.recorded(1)
    assert.deepEqual(texts(await sut.stop()), ['a'])
  })

  test('is recorded from an address where no certificate is demanded', async () => {
    await using sut = await node({ tls })
    connectTls({ ...trusting, port: sut.listeners.addresses.tls?.port ?? 0 }).end('<13>a\n')
    await sut.recorded(1)
    assert.equal((await sut.stop())[0]?.by, '127.0.0.1')
  })
})

describe('syslog over UDP', () => {
  test('is one message a datagram, newlines and all', async () => {
    await using sut = await node({ udp: loopback })
    await sendUdp(sut, ['<13>one\n', '<13>two\nlines\0', '', '\n', `<13>${'x'.repeat(60_000)}`])
    await sut.recorded(3)
    const entries = await sut.stop()
    assert.deepEqual(texts(entries), ['one', 'two\nlines', 'x'.repeat(60_000)])
    assert.equal(entries[0]?.by, '127.0.0.1')
  })

  test('over IPv6 too', async () => {
    await using sut = await node({ udp: { host: '::1', port: 0 } })
    const socket = createSocket('udp6')
    socket.send('<13>six', sut.listeners.addresses.udp?.port ?? 0, '::1', () => socket.close())
    await sut.recorded(1)
    assert.equal((await sut.stop())[0]?.by, '::1')
  })

  test('I7: is dropped where there is no room, and every message dropped is counted', async () => {
    await using sut = await node({ udp: loopback })
    sut.isRefusing = true
    const count = syslogDatagramWindow.messages + 500
    await sendUdp(
      sut,
      Array.from({ length: count }, (_, k) => `<13>message ${k}`),
    )
    await until(() => sut.lost() > 0)
    sut.isRefusing = false
    await sut.recorded(syslogDatagramWindow.messages)
    const entries = await sut.stop()
    const [loss, ...more] = entries.filter(({ code }) => code === '29071')
    assert.deepEqual(more, [])
    assert.equal(lostOf(loss) + entries.length - 1, count)
    assert.match(loss?.text ?? '', /syslog queue-full: \d+/)
  })

  test('I7: what the kernel drops is counted', async () => {
    await using sut = await node({ udp: loopback })
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    // Nobody reads while all of this is handed to the kernel: more than it keeps.
    const message = Buffer.alloc(60_000, 'x')
    let sent = 0
    const all: Promise<void>[] = []
    for (; sent < 2_000; sent++) {
      const { promise, resolve } = Promise.withResolvers<void>()
      socket.send(message, sut.listeners.addresses.udp?.port ?? 0, '127.0.0.1', () => resolve())
      all.push(promise)
    }
    await Promise.all(all)
    socket.close()
    // What has been sent may still be on its way within the kernel, neither readable nor dropped.
    await until(() => sut.recordedSoFar() + droppedAt(sut.listeners.addresses.udp?.port) === sent)
    const entries = await sut.stop()
    const loss = entries.find(({ code }) => code === '29071')
    assert.match(loss?.text ?? '', /syslog kernel: \d+/)
    assert.match(JSON.stringify(loss?.elements), /\*unknown: \d+/)
    assert.equal(entries.filter(({ via }) => via === 'syslog').length + lostOf(loss), sent)
  })
})

describe('syslog over a unix socket', () => {
  const send = async (path: string, ...messages: (string | Buffer)[]): Promise<void> => {
    const socket = new DgramSocket()
    for (const message of messages) {
      const bytes = Buffer.from(message)
      await new Promise<void>((resolve, reject) => {
        socket.sendTo(bytes, 0, bytes.length, path, (error) =>
          error === undefined ? resolve() : reject(error),
        )
      })
    }
    socket.close()
  }

  test('is recorded as from this node, which may be written to by its owner and group', async (context) => {
    const path = join(directory(context), 'log.sock')
    await using sut = await node({ socket: path })
    assert.equal(statSync(path).mode & 0o777, 0o660)
    await send(path, '<13>Nov 25 10:00:00 tag[7]: text', '<13>1 - there - - - - x')
    await sut.recorded(2)
    const entries = await sut.stop()
    assert.deepEqual(
      entries.map(({ by, hostName, appName, text }) => [by, hostName, appName, text]),
      [
        ['*local', 'node-01', 'tag', 'text'],
        ['*local', 'there', '-', 'x'],
      ],
    )
    assert.equal(existsSync(path), false)
  })

  test('I7: is counted and marked where it may have been cut', async (context) => {
    const path = join(directory(context), 'log.sock')
    await using sut = await node({ socket: path, socketMode: 0o666 })
    assert.equal(statSync(path).mode & 0o777, 0o666)
    await send(path, `<13>${'x'.repeat(65_530)}`, `<13>${'y'.repeat(70_000)}`)
    await sut.recorded(3)
    const entries = await sut.stop()
    const whole = (letter: string) =>
      texts(entries)
        .filter((text) => text.startsWith(letter))
        .join('').length
    assert.equal(whole('x'), 65_530)
    assert.equal(whole('y'), 65_535 - '<13>'.length)
    assert.match(entries.find(({ code }) => code === '29071')?.text ?? '', /syslog truncated: 1$/)
    assert.match(JSON.stringify(entries.find(({ text }) => text.startsWith('y'))?.elements), /truncated/)
  })

  test('that cannot be made is refused with its path and the setting', async (context) => {
    const long = join(directory(context), 'x'.repeat(socketPathBytes))
    for (const [path, why] of [
      ['/nowhere/log.sock', 'No such file or directory'],
      [long, 'its path is longer than 107 bytes'],
    ] as const)
      await assert.rejects(node({ socket: path }), {
        code: 'INVALID_CONFIGURATION',
        message: `syslog cannot be taken in at the socket ${path} (--syslog-socket): ${why}`,
      })
  })

  test('replaces a socket that nobody listens at any more, and nothing else', async (context) => {
    const path = join(directory(context), 'log.sock')
    const socket = new DgramSocket()
    socket.bind(path)
    await assert.rejects(node({ socket: path }), {
      code: 'INVALID_CONFIGURATION',
      message: /another program listens/,
    })
    socket.close()
    assert.equal(existsSync(path), true)
    const sut = await node({ socket: path })
    await send(path, '<13>x')
    assert.deepEqual(texts(await sut.stop()), ['x'])

    const server = createServer().listen(path)
    await once(server, 'listening')
    await assert.rejects(node({ socket: path }), { message: /another program listens/ })
    server.close()
    writeFileSync(path, 'a file of somebody')
    await assert.rejects(node({ socket: path }), { code: 'INVALID_CONFIGURATION', message: /no socket/ })
  })
})

test('without authentication only loopback is listened at, unless it is allowed in so many words', async () => {
  const everywhere = { host: '0.0.0.0', port: 0 }
  const tls = { ...everywhere, cert: one.certificate, key: one.key }
  for (const options of [
    { udp: everywhere },
    { tcp: everywhere },
    { tls },
    { tcp: { host: 'example.org', port: 0 } },
  ])
    await assert.rejects(node(options), { code: 'INVALID_CONFIGURATION' })
  for (const options of [
    { tls: { ...tls, clientCa: other.certificate } },
    { udp: everywhere, tcp: everywhere, allowBeyondLoopback: true },
    { tcp: { host: 'localhost', port: 0 }, udp: { host: 'localhost', port: 0 } },
  ])
    assert.deepEqual(await (await node(options)).stop(), [])
})

test('where one of several cannot listen, none does', async (context) => {
  const path = join(directory(context), 'log.sock')
  writeFileSync(path, '')
  await using first = await node({ tcp: loopback })
  const { port = 0 } = first.listeners.addresses.tcp ?? {}
  await assert.rejects(node({ tcp: { host: '127.0.0.1', port } }), { code: 'EADDRINUSE' })
  await first.stop()
  await assert.rejects(node({ tcp: { host: '127.0.0.1', port }, socket: path }))
  const again = await node({ tcp: { host: '127.0.0.1', port } })
  await again.stop()
})

test('what senders have handed over is recorded when the node stops', async (context) => {
  const path = join(directory(context), 'log.sock')
  await using sut = await node({ tcp: loopback, udp: loopback, socket: path })
  const socket = await tcp(sut)
  await sendUdp(
    sut,
    Array.from({ length: 200 }, (_, k) => `<13>udp ${k}`),
  )
  socket.write(`${'<13>tcp\n'.repeat(200)}<13>rest`)
  const entries = await sut.stop()
  assert.equal(texts(entries).filter((text) => text.startsWith('udp')).length, 200)
  assert.equal(texts(entries).filter((text) => text === 'tcp').length, 200)
  assert.ok(texts(entries).includes('rest'))
})

function lostOf(entry: StoredEntry | undefined): number {
  return Number(/\] (\d+) events were not recorded/.exec(entry?.text ?? '')?.[1])
}
