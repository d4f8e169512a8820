// Reads once for all who ask for the same within one turn of the event loop. What they get was read after the last of
// them asked, so that nobody gets anything older than they could have had alone; and of a crowd of requests that came
// together, only the first one pays.

/** Reads under one key at a time. */
export class GatheredRead<T> {
  readonly #gathering = new Map<string, Promise<T>>()

  /** The result of `read`, which is called once for all of that key, when the event loop has seen who else asks. */
  async get(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.#gathering.get(key)
    if (known !== undefined) return known
    const reading = nextTurn().then(() => {
      // From here on whoever asks must have it read anew.
      this.#gathering.delete(key)
      return read()
    })
    this.#gathering.set(key, reading)
    return reading
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
