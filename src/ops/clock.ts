// The machine's two clocks in microseconds. The wall clock of JavaScript has only milliseconds; the monotonic one
// is finer. So the wall clock is read from the monotonic one, held to the millisecond that `Date.now()` says: it has
// more detail than that and never contradicts it, whatever anybody does to the clocks.

/** Where clocks come from; for tests. Both in milliseconds, `monotonicMs` with a fraction. */
export interface ClockSource {
  wallMs(): number
  monotonicMs(): number
}

/** The clocks that a log needs: microseconds since the epoch, and microseconds since any beginning. */
export interface SystemClock {
  wallMicros(): number
  monotonicMicros(): number
}

/** The clocks of this machine. */
export function systemClock(source: ClockSource = machineClocks): SystemClock {
  // The wall clock at the monotonic clock's zero, as well as it is known.
  let offsetMs = source.wallMs() - source.monotonicMs()
  return {
    wallMicros() {
      const monotonicMs = source.monotonicMs()
      const atLeastMs = source.wallMs()
      // The last microsecond that `Date.now()` still calls by this millisecond.
      const atMostMs = atLeastMs + 0.999
      const estimateMs = monotonicMs + offsetMs
      // Outside of the millisecond the estimate is wrong (the clock was stepped or is being slewed), and so is the
      // offset, by at least this much.
      const wallMs = Math.min(Math.max(estimateMs, atLeastMs), atMostMs)
      offsetMs += wallMs - estimateMs
      return atLeastMs * 1000 + Math.floor((wallMs - atLeastMs) * 1000)
    },
    monotonicMicros: () => Math.floor(source.monotonicMs() * 1000),
  }
}

const machineClocks: ClockSource = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }
