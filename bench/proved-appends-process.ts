// Records so many entries by so many recorders into an empty log, and prints how many a second. Run by `proved-appends.ts`.

import { draftOf } from '../src/entry/line.ts'
import { eventAt, eventId } from './activity.ts'
import { openFreshLog } from './fresh-log.ts'

const [data = '', recorders = '', count = ''] = process.argv.slice(2)
const prepared = Array.from({ length: 10_000 }, (_, k) => eventAt(k))
await using log = await openFreshLog(data)
let made = 0
await recordAll(Number(count) / 10)
const begin = performance.now()
await recordAll(Number(count))
console.log(Number(count) / ((performance.now() - begin) / 1000))

async function recordAll(most: number): Promise<void> {
  let next = 0
  const record = async () => {
    while (next < most) {
      const event = prepared[next % prepared.length] ?? eventAt(next)
      next += 1
      await log.record(draftOf({ ...event, id: eventId((made += 1)) }, log.id))
    }
  }
  await Promise.all(Array.from({ length: Number(recorders) }, record))
}
