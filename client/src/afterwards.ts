// Streams and those who wait call back; what they wait for are promises.

/** Calls back once that is over. It must be a promise that never rejects. */
export async function afterwards(over: Promise<unknown>, done: () => void): Promise<void> {
  await over
  done()
}
