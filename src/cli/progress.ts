// A progress bar for long work, on a terminal only.

import type { Surroundings } from './surroundings.ts'

/** Shows how much of something is done. Dispose of it to clear its line. */
export interface Progress extends Disposable {
  /** `of` is undefined where nobody knows how much it will be. */
  show(done: number, of: number | undefined): void
}

const redrawMs = 100
const width = 30

/** A bar on standard error; one that shows nothing where that is no terminal. */
export function startProgress({ errors }: Surroundings, what: string): Progress {
  if (errors.isTTY !== true) return { show: () => undefined, [Symbol.dispose]: () => undefined }
  let drawn = 0
  let isShown = false
  return {
    show(done, of) {
      const now = performance.now()
      if (now - drawn < redrawMs && (of === undefined || done < of)) return
      drawn = now
      isShown = true
      errors.write(`\r${what} ${of === undefined ? `${done}` : bar(done, of)}`)
    },
    [Symbol.dispose]() {
      if (isShown) errors.write('\r\x1b[K')
      isShown = false
    },
  }
}

function bar(done: number, of: number): string {
  const share = of === 0 ? 1 : Math.min(1, done / of)
  const full = Math.round(share * width)
  return `[${'='.repeat(full)}${' '.repeat(width - full)}] ${Math.floor(share * 100)} %`
}
