// What the process itself costs. The names are those that Prometheus recommends to every program; the library's own
// collection is not used, because `promtool check metrics` refuses what it gives.

import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from '@prometheus-io/client'

/** Adds the process's metrics to a registry. Dispose of the result to stop measuring. */
export function addProcessMetrics(registry: Registry): Disposable {
  const registers = [registry]
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  gauge(registers, 'process_resident_memory_bytes', 'Memory that the process has in RAM.', () =>
    process.memoryUsage.rss(),
  )
  gauge(registers, 'process_open_fds', 'File descriptors that are open.', openDescriptors)
  gauge(
    registers,
    'process_start_time_seconds',
    'When the process started, in seconds since the epoch.',
    () => performance.timeOrigin / 1000,
  )
  total(registers, 'process_cpu_seconds_total', 'CPU time used, by the program and for it.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  total(
    registers,
    'annals_event_loop_busy_seconds_total',
    'Time in which the event loop ran code instead of waiting.',
    () => performance.eventLoopUtilization().active / 1000,
  )
  gauge(
    registers,
    'annals_event_loop_delay_seconds',
    'How late the event loop was in 99 of 100 cases since this was last asked.',
    () => {
      const seconds = delay.percentile(99) / 1e9
      delay.reset()
      return seconds
    },
  )
  return { [Symbol.dispose]: () => void delay.disable() }
}

function gauge(registers: Registry[], name: string, help: string, value: () => number): void {
  void new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(value())
    },
  })
}

// A counter that somebody else counts.
function total(registers: Registry[], name: string, help: string, value: () => number): void {
  void new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset()
      this.inc(value())
    },
  })
}

function openDescriptors(): number {
  try {
    // One of them is the descriptor of this very directory.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return Number.NaN
  }
}
