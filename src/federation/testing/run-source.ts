// An engine's run for tests, which breaks off where it is told to. It asserts that nobody asks for bytes twice but after
// a failure, nor outside of the run.

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { BodyReader } from '../body-reader.ts'
import type { Slice } from '../engine-client.ts'
import { EngineFailure } from '../failure.ts'
import type { RunSource } from '../run-reader.ts'

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

  async open({ start, end, bytes }: Slice, signal: AbortSignal): Promise<BodyReader> {
    assert.ok(start >= 0 && start < end && end <= this.bytes.length && bytes === this.bytes.length)
    if (signal.aborted) throw signal.reason
    this.opened.push(start)
    const fault = this.faults.shift()
    if (fault instanceof EngineFailure) throw fault
    const whole = this.bytes.subarray(start, end)
    return new BodyReader(
      bodyOf(fault === undefined ? whole : whole.subarray(0, fault), whole.length),
      whole.length,
      signal,
      60_000,
    )
  }

  failed({ reason }: EngineFailure): void {
    this.failures.push(reason)
  }

  resumed(): void {
    this.resumes += 1
  }
}

// Ends with an error where it is shorter than promised, as a connection that is cut does.
function bodyOf(sent: Buffer, promised: number): Readable {
  return Readable.from(
    (async function* () {
      if (sent.length > 0) yield sent
      if (sent.length < promised) throw Object.assign(new Error('cut'), { code: 'UND_ERR_SOCKET' })
    })(),
    { objectMode: false },
  )
}
