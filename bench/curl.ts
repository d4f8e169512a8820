// curl as the one client for all servers: it costs each of them the same.

import { runCommand } from './command.ts'

/** What curl measured of one answer. */
export interface Transfer {
  readonly bytes: number
  /** From the start, connecting included, to the last byte. */
  readonly seconds: number
}

/** What is asked for, and where the answer goes. */
export interface TransferOptions {
  /** Name and password for HTTP Basic. */
  readonly user?: string
  /** A file; without it the answer is thrown away. */
  readonly output?: string
}

/** Fetches `url`, without compression. Throws where the answer is not a whole 200. */
export async function transfer(
  url: string,
  { user, output = '/dev/null' }: TransferOptions = {},
): Promise<Transfer> {
  const told = '%{http_code} %{size_download} %{time_total}'
  const credentials = user === undefined ? [] : ['--user', user]
  const said = await runCommand('curl', [
    '--silent',
    '--show-error',
    '--output',
    output,
    '--write-out',
    told,
    ...credentials,
    url,
  ])
  const [status = 0, bytes = 0, seconds = 0] = said.split(' ').map(Number)
  if (status !== 200) throw new Error(`${url} answered ${status}`)
  return { bytes, seconds }
}

/** Throughput in MB/s. */
export function throughput({ bytes, seconds }: Transfer): number {
  return bytes / 1e6 / seconds
}
