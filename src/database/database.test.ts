import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sql } from 'kysely'
import { isAnnalsError } from '../errors.ts'
import { openDatabase, type Database } from './database.ts'
import { temporaryDatabase } from './testing/temporary-database.ts'

const child = join(import.meta.dirname, 'testing/child.ts')

async function failures(database: Database): Promise<number | undefined> {
  const row = await database.read.selectFrom('login_failure').select('failures').executeTakeFirst()
  return row?.failures
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

test('the database and what SQLite puts beside it are their owner’s alone', async () => {
  await using database = await temporaryDatabase()
  await database.write.updateTable('login_failure').set({ failures: 1 }).execute()
  assert.equal(modeOf(dirname(database.file)), '700')
  for (const suffix of ['', '-wal', '-shm']) assert.equal(modeOf(database.file + suffix), '600')
})

test('a database that others could read is closed to them when it is opened', async () => {
  await using database = await temporaryDatabase()
  await database.close()
  chmodSync(database.file, 0o644)
  await using again = await openDatabase(database.file)
  assert.equal(modeOf(database.file), '600')
  assert.equal(await failures(again), 0)
})

test('what was written is there when the database is opened again', async () => {
  await using database = await temporaryDatabase()
  await database.write.updateTable('login_failure').set({ failures: 3 }).execute()
  await database.close()
  await using again = await openDatabase(database.file)
  assert.equal(await failures(again), 3)
})

test('a commit is synced to the disk before it is one', async () => {
  await using database = await temporaryDatabase()
  for (const connection of [database.read, database.write]) {
    const { rows } =
      await sql`select * from pragma_synchronous, pragma_journal_mode, pragma_foreign_keys`.execute(
        connection,
      )
    assert.deepEqual({ ...(rows[0] as object) }, { synchronous: 2, journal_mode: 'wal', foreign_keys: 1 })
  }
})

test('two processes that open a new database at once both get it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'annals-database-'))
  const file = join(directory, 'annals.db')
  const children = [1, 2, 3].map(() => spawn(process.execPath, [child, 'open', file], { stdio: 'inherit' }))
  const codes = await Promise.all(children.map(async (process) => (await once(process, 'exit'))[0] as number))
  assert.deepEqual(codes, [0, 0, 0])
  rmSync(directory, { recursive: true })
})

test('a database of a newer version is refused', async () => {
  await using database = await temporaryDatabase()
  await database.close()
  const raw = new DatabaseSync(database.file)
  raw.exec("insert into kysely_migration values ('9999 of tomorrow', '2030-01-01T00:00:00Z')")
  raw.close()
  await assert.rejects(openDatabase(database.file), (error) => {
    assert.ok(isAnnalsError(error, 'UNAVAILABLE'))
    assert.match(error.message, /newer version/)
    return true
  })
})

test('a database of an earlier version gets what it lacks, and keeps what it has', async () => {
  await using database = await temporaryDatabase()
  await database.close()
  const raw = new DatabaseSync(database.file)
  const later = ['client_secret', 'client', 'revoked_token', 'token_key', 'role', 'profile']
  for (const table of [...later, 'login_failure', 'known_network', 'engine', 'engine_token'])
    raw.exec(`drop table ${table}`)
  raw.exec(`create table lockout (account text primary key, failures bigint, locked_until bigint, failed_at bigint);
    insert into lockout values ('', 3, null, 5);
    delete from kysely_migration where name > '0002'`)
  raw.close()
  await using again = await openDatabase(database.file)
  assert.deepEqual(await again.read.selectFrom('engine').selectAll().execute(), [])
  assert.deepEqual(await again.read.selectFrom('engine_token').selectAll().execute(), [])
  assert.equal(await failures(again), 3)
})

