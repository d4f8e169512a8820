// A bound on how many of something go on at once.

/** Counts what goes on. */
export class Slots {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Takes a slot, which the caller disposes of. Undefined where all are taken. */
  take(): Disposable | undefined {
    if (this.#taken >= this.#most) return undefined
    this.#taken += 1
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#taken -= 1
        isHeld = false
      },
    }
  }
}
