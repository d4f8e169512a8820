// The control database: accounts and the like, and the outbox of events that their changes made. SQLite in WAL
// mode with `synchronous=FULL`: what was committed survives a power cut, and the CLI and a running server use
// one file side by side.
//
// There are two connections. Writers take turns on one; readers use the other, and so never wait for a writer
// nor see what it has not committed.

import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, type Transaction as KyselyTransaction } from 'kysely'
import { AnnalsError } from '../errors.ts'
import { databaseBusyMs } from '../limits.ts'
import { migrate } from './migrations.ts'
import type { Schema } from './schema.ts'
import { sqliteDialect, sqliteFailure } from './sqlite.ts'

/** An open control database. Its failures are UNAVAILABLE: busy for too long, no room, damaged. */
export interface Database extends AsyncDisposable {
  /** For single queries. Sees what is committed, at the moment of each query. */
  readonly read: Kysely<Schema>
  /** For changes. A transaction holds the only write lock from its first statement on. */
  readonly write: Kysely<Schema>
  close(): Promise<void>
}

/** A transaction of `write`. */
export type Transaction = KyselyTransaction<Schema>

/** How a database is opened. */
export interface DatabaseOptions {
  /** How long to wait for another process that writes. */
  readonly busyMs?: number
}

/**
 * Opens the database in `file`, or makes it, and brings its tables up to date. The file is its owner's alone
 * (0600, a directory that must be made 0700), and so are the files that SQLite puts beside it.
 * Throws UNAVAILABLE where it cannot be opened.
 */
export async function openDatabase(file: string, options: DatabaseOptions = {}): Promise<Database> {
  makePrivate(file)
  const write = connect(file, options)
  try {
    await migrate(write.queries)
    const read = connect(file, options)
    return databaseOf(read, write)
  } catch (error) {
    await write.close()
    throw error
  }
}

function databaseOf(read: Connection, write: Connection): Database {
  const close = async (): Promise<void> => {
    await read.close()
    await write.close()
  }
  return { read: read.queries, write: write.queries, close, [Symbol.asyncDispose]: close }
}

/** Before SQLite opens it, so that there is no moment at which others could: hashes of passwords are in it. */
function makePrivate(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const descriptor = openSync(file, 'a', 0o600)
    fchmodSync(descriptor, 0o600)
    closeSync(descriptor)
    // SQLite syncs what it writes into the file, but the file's name is ours to keep.
    const directory = openSync(dirname(file), 'r')
    fsyncSync(directory)
    closeSync(directory)
  } catch (error) {
    throw new AnnalsError('UNAVAILABLE', 'the account database cannot be opened', {
      detail: `${file}: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    })
  }
}

interface Connection {
  readonly queries: Kysely<Schema>
  close(): Promise<void>
}

function connect(file: string, { busyMs = databaseBusyMs }: DatabaseOptions): Connection {
  let open: DatabaseSync | undefined
  try {
    // While it opens, it may block for as long as another process holds the lock; later it waits without.
    open = new DatabaseSync(file, { timeout: busyMs, enableForeignKeyConstraints: true })
    open.exec('pragma journal_mode = wal')
    open.exec('pragma synchronous = full')
    open.exec('pragma busy_timeout = 0')
    return connectionOf(open, busyMs)
  } catch (error) {
    open?.close()
    throw sqliteFailure(error)
  }
}

function connectionOf(open: DatabaseSync, busyMs: number): Connection {
  const queries = new Kysely<Schema>({ dialect: sqliteDialect(open, busyMs) })
  const close = async (): Promise<void> => {
    await queries.destroy()
    // Kysely ends only what was used.
    if (open.isOpen) open.close()
  }
  return { queries, close }
}
