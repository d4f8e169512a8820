// Syslog from the programs that people have: logger, rsyslog and syslog-ng, by every way that they and a portal share.
// With ANNALS_TEST_TRANSCRIPT=FILE, what was sent and what was stored is written there.

import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { StoredEntry } from '../../src/entry/event.ts'
import { parseLine } from '../../src/entry/line.ts'
import { hostName } from './portal-process.ts'
import { checkRsyslog, rsyslogWays, startRsyslog } from './rsyslog.ts'
import { findProgram, run } from './sender-process.ts'
import { checkSyslogNg, startSyslogNg, syslogNgWays } from './syslog-ng.ts'
import { startSyslogPortal, type SyslogPortal } from './syslog-places.ts'

/** Texts that make trouble. Each is sent with a mark of its own behind it. */
const texts = {
  quoting: 'He said "C:\\dir] [x] | %d $HOME \'single\'" & <b>',
  utf8: 'žluťoučký kůň 🐎 漢字 e\u0301',
  bom: '\ufeffbehind a byte order mark',
  header: '[Portal|LOGIN|20101|jdoe] User account logged in: a|b [c]',
  blanks: '  two in front',
  escape: 'looks escaped #011 already',
  colon: 'word: another: third',
  tab: 'a\ttab and a bell\u0007',
  newline: 'first line\nsecond line',
  long: 'x'.repeat(60_000),
}

/** A way that messages go, and what it does to them. */
interface Way {
  readonly tag: string
  /** The arguments of logger. */
  readonly args: readonly string[]
  /** A newline ends a message: one within it makes it two. */
  readonly isByLine?: boolean
  /** The sender speaks RFC 5424: a byte order mark is not the text's. */
  readonly isRfc5424?: boolean
  /** What the sender puts before the text. */
  readonly before?: string
  readonly by: string
  /** The host that the entry has, where the sender says none. */
  readonly host?: string
}

test('syslog, from the programs that people have', async (context) => {
  const sut = await startSyslogPortal(context)
  await context.test('L1, L3: logger, over every way and in every form that it has', (inner) =>
    fromLogger(inner, sut),
  )
  await context.test("L1: logger's structured data, message id and long text", (inner) =>
    structured(inner, sut),
  )
  await context.test('L1, L3: rsyslog, over every way that it has', (inner) => fromRsyslog(inner, sut))
  await context.test('L1, L3: syslog-ng, over every way that it has', (inner) => fromSyslogNg(inner, sut))
  await context.test('the configurations that the page for senders shows are good', (inner) => {
    const { ca, clientCertificate, clientKey } = sut.places
    const own = (configuration: string) =>
      configuration
        .replace('/etc/ssl/annals-ca.pem', ca)
        .replace('/etc/ssl/this-host.pem', clientCertificate)
        .replace('/etc/ssl/this-host.key', clientKey)
    const [overTls = '', atSocket = '', ...others] = shown('rsyslog').map(own)
    assert.deepEqual(others, [])
    checkRsyslog(inner, overTls)
    checkRsyslog(inner, atSocket)
    checkSyslogNg(inner, shown('syslog-ng').map(own).join(''))
  })
  await context.test('I7: a sender without a certificate is refused, and that is an entry', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: sut.places.tls, rejectUnauthorized: false })
    socket.on('error', () => undefined)
    socket.write('<13>forged\n')
    await new Promise((resolve) => socket.on('close', resolve))
    const [entry] = (await sut.stored(' 29076 ')).map((line) => parseLine(Buffer.from(line)))
    assert.ok(entry !== undefined)
    assert.match(entry.text, /1 connections of syslog senders were refused .* - syslog no-certificate: 1$/)
    assert.equal(parametersOf(entry, 'event@32473')['sources'], '127.0.0.1: 1')
  })
  const { exitCode } = await sut.portal.stop()
  assert.equal(exitCode, 0)
})

// What stands indented under a heading of the page for senders.
function shown(heading: string): string[] {
  const page = readFileSync(new URL('../../docs/integrate/syslog.md', import.meta.url), 'utf8')
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const blocks = section.match(/(?:^ {4}.*\n)+/gm) ?? []
  return blocks.map((block) => block.replace(/^ {4}/gm, ''))
}

