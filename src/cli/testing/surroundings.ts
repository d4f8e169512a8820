// Surroundings for tests: streams that remember, an empty environment.

import { PassThrough, Writable } from 'node:stream'
import type { Surroundings } from '../surroundings.ts'

/** Surroundings whose outputs can be read back. */
export interface TestSurroundings extends Surroundings {
  outputText(): string
  errorText(): string
}

/** Makes surroundings, with what a test wants otherwise. */
export function testSurroundings(different: Partial<Surroundings> = {}): TestSurroundings {
  const [output, errors] = [new Memory(), new Memory()]
  return {
    input: new PassThrough(),
    output,
    errors,
    environment: {},
    directory: '/nowhere',
    machineName: 'machine',
    user: 'operator',
    onSignal: () => ({ [Symbol.dispose]: () => undefined }),
    onReload: () => ({ [Symbol.dispose]: () => undefined }),
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
    ...different,
    outputText: () => output.text,
    errorText: () => errors.text,
  }
}

class Memory extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
