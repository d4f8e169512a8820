// PostgreSQL as it is commonly used for audit trails: one row for each line, and an index on time. A cluster of
// our own that stays in the benchmark's directory, durable as PostgreSQL is by default, with memory enough that
// everything asked for is warm.

import { existsSync } from 'node:fs'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PeerMissing } from '../benchmark.ts'
import { type CommandOptions, freePort, runCommand, type Service, startService } from '../command.ts'

const programs = '/usr/lib/postgresql/15/bin'

/** How a client reaches the cluster. */
export type Route = 'socket' | 'loopback'

/** A running cluster. */
export interface Postgres extends Service {
  /** Where its unix socket is, and the port that the socket's name ends with. */
  readonly socketDirectory: string
  readonly port: number
  /** Runs SQL and psql's own commands; what is printed is unaligned and bare. */
  psql(script: string, route?: Route): Promise<string>
  /** Runs `script` in `clients` connections for `seconds`, each time as a transaction of its own: how many a second. */
  transactionsPerSecond(scriptFile: string, load: { clients: number; seconds: number }): Promise<number>
  /** Version and durability, as the server itself tells them. */
  describe(): Promise<string>
}

/** Starts the cluster in `directory`, which is made where it is not there. */
export async function startPostgres(directory: string, sharedBuffersMiB: number): Promise<Postgres> {
  if (!existsSync(program('postgres'))) throw new PeerMissing('PostgreSQL 15 is not installed')
  const asServer = await serverUser()
  await initialise(directory, asServer)
  // The path of a socket has at most 107 bytes, so it is not made in the benchmark's directory.
  const sockets = await mkdtemp(join(tmpdir(), 'annals-bench-postgres-'))
  if (asServer.user !== undefined) await chown(sockets, asServer.user.uid, asServer.user.gid)
  const port = await freePort()
  const connection = (route: Route) => [
    '-h',
    route === 'socket' ? sockets : '127.0.0.1',
    '-p',
    `${port}`,
    '-U',
    'postgres',
  ]
  const service = await startService(
    program('postgres'),
    ['-D', directory, ...settings(sockets, port, sharedBuffersMiB)],
    {
      ...asServer,
      // PostgreSQL's "fast shutdown": clients are sent away, and a checkpoint is written.
      signal: 'SIGINT',
      isReady: () => isReady(connection('socket')),
    },
  )
  const psql = (script: string, route: Route = 'socket') => runPsql(connection(route), script)
  return {
    pid: service.pid,
    socketDirectory: sockets,
    port,
    psql,
    transactionsPerSecond: (file, load) => runPgbench(connection('socket'), file, load),
    describe: async () => (await psql(describingQuery)).trim(),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await rm(sockets, { recursive: true, force: true })
    },
  }
}

const describingQuery = `select 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) || ' with ' ||
  string_agg(name || '=' || current_setting(name), ', ' order by name)
  from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'wal_sync_method');`

// Durability is the default's. Memory and the distance between checkpoints are what every guide to tuning asks for.
function settings(sockets: string, port: number, sharedBuffersMiB: number): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: sockets,
    fsync: 'on',
    synchronous_commit: 'on',
    shared_buffers: `${sharedBuffersMiB}MB`,
    max_wal_size: '8GB',
    checkpoint_timeout: '15min',
    maintenance_work_mem: '512MB',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

// PostgreSQL refuses to run as root; Debian's package brings a user for it.
async function serverUser(): Promise<Pick<CommandOptions, 'user'>> {
  if (process.getuid?.() !== 0) return {}
  const number = async (flag: string) => Number(await runCommand('id', [flag, 'postgres']))
  return { user: { uid: await number('-u'), gid: await number('-g') } }
}

async function initialise(directory: string, asServer: Pick<CommandOptions, 'user'>): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) return
  await mkdir(directory, { recursive: true })
  if (asServer.user !== undefined) await chown(directory, asServer.user.uid, asServer.user.gid)
  const choices = [
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
  ]
  await runCommand('test', ['-w', directory], asServer).catch((cause: unknown) => {
    throw new PeerMissing(`PostgreSQL's user cannot reach ${directory}`, { cause })
  })
  await runCommand(program('initdb'), ['-D', directory, ...choices], asServer)
}

async function isReady(connection: readonly string[]): Promise<boolean> {
  return await runCommand(program('pg_isready'), ['-q', ...connection]).then(
    () => true,
    () => false,
  )
}

function runPsql(connection: readonly string[], script: string): Promise<string> {
  return runCommand(program('psql'), ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...connection], {
    input: script,
  })
}

async function runPgbench(
  connection: readonly string[],
  file: string,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<number> {
  const threads = Math.min(2, clients)
  const load = [
    '-n',
    '-M',
    'prepared',
    '-c',
    `${clients}`,
    '-j',
    `${threads}`,
    '-T',
    `${seconds}`,
    '-f',
    file,
  ]
  const said = await runCommand(program('pgbench'), [...connection, ...load, 'postgres'])
  const rate = Number(/^tps = ([0-9.]+) /m.exec(said)?.[1])
  if (!(rate > 0)) throw new Error(`pgbench told no rate: ${said}`)
  return rate
}

function program(name: string): string {
  return join(programs, name)
}
