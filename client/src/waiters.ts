// Those who wait until something is so, looked at whenever something has moved. They keep the process alive, however long
// they wait: what is on disk alone does not.

import { timerMostMs } from './limits.ts'

interface Waiter {
  readonly isSo: () => boolean
  end(isSo: boolean): void
}

/** Some who wait. */
export class Waiters {
  #waiters: readonly Waiter[] = []

  /** Resolves with true once it is so, and with false when so much time has passed. Never rejects. */
  until(isSo: () => boolean, timeoutMs = Infinity): Promise<boolean> {
    if (isSo()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer =
        timeoutMs === Infinity
          ? setInterval(() => undefined, timerMostMs)
          : setTimeout(() => waiter.end(false), Math.min(Math.max(timeoutMs, 0), timerMostMs))
      const waiter: Waiter = {
        isSo,
        end: (isSo) => {
          clearTimeout(timer)
          this.#waiters = this.#waiters.filter((other) => other !== waiter)
          resolve(isSo)
        },
      }
      this.#waiters = [...this.#waiters, waiter]
    })
  }

  /** Looks whether it is so now. */
  look(): void {
    for (const waiter of this.#waiters) if (waiter.isSo()) waiter.end(true)
  }
}