test('a file that is no database is refused, and left as it is', async () => {
  await using database = await temporaryDatabase()
  await database.close()
  const text = 'this is no database, and somebody may need it\n'.repeat(100)
  writeFileSync(database.file, text)
  await assert.rejects(openDatabase(database.file), (error) => isAnnalsError(error, 'UNAVAILABLE'))
  assert.equal(statSync(database.file).size, text.length)
})

test('a directory that cannot be made is told without its path', async () => {
  await using database = await temporaryDatabase()
  await assert.rejects(openDatabase(join(database.file, 'below', 'annals.db')), (error) => {
    assert.ok(isAnnalsError(error, 'UNAVAILABLE'))
    assert.ok(!error.message.includes(database.file) && error.detail?.includes(database.file))
    return true
  })
})

test('a reader never sees what is not committed', async () => {
  await using database = await temporaryDatabase()
  await database.write.transaction().execute(async (transaction) => {
    await transaction.updateTable('login_failure').set({ failures: 9 }).execute()
    assert.equal(await failures(database), 0)
  })
  assert.equal(await failures(database), 9)
})

test('what fails in a transaction leaves nothing behind', async () => {
  await using database = await temporaryDatabase()
  const work = database.write.transaction().execute(async (transaction) => {
    await transaction.updateTable('login_failure').set({ failures: 9 }).execute()
    throw new Error('of the caller')
  })
  await assert.rejects(work, /of the caller/)
  assert.equal(await failures(database), 0)
})

test('a change waits for another process that writes, and blocks nothing meanwhile', async () => {
  await using database = await temporaryDatabase()
  const holder = spawn(process.execPath, [child, 'hold-lock', database.file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const change = database.write
    .updateTable('login_failure')
    .set((row) => ({ failures: row('failures', '+', 1) }))
    .execute()
  // Timers run and readers read while it waits.
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(await failures(database), 0)
  holder.stdin.write('\n')
  await Promise.all([change, once(holder, 'exit')])
  assert.equal(await failures(database), 6)
})

test('a change that waited too long is refused as busy, and may be repeated', async () => {
  await using database = await temporaryDatabase({ busyMs: 20 })
  const raw = new DatabaseSync(database.file)
  raw.exec('begin immediate')
  const transaction = database.write.transaction().execute(async () => {})
  await assert.rejects(transaction, (error) => {
    assert.ok(isAnnalsError(error, 'UNAVAILABLE'))
    assert.match(error.message, /busy/)
    assert.ok((error.retryAfterSeconds ?? 0) > 0)
    return true
  })
  raw.exec('rollback')
  raw.close()
  await database.write.updateTable('login_failure').set({ failures: 1 }).execute()
  assert.equal(await failures(database), 1)
})

test('a full disk refuses the change whole, says so, and passes', async () => {
  await using database = await temporaryDatabase()
  const pages = await sql<{ page_count: number }>`pragma page_count`.execute(database.write)
  await sql.raw(`pragma max_page_count = ${pages.rows[0]?.page_count}`).execute(database.write)
  const fill = () =>
    database.write.transaction().execute(async (transaction) => {
      await transaction.updateTable('login_failure').set({ failures: 9 }).execute()
      await transaction
        .insertInto('outbox')
        .values({ id: 'a', event: 'x'.repeat(100_000) })
        .execute()
    })
  await assert.rejects(fill(), (error) => {
    assert.ok(isAnnalsError(error, 'UNAVAILABLE'))
    assert.match(error.message, /no room/)
    return true
  })
  assert.equal(await failures(database), 0)
  await sql.raw('pragma max_page_count = 100000').execute(database.write)
  await fill()
  assert.equal(await failures(database), 9)
})

test('a statement that breaks a constraint is a fault of ours', async () => {
  await using database = await temporaryDatabase()
  const values = { name: '', profile: 'user', password_hash: '', created_at: 0, password_changed_at: 0 }
  const insert = database.write.insertInto('account').values(values).execute()
  await assert.rejects(insert, (error) => isAnnalsError(error, 'INTERNAL'))
})