async function fromLogger(context: TestContext, sut: SyslogPortal): Promise<void> {
  const { udp, tcp, socket } = sut.places
  const by = '127.0.0.1'
  const overUdp = ['-n', by, '--udp', '-P', String(udp)]
  const overTcp = ['-n', by, '--tcp', '-P', String(tcp)]
  await throughAll(context, sut, [
    // As syslog(3) writes it, without a host: it is this node's.
    { tag: 'l-socket', args: ['-u', socket], by: '*local', host: hostName },
    { tag: 'l-socket-5424', args: ['-u', socket, '--rfc5424'], isRfc5424: true, by: '*local' },
    { tag: 'l-socket-3164', args: ['-u', socket, '--rfc3164'], by: '*local' },
    { tag: 'l-udp', args: [...overUdp, '--rfc5424'], isRfc5424: true, by },
    { tag: 'l-udp-3164', args: [...overUdp, '--rfc3164'], by },
    { tag: 'l-tcp', args: [...overTcp, '--rfc5424'], isRfc5424: true, isByLine: true, by },
    { tag: 'l-tcp-counted', args: [...overTcp, '--octet-count', '--rfc5424'], isRfc5424: true, by },
  ])
}

async function fromRsyslog(context: TestContext, sut: SyslogPortal): Promise<void> {
  const daemon = await startRsyslog(context, sut.places)
  if (daemon === undefined) return
  const ways = rsyslogWays.map((tag): Way => ({ tag, args: ['-u', daemon.socket], ...how(tag) }))
  await throughAll(context, sut, ways)
}

async function fromSyslogNg(context: TestContext, sut: SyslogPortal): Promise<void> {
  const daemon = await startSyslogNg(context, sut.places)
  if (daemon === undefined) return
  const ways = syslogNgWays.map((tag): Way => ({ tag, args: ['-u', daemon.socket], ...how(tag) }))
  await throughAll(context, sut, ways)
}

function how(tag: (typeof rsyslogWays)[number] | (typeof syslogNgWays)[number]): Omit<Way, 'tag' | 'args'> {
  const by = '127.0.0.1'
  switch (tag) {
    case 'r-udp':
    case 'r-forward':
    case 'n-udp':
      return { by }
    case 'r-lines':
    case 'n-tcp':
    case 'n-iso':
      return { by, isByLine: true }
    // What rsyslog calls the text begins with the space behind the tag: a byte order mark stands behind it.
    case 'r-counted':
      return { by, before: ' ' }
    case 'r-tls':
      return { by: 'sender-01.example.org', before: ' ' }
    case 'n-syslog':
      return { by, isRfc5424: true }
    case 'n-tls':
      return { by: 'sender-01.example.org', isRfc5424: true }
    case 'r-socket':
    case 'n-socket':
      return { by: '*local' }
  }
}

async function throughAll(context: TestContext, sut: SyslogPortal, ways: readonly Way[]): Promise<void> {
  const logger = findProgram(context, 'logger')
  if (logger === undefined) return
  const named = ways.flatMap((way) => Object.entries(texts).map(([name, text]) => ({ way, name, text })))
  for (const { way, name, text } of named) {
    const options = ['-S', '65000', '-t', way.tag, '-p', 'auth.notice', '--id=77']
    run(logger, [...way.args, ...options, '--', marked(way, name, text)], utc)
  }
  for (const { way, name, text } of named) await checkStored(sut, way, name, text)
}

// Times without a zone are read in the node's, which is UTC unless it is configured.
const utc = { environment: { TZ: 'UTC' } }

function marked({ tag }: Way, name: string, text: string): string {
  return `${text} (${tag} ${name})`
}

