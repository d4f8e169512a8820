// A run of an engine's entries that was fixed by a read: what the engine said of it, and its bytes.

import type { FixedWindow } from './inner-api.ts'
import { RunReader, type RunSource } from './run-reader.ts'

/** A run, fixed. */
export interface EngineRun extends FixedWindow {
  readonly hostName: string
  /** Opens the bytes [start, end) of the run. Reading ends when `signal` is aborted. */
  open(start: number, end: number, signal: AbortSignal): RunReader
}

/** The run that an engine has fixed. */
export function engineRunOf(source: RunSource, fixed: FixedWindow, resumeMs: number): EngineRun {
  const { hostName } = source
  return {
    ...fixed,
    hostName,
    open: (start, end, signal) => new RunReader(source, { ...fixed, start, end }, signal, resumeMs),
  }
}
