// A process of its own for tests of the control database: `node child.ts <mode> <file>`. It is killed, or kills
// itself, at the moment that its mode is named after.

import { appendFileSync } from 'node:fs'
import { openDatabase } from '../database.ts'
import { drain, enqueue } from '../outbox.ts'
import { event } from './event.ts'

const [, , mode, file = ''] = process.argv
const database = await openDatabase(file)

/** Nothing behind it runs, and nothing is cleaned up. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

if (mode === 'die-before-commit') {
  await database.write.transaction().execute(async (transaction) => {
    await transaction.updateTable('login_failure').set({ failures: 77 }).execute()
    await enqueue(transaction, event('9'))
    die()
  })
} else if (mode === 'die-before-delete') {
  await drain(database, async (recorded) => {
    appendFileSync(`${file}.recorded`, `${JSON.stringify(recorded)}\n`)
    die()
  })
} else if (mode === 'hold-lock') {
  await database.write.transaction().execute(async (transaction) => {
    await transaction.updateTable('login_failure').set({ failures: 5 }).execute()
    process.stdout.write('held\n')
    await new Promise((resolve) => process.stdin.once('data', resolve))
  })
  process.stdin.destroy()
}
await database.close()
