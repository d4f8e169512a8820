// How the control database becomes what `schema.ts` says, step by step. A step that was ever released is never
// edited: a change is a new step. Each start runs what is missing, in one transaction.

import { sql, type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { AnnalsError } from '../errors.ts'
import type { Schema } from './schema.ts'

/** Brings the tables up to date. Throws UNAVAILABLE where that fails, as with the database of a newer version. */
export async function migrate(database: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  if (error instanceof AnnalsError) throw error
  throw new AnnalsError(
    'UNAVAILABLE',
    'the account database cannot be used: it is damaged, or a newer version of Annals wrote it',
    { detail: error instanceof Error ? error.message : 'unknown', cause: error },
  )
}

// Steps run in the order of their names, and must not know the schema of today.
const migrations: Record<string, Migration> = {
  '0001 accounts and outbox': {
    async up(database) {
      await database.schema
        .createTable('account')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('profile', 'text', (column) => column.notNull())
        .addColumn('password_hash', 'text', (column) => column.notNull())
        .addColumn('credential_version', 'bigint', (column) => column.notNull().defaultTo(1))
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('password_changed_at', 'bigint', (column) => column.notNull())
        .addCheckConstraint('account_name', sql`name <> ''`)
        .execute()
      await database.schema
        .createTable('lockout')
        .addColumn('account', 'text', (column) => column.primaryKey().notNull())
        .addColumn('failures', 'bigint', (column) => column.notNull().defaultTo(0))
        .addColumn('locked_until', 'bigint')
        .addColumn('failed_at', 'bigint')
        .execute()
      await database.schema
        .createTable('outbox')
        .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('event', 'text', (column) => column.notNull())
        .execute()
      await sql`insert into lockout (account) values ('')`.execute(database)
    },
  },
  '0002 engines': {
    async up(database) {
      await database.schema
        .createTable('engine')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('host_name', 'text', (column) => column.notNull().unique())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('log', 'text', (column) => column.notNull())
        .addColumn('log_key', 'text', (column) => column.notNull())
        .addColumn('certificate', 'text', (column) => column.notNull())
        .addColumn('next_certificate', 'text')
        .addColumn('portal_certificate', 'text', (column) => column.notNull())
        .addColumn('next_portal_certificate', 'text')
        .addColumn('joined_at', 'bigint', (column) => column.notNull())
        .addColumn('state_at', 'bigint', (column) => column.notNull())
        .addColumn('last_contact', 'bigint')
        .addColumn('unreachable_since', 'bigint')
        .addColumn('unreachable_reason', 'text')
        .addColumn('log_size', 'bigint')
        .addColumn('log_bytes', 'bigint')
        .addColumn('last_entry_at', 'bigint')
        .addColumn('version', 'text')
        .addColumn('clock_offset', 'bigint')
        .addCheckConstraint('engine_state', sql`state in ('CONNECTING', 'CONNECTED', 'DISCONNECTED')`)
        .execute()
      await database.schema
        .createTable('engine_token')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('host_name', 'text')
        .addColumn('may_replace', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('used_at', 'bigint')
        .addColumn('used_facts', 'text')
        .addColumn('created_by', 'text', (column) => column.notNull())
        .execute()
    },
  },
  '0003 clients, profiles, and logins by network': {
    async up(database) {
      await database.schema
        .createTable('client')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('client_id', 'text', (column) => column.notNull().unique())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('record_bounds', 'text')
        .addColumn('is_enabled', 'integer', (column) => column.notNull().defaultTo(1))
        .addColumn('expires_at', 'bigint')
        .addColumn('tokens_valid_from', 'bigint', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('owner', 'text')
        .addColumn('last_used_at', 'bigint')
        .execute()
      await database.schema
        .createTable('client_secret')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('client', 'integer', (column) =>
          column.notNull().references('client.id').onDelete('cascade'),
        )
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .execute()
      await database.schema.createIndex('client_secret_client').on('client_secret').column('client').execute()
      await database.schema
        .createTable('revoked_token')
        .addColumn('jti', 'text', (column) => column.primaryKey().notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute()
      await database.schema
        .createTable('token_key')
        .addColumn('kid', 'text', (column) => column.primaryKey().notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('public_jwk', 'text', (column) => column.notNull())
        .addColumn('private_key', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('state_at', 'bigint', (column) => column.notNull())
        .addCheckConstraint('token_key_state', sql`state in ('next', 'current', 'retired')`)
        .execute()
      await database.schema
        .createTable('role')
        .addColumn('name', 'text', (column) => column.primaryKey().notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('permissions', 'text', (column) => column.notNull())
        .execute()
      await database.schema
        .createTable('profile')
        .addColumn('name', 'text', (column) => column.primaryKey().notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('tier', 'text', (column) => column.notNull())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('permissions', 'text', (column) => column.notNull())
        .execute()
      await database.schema
        .createTable('login_failure')
        .addColumn('account', 'text', (column) => column.notNull())
        .addColumn('network', 'text', (column) => column.notNull())
        .addColumn('failures', 'bigint', (column) => column.notNull().defaultTo(0))
        .addColumn('locked_until', 'bigint')
        .addColumn('failed_at', 'bigint')
        .addPrimaryKeyConstraint('login_failure_key', ['account', 'network'])
        .execute()
      await sql`insert into login_failure (account, network, failures, locked_until, failed_at)
        select account, '', failures, locked_until, failed_at from lockout`.execute(database)
      await database.schema.dropTable('lockout').execute()
      await database.schema
        .createTable('known_network')
        .addColumn('account', 'text', (column) => column.notNull())
        .addColumn('network', 'text', (column) => column.notNull())
        .addColumn('last_login_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('known_network_key', ['account', 'network'])
        .execute()
    },
  },
  '0004 the log that a revoked token was for': {
    async up(database) {
      await database.schema.alterTable('revoked_token').addColumn('log', 'text').execute()
    },
  },
  '0005 the keys of engines': {
    async up(database) {
      await database.schema.alterTable('engine').addColumn('keys', 'text').execute()
    },
  },
}
