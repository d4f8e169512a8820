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
  /** Further options of curl's own. */
  readonly options?: readonly string[]
  /** What is expected: a 200, unless it is given. */
  readonly status?: number
}

/** Fetches `url`, without compression. Throws where the answer is not whole, or not of the status expected. */
export async function transfer(
  url: string,
  { user, output = '/dev/null', options = [], status: expected = 200 }: TransferOptions = {},
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
    ...options,
    url,
  ])
  const [status = 0, bytes = 0, seconds = 0] = said.split(' ').map(Number)
  if (status !== expected) throw new Error(`${url} answered ${status}`)
  return { bytes, seconds }
}

/** Throughput in MB/s. */
export function throughput({ bytes, seconds }: Transfer): number {
  return bytes / 1e6 / seconds
}

/** Measures the throughput of an answer, again and again. Throws where it does not have so many bytes. */
export function pull(url: string, bytes: number, options: TransferOptions = {}): () => Promise<number> {
  return async () => {
    const answer = await transfer(url, options)
    if (answer.bytes !== bytes) throw new Error(`${url} gave ${answer.bytes} bytes instead of ${bytes}`)
    return throughput(answer)
  }
}

/** Which curl it is. */
export async function curlVersion(): Promise<string> {
  return (await runCommand('curl', ['--version'])).split(' ').slice(0, 2).join(' ')
}
