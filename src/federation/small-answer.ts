// The body of an answer that is small by its nature, from somebody who may send anything.

import { innerAnswerBytes } from '../limits.ts'

/** Reads a body to its end. Throws where it is longer than such an answer may be. */
export async function readSmallAnswer(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > innerAnswerBytes)
      throw new Error(
        `it answers with more than ${innerAnswerBytes} bytes, where a short answer was expected`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
