// Shares one piece of work among all who ask for the same while it runs. Nothing is remembered afterwards.

/** Work under way, by key. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  /** Joins the work of that key, or starts it. All who joined get its result, or its error. */
  async share(key: string, work: () => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    return flight
  }

  #start(key: string, work: () => Promise<T>): Promise<T> {
    const flight = work().finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }
}
