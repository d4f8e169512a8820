// A window of recorded time, as the Audit Trail API asks for it (contract W1 to W7).

import type { Micros } from './event.ts'

/** What was asked for. Neither: the whole log (W1). */
export interface Window {
  /** The end, not itself in the window (W2, W4). */
  readonly before?: Micros
  /** The length of the window, back from `before` or from now (W3). */
  readonly elapsed?: Micros
}