async function checkStored(sut: SyslogPortal, way: Way, name: string, text: string): Promise<void> {
  const { tag, isByLine = false, isRfc5424 = false, before = '', by, host } = way
  const sent = marked(way, name, text)
  const [entry] = (await sut.stored(`(${tag} ${name})`)).map((line) => parseLine(Buffer.from(line)))
  assert.ok(entry !== undefined)
  transcribe(tag, sent, entry)
  const [first = '', second] = sent.split('\n')
  if (isByLine && second !== undefined) {
    // The rest has neither priority nor sender.
    assert.deepEqual([textOf(entry), entry.facility, entry.severity, entry.appName], [second, 1, 5, '-'])
    const lines = await sut.stored(` ${tag} 77 - `)
    assert.ok(lines.some((line) => line.endsWith(`] ${first}`)))
    return
  }
  const hasMark = isRfc5424 && sent.startsWith('\ufeff')
  assert.equal(textOf(entry), before + (hasMark ? sent.slice(1) : sent))
  assert.equal(parametersOf(entry, 'detail@32473')['bom'], hasMark ? 'true' : undefined)
  assert.deepEqual([entry.via, entry.by, entry.appName, entry.procId], ['syslog', by, tag, '77'])
  if (host !== undefined) assert.equal(entry.hostName, host)
  assert.deepEqual([entry.facility, entry.severity], [4, 5])
  assert.equal(entry.code, name === 'header' ? '20101' : '-')
  if (name === 'header')
    assert.deepEqual(parametersOf(entry, 'event@32473'), {
      actor: 'jdoe',
      component: 'Portal',
      category: 'LOGIN',
    })
  // Year and zone are the right ones.
  const behindMicros = entry.time - (entry.occurred ?? 0)
  assert.ok(Math.abs(behindMicros) < 1_800_000_000, `${behindMicros}`)
}

async function structured(context: TestContext, sut: SyslogPortal): Promise<void> {
  const logger = findProgram(context, 'logger')
  if (logger === undefined) return
  const { tcp } = sut.places
  const way = [
    '-n',
    '127.0.0.1',
    '--tcp',
    '-P',
    String(tcp),
    '--octet-count',
    '--rfc5424',
    '-t',
    'shop',
    '--msgid',
    'X1',
  ]
  const data = ['--sd-id', 'order@48577', '--sd-param', 'no="7"', '--sd-param', 'by="a \\"b\\" \\\\ \\]"']
  const forged = ['--sd-id', 'audit@32473', '--sd-param', 'via="self"']
  run(logger, [...way, ...data, ...forged, 'with data'], utc)
  const [entry] = (await sut.stored('] with data')).map((line) => parseLine(Buffer.from(line)))
  assert.ok(entry !== undefined)
  transcribe('shop', '--msgid X1 --sd-id order@48577 … --sd-id audit@32473 … with data', entry)
  assert.equal(entry.code, 'X1')
  assert.equal(entry.via, 'syslog')
  assert.deepEqual(parametersOf(entry, 'order@48577'), { no: '7', by: 'a "b" \\ ]' })
  assert.deepEqual(parametersOf(entry, 'from-audit@32473'), { via: 'self' })
  const text = `${'é'.repeat(50_000)} that is all`
  run(logger, [...way, '-S', '200000'], { ...utc, input: text })
  await sut.stored('that is all')
  const parts = (await sut.stored(' part="')).map((line) => parseLine(Buffer.from(line)))
  assert.equal(Buffer.concat(parts.map(({ message }) => message)).toString(), text)
}

function textOf({ message }: StoredEntry): string {
  return Buffer.from(message).toString()
}

function parametersOf({ elements }: StoredEntry, wanted: string): Record<string, string> {
  return Object.fromEntries(elements.find(({ name }) => name === wanted)?.params ?? [])
}

function transcribe(
  tag: string,
  sent: string,
  { text, by, elements, hostName, facility, severity }: StoredEntry,
): void {
  const file = process.env['ANNALS_TEST_TRANSCRIPT']
  if (file === undefined) return
  const short = (whole: string) => whole.replace(/x{100,}/g, (run) => `x…(${run.length} of them)…x`)
  const more = elements.map(({ name, params }) =>
    [name, ...params.map(([key, value]) => `${key}="${value}"`)].join(' '),
  )
  const facts = `${facility}.${severity} ${hostName} by=${by}${more.map((each) => ` [${each}]`).join('')}`
  appendFileSync(
    file,
    `${tag}\n  sent    ${JSON.stringify(short(sent))}\n  stored  ${facts}\n          ${short(text)}\n`,
  )
}
