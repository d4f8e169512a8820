// Annals as a peer among peers: started as an administrator would start it, asked as a SIEM would ask it.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answers, freePort, runCommand, type Service, startService } from './command.ts'

/** The launcher. */
export const program = fileURLToPath(new URL('../bin/annals.mjs', import.meta.url))
const password = 'Only-for-benchmarks-1'

/** The host name of every portal that a benchmark starts. */
export const portalName = 'bench'

/** Name and password of the administrator of every server that a benchmark starts, as curl's `--user` takes it. */
export const administrator = `admin:${password}`

/** The audit log of the portal (contract A1). */
export const auditLogPath = '/audit-trail/api/v1/portal/type/auditlog'

/** A running portal. */
export interface Annals extends Service {
  /** Without a slash at its end. */
  readonly url: string
}

/**
 * Starts a portal on a data directory, which it makes where it is not there. `flags` are further ones of its own. With
 * `caFile` it is reached over TLS, under the name localhost. `environment` is added to this process's.
 */
export async function startAnnals(
  data: string,
  flags: readonly string[] = [],
  caFile?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Annals> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  const passwordFile = join(data, '..', 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  const port = await freePort()
  const listen = `127.0.0.1:${port}`
  const url = caFile === undefined ? `http://${listen}` : `https://localhost:${port}`
  const known = caFile === undefined ? [] : ['--public-url', url]
  const args = ['serve', '--data', data, '--listen', listen, '--host-name', portalName, ...known, ...flags]
  const service = await startService(process.execPath, [program, ...args], {
    environment: { ANNALS_ADMIN_PASSWORD_FILE: passwordFile, ...environment },
    isReady: () => answers(`${url}/readyz`, caFile),
  })
  return { url, pid: service.pid, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

/** Makes the log of a new data directory from a file of the past (contract W9). Returns what the command said. */
export function importFile(data: string, hostName: string, file: string): Promise<string> {
  return runCommand(process.execPath, [program, 'import', '--data', data, '--host-name', hostName, file])
}

/** An OAuth 2.0 client of a portal that runs. */
export interface Client {
  readonly id: string
  readonly secret: string
}

/** Makes a client beside the running portal. It may read all logs, unless `rights` say what it may do. */
export async function makeClient(
  data: string,
  name: string,
  rights: readonly string[] = ['--scope', 'service:audit-trail'],
): Promise<Client> {
  const flags = [...rights, '--data', data, '--host-name', portalName, '--json']
  const made = JSON.parse(await runCommand(process.execPath, [program, 'client', 'add', name, ...flags])) as {
    client_id: string
    client_secret: string
  }
  return { id: made.client_id, secret: made.client_secret }
}

/** Gets an access token (contract S2). `options` are curl's own. */
export async function accessToken(
  { url }: Pick<Annals, 'url'>,
  { id, secret }: Client,
  options: readonly string[] = [],
): Promise<string> {
  const asked = [
    '--silent',
    '--show-error',
    '--fail',
    '--config',
    '-',
    '--data',
    'grant_type=client_credentials',
  ]
  const said = await runCommand('curl', [...asked, ...options, `${url}/oauth2/default/v1/token`], {
    // Not on the command line: it is a secret.
    input: `user = "${id}:${secret}"\n`,
  })
  return (JSON.parse(said) as { access_token: string }).access_token
}
