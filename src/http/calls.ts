// The calls that are being answered, so that closing can wait for the last of them: an answer whose
// connection is gone may still have its reader to close and an entry to write.

/** Counts calls under way. */
export class Calls {
  #underWay = 0
  #whenIdle: (() => void) | undefined

  /** A call begins. Whoever says so says in a `finally` that it ends. */
  begin(): void {
    this.#underWay += 1
  }

  /** A call ends. */
  end(): void {
    this.#underWay -= 1
    if (this.#underWay === 0) this.#whenIdle?.()
  }

  /** Resolves when no call is under way. New ones are not kept out: the server is closed by then. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
  }
}
