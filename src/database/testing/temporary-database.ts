// A control database in a directory of its own, which goes with it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database, type DatabaseOptions } from '../database.ts'

/** An open database, and the file that it is in. */
export interface TemporaryDatabase extends Database {
  readonly file: string
}

/** Makes a database for one test. Disposing it removes its directory. */
export async function temporaryDatabase(options: DatabaseOptions = {}): Promise<TemporaryDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'annals-database-'))
  const file = join(directory, 'made', 'annals.db')
  const database = await openDatabase(file, options)
  return {
    ...database,
    file,
    async [Symbol.asyncDispose]() {
      await database.close()
      rmSync(directory, { recursive: true })
    },
  }
}
