import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogId } from '../../entry/event.ts'
import { draftOf, parseLine, renderLine } from '../../entry/line.ts'
import { eventOfMessage } from './event-of-message.ts'
import type { Flaw } from './framing.ts'
import { SyslogReader } from './message.ts'

const reader = new SyslogReader({ timeZone: 'UTC', clock: { wallMicros: () => 1_764_000_000_000_000 } })
const source = { by: '10.0.0.9', hostName: '10.0.0.9' }
const id = 'a0000000-0000-4000-8000-000000000001'
const log = 'portal-01-aaaaaaaaaaaaaaaa' as LogId

function stored(message: string, flaw?: Flaw) {
  const event = eventOfMessage(id, reader.read(message), source, flaw)
  return parseLine(Buffer.from(renderLine(draftOf(event, log), { position: 0, time: 1_764_000_000_000_000 })))
}

test("L1, L2: the sender's own fields and elements are the entry's, and the header is read", () => {
  const entry = stored(
    '<165>1 2025-11-24T16:00:00.5Z app-01 shop 77 X9 [order@1 no="7"] [Portal|LOGIN|20101|jdoe] User in with | and ]',
  )
  assert.equal(entry.via, 'syslog')
  assert.equal(entry.by, '10.0.0.9')
  assert.deepEqual([entry.facility, entry.severity], [20, 5])
  assert.deepEqual(
    [entry.hostName, entry.appName, entry.procId, entry.code],
    ['app-01', 'shop', '77', '20101'],
  )
  assert.equal(entry.occurred, 1_764_000_000_500_000)
  assert.deepEqual(entry.elements, [
    {
      name: 'event@32473',
      params: [
        ['actor', 'jdoe'],
        ['component', 'Portal'],
        ['category', 'LOGIN'],
      ],
    },
    { name: 'detail@32473', params: [['msgid', 'X9']] },
    { name: 'order@1', params: [['no', '7']] },
  ])
  assert.equal(entry.text, '[Portal|LOGIN|20101|jdoe] User in with | and ]')
})

test('L2: nobody can forge a position, a login or that the node said it', () => {
  const entry = stored(
    '<13>1 - h a p 29001 [audit@32473 via="self" by="*system" pos="0"][event@32473 actor="admin"][detail@32473 a="b"] x',
  )
  assert.deepEqual([entry.via, entry.by, entry.position], ['syslog', '10.0.0.9', 0])
  assert.deepEqual(
    entry.elements.map(({ name }) => name),
    ['from-audit@32473', 'from-event@32473', 'from-detail@32473'],
  )
})

test('what the sender did not say is the peer, and no program', () => {
  const entry = stored('<13>hello')
  assert.deepEqual([entry.hostName, entry.appName, entry.procId, entry.code], ['10.0.0.9', '-', '-', '-'])
  assert.equal(entry.occurred, undefined)
  assert.deepEqual(entry.elements, [])
})

test('the header is read behind the space that rsyslog puts before it, and the space is kept', () => {
  const entry = stored('<13>1 - h a p - -  [Portal|LOGIN|20101|jdoe] in')
  assert.equal(entry.code, '20101')
  assert.equal(entry.text, ' [Portal|LOGIN|20101|jdoe] in')
})

test('L3: text that looks escaped is kept as the bytes that were sent', () => {
  const entry = stored('<13>a#011b\tc\u2028d')
  assert.equal(entry.text, 'a#043011b#011c#342#200#250d')
  assert.equal(Buffer.from(entry.message).toString(), 'a#011b\tc\u2028d')
})

test('what has no place of its own in the entry is in its details', () => {
  const details = (message: string, flaw?: Flaw) =>
    stored(message, flaw).elements.find(({ name }) => name === 'detail@32473')?.params
  assert.deepEqual(details('<13>1 - - - - - - \ufeffx'), [['bom', 'true']])
  assert.deepEqual(details('<13>1 2025-11-24T16:00:00.1234567Z - - - - - x'), [
    ['timestamp', '2025-11-24T16:00:00.1234567Z'],
  ])
  assert.deepEqual(details('<13>1 x'), [['unreadable', 'its header is not that of RFC 5424']])
  assert.deepEqual(details('<13>x', 'incomplete'), [['incomplete', 'true']])
  assert.deepEqual(details('<13>x', 'truncated'), [['truncated', 'true']])
})
