import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { openKernelDrops, parseUdpTable } from './kernel-drops.ts'

const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  437: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 12
  440: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0
`

test('the table of sockets is read, of both versions of IP', () => {
  assert.deepEqual(parseUdpTable(table), [
    { port: 514, inode: '4711', drops: 12 },
    { port: 8080, inode: '4712', drops: 0 },
  ])
  assert.deepEqual(parseUdpTable('head\n  nonsense\n'), [])
})

test('the sockets of this process are found, and no others', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const drops = await openKernelDrops(port)
  assert.equal(await drops?.take(), 0)
  socket.close()
  await once(socket, 'close')
  assert.equal(await openKernelDrops(port), undefined)
})
