// Kysely's dialect over `node:sqlite`. Beyond what Kysely asks of a driver it does four things:
//
// - a transaction takes the write lock when it begins, so that what it reads is still so when it writes;
// - where another process holds that lock, it waits without blocking this one's event loop;
// - statements are prepared once and kept;
// - SQLite's own failures become UNAVAILABLE: whoever needs the database is refused, and never let through.

import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { AnnalsError } from '../errors.ts'
import { databaseBusyMs, databaseRetryMs, preparedStatements } from '../limits.ts'

/** A dialect over one connection that is already open. Destroying the Kysely object closes it. */
export function sqliteDialect(open: DatabaseSync, busyMs: number = databaseBusyMs): Dialect {
  return {
    createDriver: () => new SqliteDriver(open, busyMs),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalAdapter(),
    createIntrospector: (database: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(database),
  }
}

/**
 * What one of SQLite's failures means to whoever asked: UNAVAILABLE, or INTERNAL where the fault is in our
 * own statement. Anything else is returned as it is.
 */
export function sqliteFailure(error: unknown): unknown {
  const code = resultCode(error)
  if (code === undefined) return error
  const context = { detail: `SQLite: ${(error as Error).message} (${String(code)})`, cause: error }
  if (ownFaults.has(code)) {
    return new AnnalsError('INTERNAL', 'the account database refused a statement', context)
  }
  const why = code === busy || code === locked ? 'is busy' : code === full ? 'has no room' : 'cannot be used'
  return new AnnalsError('UNAVAILABLE', `the account database ${why}`, { ...context, retryAfterSeconds: 5 })
}

// Primary result codes (https://www.sqlite.org/rescode.html).
const [busy, locked, full] = [5, 6, 13]
/** ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE. */
const ownFaults: ReadonlySet<number> = new Set([1, 18, 19, 20, 21, 25])

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

/** SQLite's schema changes are transactional, though Kysely's own adapter makes no use of it. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class SqliteDriver implements Driver {
  readonly #open: DatabaseSync
  readonly #connection: SqliteConnection

  constructor(open: DatabaseSync, busyMs: number) {
    this.#open = open
    this.#connection = new SqliteConnection(open, busyMs)
  }

  async init(): Promise<void> {}

  // One connection is enough: Kysely hands it out to one user at a time.
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(begin)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(commit)
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // After a full disk, for one, SQLite has rolled back by itself: a second time would hide the reason.
    if (this.#open.isTransaction) await connection.executeQuery(rollback)
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    if (this.#open.isOpen) this.#open.close()
  }
}

const begin = CompiledQuery.raw('begin immediate')
const commit = CompiledQuery.raw('commit')
const rollback = CompiledQuery.raw('rollback')

interface Prepared {
  readonly statement: StatementSync
  /** True where it returns rows. */
  readonly isReader: boolean
}

class SqliteConnection implements DatabaseConnection {
  readonly #open: DatabaseSync
  readonly #busyMs: number
  readonly #prepared = new Map<string, Prepared>()

  constructor(open: DatabaseSync, busyMs: number) {
    this.#open = open
    this.#busyMs = busyMs
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    let deadline: number | undefined
    for (;;) {
      try {
        return this.#execute(query)
      } catch (error) {
        // A statement that was told "busy" has done nothing, and may be repeated as it is.
        deadline ??= performance.now() + this.#busyMs
        if (resultCode(error) !== busy || performance.now() >= deadline) throw sqliteFailure(error)
      }
      await sleep(databaseRetryMs)
    }
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new AnnalsError('INTERNAL', 'the account database is not read as a stream')
  }

  #execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const { statement, isReader } = this.#prepare(sql)
    const values = parameters as readonly SQLInputValue[]
    if (isReader) return { rows: statement.all(...values) as R[] }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#open.prepare(sql)
    const prepared = { statement, isReader: statement.columns().length > 0 }
    // Our own statements are few. Were there ever more, starting over costs no more than preparing each again.
    if (this.#prepared.size >= preparedStatements) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}
