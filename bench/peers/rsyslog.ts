// rsyslog as the peer for syslog: one TCP listener, one file, synced after every batch. What it may do for speed it does:
// batches of 1,024, a main queue in memory, nothing else loaded.

import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PeerMissing } from '../benchmark.ts'
import { freePort, runCommand, type Service, startService } from '../command.ts'

const program = '/usr/sbin/rsyslogd'

/** A running rsyslog. */
export interface Rsyslog extends Service {
  readonly port: number
  /** Where it writes what it takes in. */
  readonly file: string
  /** Its version and its settings. */
  describe(): Promise<string>
}

/** Starts rsyslog with its files in `directory`. What it wrote before is gone. */
export async function startRsyslog(directory: string): Promise<Rsyslog> {
  if (!existsSync(program)) throw new PeerMissing('rsyslog is not installed')
  const file = join(directory, 'rsyslog.log')
  const [configuration, pidFile] = [join(directory, 'rsyslog.conf'), join(directory, 'rsyslog.pid')]
  for (const old of [file, pidFile]) await rm(old, { force: true })
  const port = await freePort()
  await writeFile(configuration, settings(directory, port, file))
  const service = await startService(program, ['-n', '-f', configuration, '-i', pidFile], {
    isReady: () => isListening(port),
  })
  return {
    pid: service.pid,
    port,
    file,
    describe,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

function settings(directory: string, port: number, file: string): string {
  return `
global(workDirectory="${directory}" maxMessageSize="64k")
main_queue(queue.type="FixedArray" queue.size="100000" queue.dequeueBatchSize="1024")
module(load="imtcp")
input(type="imtcp" port="${port}" address="127.0.0.1")
action(type="omfile" file="${file}" sync="on" template="RSYSLOG_SyslogProtocol23Format")
`
}

async function describe(): Promise<string> {
  const version = /rsyslogd\s+([0-9.]+)/.exec(await runCommand(program, ['-v']))?.[1] ?? 'unknown'
  return `rsyslog ${version}: imtcp, one main queue in memory (FixedArray, queue.dequeueBatchSize="1024"), omfile with sync="on"`
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
