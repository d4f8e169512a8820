// An engine's run for tests, which breaks off where it is told to. It asserts that nobody asks for bytes twice but after
// a failure, nor outside of the run.

import assert from 'node:assert/strict'
import type { Slice } from '../engine-client.ts'
import { EngineFailure } from '../failure.ts'
import type { Body, RunSource } from '../run-reader.ts'

/** See the head of this file. */
export class RunSourceDouble implements RunSource {
  readonly hostName: string
  readonly bytes: Buffer
  /** What happens to each opening, in order; those beyond succeed. A number cuts the body off after so many bytes. */
  readonly faults: (EngineFailure | number)[] = []
  /** Where each opening began. */
  readonly opened: number[] = []
  readonly failures: string[] = []
  resumes = 0

  constructor(hostName: string, bytes: Buffer) {
    this.hostName = hostName
    this.bytes = bytes
  }

  async open({ start, end, bytes }: Slice, signal: AbortSignal): Promise<Body> {
    assert.ok(start >= 0 && start < end && end <= this.bytes.length && bytes === this.bytes.length)
    if (signal.aborted) throw signal.reason
    this.opened.push(start)
    const fault = this.faults.shift()
    if (fault instanceof EngineFailure) throw fault
    return bodyOf(
      this.bytes.subarray(start, fault === undefined ? end : Math.min(start + fault, end)),
      signal,
    )
  }

  failed({ reason }: EngineFailure): void {
    this.failures.push(reason)
  }

  resumed(): void {
    this.resumes += 1
  }
}

// Breaks off behind the last byte that it was given, as a connection that is cut does.
function bodyOf(bytes: Buffer, signal: AbortSignal): Body {
  let at = 0
  return {
    read: (target) => {
      if (signal.aborted) return Promise.reject(signal.reason as Error)
      if (at === bytes.length) return Promise.reject(new EngineFailure('cut'))
      const taken = bytes.copy(target, 0, at)
      at += taken
      return Promise.resolve(taken)
    },
    close: () => undefined,
  }
}
