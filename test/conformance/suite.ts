// The Audit Trail API's contract, proved over the wire: every test names the row of the contract that it proves. It
// takes the address of a portal, credentials, and what its log is known to begin with, and nothing else: any server
// that implements the contract can be held to it. The portal must record nothing meanwhile but what the suite does,
// and have no engine connected. At most 60 calls without valid credentials are made (S7 records those one by one).

import type { TestContext } from 'node:test'
import { answerTests } from './answer.ts'
import { callerTests } from './callers.ts'
import { errorTests } from './errors.ts'
import { manyReaderTests } from './many-readers.ts'
import { Prober, type Target } from './prober.ts'
import { resourceTests } from './resources.ts'
import { windowTests } from './window.ts'

/** Runs the whole suite as tests of `context`. */
export async function proveConformance(context: TestContext, target: Target): Promise<void> {
  const prober = new Prober(target)
  const tests = [resourceTests, windowTests, answerTests, errorTests, callerTests, manyReaderTests]
  for (const [title, prove] of tests.flatMap((testsOf) => testsOf(prober))) await context.test(title, prove)
}
