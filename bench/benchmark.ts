// What a benchmark is, and what it is given. `run.ts` holds the list of them.

import type { Comparison, Measured } from './harness.ts'

/** What a benchmark may rely on. */
export interface BenchContext {
  /** Tiny sizes, to show that the benchmark still runs. Its figures mean nothing. */
  readonly isQuick: boolean
  readonly rounds: number
  /** Where data may stay between runs. On the file system that is measured. */
  readonly directory: string
  /** Tells the person who waits how far it is. */
  readonly say: (text: string) => void
}

/** What a benchmark found out. */
export interface Outcome {
  readonly measured: readonly Measured[]
  readonly comparisons: readonly Comparison[]
  /** Sentences without which the figures cannot be judged: sizes, settings, memory, whether fsync was on. */
  readonly notes: readonly string[]
}

/** One row of the table of what must be reached. */
export interface Benchmark {
  /** As it is named on the command line, and its file. */
  readonly name: string
  readonly title: string
  run(context: BenchContext): Promise<Outcome>
}

/** A peer that is not installed here. The benchmark is left out, and says so. */
export class PeerMissing extends Error {
  override readonly name = 'PeerMissing'
}
