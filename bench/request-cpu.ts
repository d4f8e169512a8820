// What one small request costs its server in CPU, under load of 32 connections.

import type { Annals } from './annals.ts'
import { runCommand } from './command.ts'
import { cpuSeconds } from './process-figures.ts'

/** Connections that ask at the same time. */
export const connections = 32

/** What is asked, by whom, and for how long. */
export interface Load {
  readonly path: string
  /** The Authorization header; without it nobody asks. */
  readonly authorization?: string
  readonly seconds: number
}

/** What the load came to. */
export interface LoadCost {
  /** Microseconds of the server's CPU, all threads, user and kernel, for each request. */
  readonly cpuMicros: number
  /** Requests a second. */
  readonly rate: number
}

/** The header of HTTP Basic for `name:password`. */
export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

/** Loads a server with one request again and again. Throws where an answer is none of 2xx. */
export async function measureLoad(annals: Annals, { path, authorization, seconds }: Load): Promise<LoadCost> {
  const header = authorization === undefined ? [] : ['-H', `Authorization: ${authorization}`]
  const load = ['-t', '1', '-c', `${connections}`, '-d', `${seconds}s`, ...header]
  const begin = cpuSeconds(annals.pid)
  const said = await runCommand('wrk', [...load, `${annals.url}${path}`])
  const used = cpuSeconds(annals.pid) - begin
  if (/Non-2xx|Socket errors/.test(said)) throw new Error(`wrk saw errors: ${said}`)
  const requests = Number(/^\s*([0-9]+) requests in /m.exec(said)?.[1])
  return { cpuMicros: (used / requests) * 1e6, rate: requests / seconds }
}
