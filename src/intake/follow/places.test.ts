import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { followForgetMicros, followPlaces, followUnsavedLines } from '../../limits.ts'
import { realDisk } from '../../store/disk.ts'
import { lineId, type Place, placeAtStart } from './place.ts'
import { Places } from './places.ts'
import { brokenDisk, stage, until } from './testing/followed.ts'

const forever = new AbortController().signal
const silent = () => undefined

function place(k: number, seen = 0): Place {
  return placeAtStart(randomUUID(), `/${k}.log`, { device: '1', inode: String(k), born: undefined }, seen)
}

test('what is kept is what is read back, and nothing else', async (t) => {
  const at = stage(t)
  const places = await Places.open(realDisk, at.directory, silent)
  const [one, other] = [place(1), place(2)]
  places.add(one)
  places.add(other)
  await places.keep()
  one.offset = 7
  places.changed(1)
  places.remove(other)
  await Promise.all([places.keep(), places.keep()])
  one.offset = 9
  assert.deepEqual((await Places.open(realDisk, at.directory, silent)).all(), [{ ...one, offset: 7 }])
})

test('I4: no more lines are recorded than the horizon holds while their place cannot be kept', async (t) => {
  const at = stage(t)
  const disk = brokenDisk()
  let warnings = 0
  const places = await Places.open(disk, at.directory, () => void (warnings += 1))
  places.add(place(1))
  disk.isBroken = true
  places.changed(followUnsavedLines - 1)
  await places.demandRoom(forever)
  places.changed(1)
  const patience = new AbortController()
  const room = places.demandRoom(patience.signal)
  await until(() => warnings > 0)
  patience.abort()
  await assert.rejects(room, { name: 'AbortError' })
  disk.isBroken = false
  await places.demandRoom(forever)
  disk.isBroken = true
  await places.demandRoom(forever)
})

test('files that have not been seen for long are forgotten, then those beyond the bound, and none that is followed', async (t) => {
  const at = stage(t)
  const places = await Places.open(realDisk, at.directory, silent)
  const now = 2 * followForgetMicros
  const [old, followed] = [place(1, 1), place(2, 2)]
  places.add(old)
  places.add(followed)
  for (let k = 3; k <= followPlaces + 3; k++) places.add(place(k, now + k))
  places.forgetOld(now, (each) => each === followed)
  assert.equal(places.all().length, followPlaces)
  assert.ok(!places.all().includes(old) && places.all().includes(followed))
  assert.equal(places.all()[1]?.path, '/5.log')
})

test('I4: the id of a line is a UUID of version 8 that its file, its offset and its bytes make', () => {
  const line = Buffer.from('text')
  const id = lineId('a', 1, line)
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(lineId('a', 1, Buffer.from('text')), id)
  for (const other of [lineId('b', 1, line), lineId('a', 2, line), lineId('a', 1, Buffer.from('texu'))])
    assert.notEqual(other, id)
})
