// Annals as a peer among peers: started as an administrator would start it, asked as a SIEM would ask it.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answers, freePort, runCommand, type Service, startService } from './command.ts'

const program = fileURLToPath(new URL('../bin/annals.mjs', import.meta.url))
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

/** Starts a portal on a data directory, which it makes where it is not there. `flags` are further ones of its own. */
export async function startAnnals(data: string, flags: readonly string[] = []): Promise<Annals> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  const passwordFile = join(data, '..', 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  const listen = `127.0.0.1:${await freePort()}`
  const url = `http://${listen}`
  const args = ['serve', '--data', data, '--listen', listen, '--host-name', portalName, ...flags]
  const service = await startService(process.execPath, [program, ...args], {
    environment: { ANNALS_ADMIN_PASSWORD_FILE: passwordFile },
    isReady: () => answers(`${url}/readyz`),
  })
  return { url, pid: service.pid, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

/** Makes the log of a new data directory from a file of the past (contract W9). Returns what the command said. */
export function importFile(data: string, hostName: string, file: string): Promise<string> {
  return runCommand(process.execPath, [program, 'import', '--data', data, '--host-name', hostName, file])
}
