// The numbers of a node, in the form of Prometheus. Labels are few and bounded: routes, statuses, codes and the connected
// engines, never an account, an address or a path.

import { Counter, Gauge, Histogram, type MetricType, Registry } from '@prometheus-io/client'
import type { ErrorCode } from '../errors.ts'
import { addProcessMetrics } from './process-metrics.ts'

/** A log's numbers, as its status has them. */
export interface LogNumbers {
  readonly size: number
  readonly bytes: number
  readonly segments: number
  /** Microseconds since the epoch. */
  readonly lastTime: number | undefined
  readonly recording: (typeof recordingStates)[number]
  readonly waiting: number
  /** What the background check knows; undefined where there is none. */
  readonly recheck?: {
    /** How long ago its last pass ended; before the first, since when it runs. */
    readonly ageMicros: number
    readonly bytes: number
    readonly faults: readonly unknown[]
  }
}

/** What is known of a connected engine. */
export interface EngineNumbers {
  readonly hostName: string
  readonly isReachable: boolean
  readonly clockOffsetMicros: number | undefined
  /** Microseconds since the epoch. */
  readonly certificateExpiresAt: number
}

/** How far a witness of the log is behind. */
export interface WitnessNumbers {
  readonly name: string
  readonly entries: number
  readonly seconds: number
}

/** What is known of followed files. */
export interface FollowedNumbers {
  readonly files: number
  /** Such as are at rest, in addition. */
  readonly quietFiles: number
  readonly unreadableFiles: number
  readonly leftOutFiles: number
  readonly behindBytes: number
}

/** Where a node counts. No method throws, and each is cheap enough for a hot path. */
export interface Metrics extends Disposable {
  readonly http: {
    answered(route: string, status: number): void
    refused(code: ErrorCode): void
    sent(bytes: number): void
    bulk(change: 1 | -1): void
    broken(reason: (typeof breakReasons)[number]): void
    unrecorded(): void
    render(): Promise<{ readonly contentType: string; readonly text: string }>
  }
  readonly log: {
    committed(entries: number, diskMs: number): void
    /** Something that the log could go on without. */
    warned(): void
  }
  /** Events that came from outside. */
  readonly intake: {
    /** Such as are durable: new, or recorded before. */
    recorded(via: (typeof outerVias)[number], isNew: boolean, count: number): void
    /** Such as are not recorded. */
    lost(via: (typeof outerVias)[number], reason: string, count: number): void
    /** A connection of a syslog sender that is refused. */
    turnedAway(reason: string): void
  }
  /** An attempt to prove who one is was refused, because there were too many. */
  limited(limit: (typeof limitNames)[number]): void
  /** A portal's engines. */
  readonly engines: {
    failed(reason: string): void
    resumed(): void
  }
  /** The node's witness. */
  readonly witness: {
    asked(verdict: string): void
  }
  /** What it holds against logs, once it is open. */
  watchWitness(evidence: () => number): void
  /** The log's own witnesses. */
  readonly exchange: {
    cosigned(): void
    failed(reason: string): void
  }
  /** How far each of them is behind. */
  watchWitnesses(lags: () => readonly WitnessNumbers[]): void
  /** The followed files, where there are some. */
  watchFollowed(numbers: () => FollowedNumbers): void
  /** The log, once it is open. */
  watch(numbers: () => LogNumbers): void
  /** A portal's engines, once there is a registry of them. */
  watchEngines(numbers: () => readonly EngineNumbers[]): void
  /** What there is, for the reference. */
  list(): readonly MetricDescription[]
}

/** A metric, as its reference describes it. */
export interface MetricDescription {
  readonly name: string
  readonly type: MetricType
  readonly labels: readonly string[]
  readonly help: string
}

const recordingStates = ['accepting', 'refusing', 'read-only', 'failed', 'closed'] as const
const outerVias = ['http', 'syslog', 'file', 'otlp'] as const
const limitNames = ['network', 'name', 'client', 'token'] as const
const breakReasons = ['gone', 'stalled', 'engine', 'instance', 'failed'] as const

/** Makes a node's metrics. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry()
  const process = addProcessMetrics(registry)
  addBuild(registry, version)
  const log = addLogMetrics(registry)
  const engines = addEngineMetrics(registry)
  const witness = addWitnessMetrics(registry)
  const exchange = addExchangeMetrics(registry)
  return {
    http: { ...addHttpMetrics(registry), render: () => render(registry) },
    log: log.counters,
    intake: addIntakeMetrics(registry),
    watchFollowed: addFollowedMetrics(registry),
    limited: addLimitMetric(registry),
    watch: log.watch,
    engines: engines.counters,
    watchEngines: engines.watch,
    witness: witness.counters,
    watchWitness: witness.watch,
    exchange: exchange.counters,
    watchWitnesses: exchange.watch,
    list: () => registry.getMetricsAsArray().map((metric) => describe(metric)),
    [Symbol.dispose]: () => process[Symbol.dispose](),
  }
}

async function render(registry: Registry): Promise<{ contentType: string; text: string }> {
  return { contentType: registry.contentType, text: await registry.metrics() }
}

function addBuild(registry: Registry, version: string): void {
  new Gauge({
    name: 'annals_build_info',
    help: 'Always 1; the labels say which Annals this is, on which Node.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.versions.node }, 1)
}

function addHttpMetrics(registry: Registry): Omit<Metrics['http'], 'render'> {
  const registers = [registry]
  const answers = new Counter({
    name: 'annals_http_answers_total',
    help: 'Answers whose head was sent, by route and status.',
    labelNames: ['route', 'status'],
    registers,
  })
  const refusals = new Counter({
    name: 'annals_http_refusals_total',
    help: 'Requests that were refused, by code.',
    labelNames: ['code'],
    registers,
  })
  const bytes = new Counter({
    name: 'annals_http_sent_bytes_total',
    help: "Bytes of answers' bodies that were given to the network, compressed where they were.",
    registers,
  })
  const bulk = new Gauge({
    name: 'annals_http_bulk_answers',
    help: 'Large answers that are on their way.',
    registers,
  })
  const broken = new Counter({
    name: 'annals_http_broken_transfers_total',
    help: 'Answers that broke off: the client was gone, stalled, an engine or an instance did not go on, or we failed.',
    labelNames: ['reason'],
    registers,
  })
  const unrecorded = new Counter({
    name: 'annals_http_unrecorded_total',
    help: 'Refusals and broken transfers that could not be recorded in the audit log.',
    registers,
  })
  for (const reason of breakReasons) broken.inc({ reason }, 0)
  return {
    answered: (route, status) => answers.inc({ route, status }),
    refused: (code) => refusals.inc({ code }),
    sent: (count) => bytes.inc(count),
    bulk: (change) => bulk.inc(change),
    broken: (reason) => broken.inc({ reason }),
    unrecorded: () => unrecorded.inc(),
  }
}

function addLimitMetric(registry: Registry): Metrics['limited'] {
  const limited = new Counter({
    name: 'annals_rate_limited_total',
    help: 'Attempts to prove who one is that were refused, because there were too many, by limit.',
    labelNames: ['limit'],
    registers: [registry],
  })
  for (const limit of limitNames) limited.inc({ limit }, 0)
  return (limit) => limited.inc({ limit })
}

function addLogMetrics(registry: Registry): { counters: Metrics['log']; watch: Metrics['watch'] } {
  const registers = [registry]
  let numbers: (() => LogNumbers) | undefined
  const shown = (name: string, help: string, value: (status: LogNumbers) => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const current = numbers === undefined ? undefined : value(numbers())
        if (current !== undefined) this.set(current)
      },
    })
  shown('annals_log_entries', 'Entries in the audit log.', ({ size }) => size)
  shown('annals_log_bytes', 'Bytes in the audit log.', ({ bytes }) => bytes)
  shown('annals_log_segments', 'Segments of the audit log.', ({ segments }) => segments)
  shown('annals_log_waiting_entries', 'Entries that wait for a commit.', ({ waiting }) => waiting)
  shown('annals_log_last_entry_timestamp_seconds', 'Recorded time of the last entry.', ({ lastTime }) =>
    lastTime === undefined ? undefined : lastTime / 1e6,
  )
  shown(
    'annals_log_check_last_full_pass_seconds',
    'How long ago the background check last ended a pass over all that is sealed; before the first pass, since when it runs.',
    ({ recheck }) => recheck && recheck.ageMicros / 1e6,
  )
  shown(
    'annals_log_check_faults',
    'Places of the audit log that the background check found damaged, and that still are.',
    ({ recheck }) => recheck?.faults.length,
  )
  shown(
    'annals_log_check_read_bytes',
    'Bytes that the background check has read again since the node started.',
    ({ recheck }) => recheck?.bytes,
  )
  void new Gauge({
    name: 'annals_log_recording',
    help: '1 for the state that recording is in: accepting, refusing (no disk space), read-only (rolled back), failed or closed.',
    labelNames: ['state'],
    registers,
    collect() {
      if (numbers === undefined) return
      const { recording } = numbers()
      for (const state of recordingStates) this.set({ state }, state === recording ? 1 : 0)
    },
  })
  return { counters: addLogCounters(registers), watch: (source) => void (numbers = source) }
}

function addLogCounters(registers: Registry[]): Metrics['log'] {
  const recorded = new Counter({
    name: 'annals_log_recorded_entries_total',
    help: 'Entries that this process made durable.',
    registers,
  })
  const commits = new Histogram({
    name: 'annals_log_commit_seconds',
    help: 'How long the disk took over one commit, from the write to the end of fdatasync.',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const warnings = new Counter({
    name: 'annals_log_warnings_total',
    help: "Faults that the audit log could go on without; the operator's log says which.",
    registers,
  })
  return {
    committed(entries, diskMs) {
      recorded.inc(entries)
      commits.observe(diskMs / 1000)
    },
    warned: () => warnings.inc(),
  }
}

function addIntakeMetrics(registry: Registry): Metrics['intake'] {
  const registers = [registry]
  const recorded = new Counter({
    name: 'annals_intake_recorded_total',
    help: 'Events from outside that are durable, by how they came, and whether they were new or had been recorded before.',
    labelNames: ['via', 'new'],
    registers,
  })
  const lost = new Counter({
    name: 'annals_intake_lost_total',
    help: 'Events from outside that were refused or dropped, by how they came and why.',
    labelNames: ['via', 'reason'],
    registers,
  })
  const turnedAway = new Counter({
    name: 'annals_syslog_refused_connections_total',
    help: 'Connections of syslog senders that were refused, by why.',
    labelNames: ['reason'],
    registers,
  })
  // Looked up once, not for each event.
  const known = new Map(
    outerVias.map((via) => [
      via,
      [recorded.labels({ via, new: 'false' }), recorded.labels({ via, new: 'true' })] as const,
    ]),
  )
  return {
    recorded: (via, isNew, count) => known.get(via)?.[isNew ? 1 : 0].inc(count),
    lost: (via, reason, count) => lost.inc({ via, reason }, count),
    turnedAway: (reason) => turnedAway.inc({ reason }),
  }
}

function addFollowedMetrics(registry: Registry): Metrics['watchFollowed'] {
  let numbers: (() => FollowedNumbers) | undefined
  const shown = (name: string, help: string, value: (followed: FollowedNumbers) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        if (numbers !== undefined) this.set(value(numbers()))
      },
    })
  shown(
    'annals_followed_files',
    'Followed files, with those at rest.',
    ({ files, quietFiles }) => files + quietFiles,
  )
  shown(
    'annals_followed_behind_bytes',
    'Bytes of followed files that are not recorded yet, as far as is known.',
    ({ behindBytes }) => behindBytes,
  )
  shown(
    'annals_followed_unreadable_files',
    'Followed files that cannot be read at the moment, or not be looked at.',
    ({ unreadableFiles }) => unreadableFiles,
  )
  shown(
    'annals_followed_left_out_files',
    'Files that are to be followed and are left out, because there are too many.',
    ({ leftOutFiles }) => leftOutFiles,
  )
  return (source) => void (numbers = source)
}

function addEngineMetrics(registry: Registry): {
  counters: Metrics['engines']
  watch: Metrics['watchEngines']
} {
  const registers = [registry]
  const failures = new Counter({
    name: 'annals_engine_failures_total',
    help: 'Calls to engines, and transfers from them, that failed, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const resumes = new Counter({
    name: 'annals_engine_resumes_total',
    help: 'Transfers that an engine broke off and that went on from the byte where they had stopped.',
    registers,
  })
  let numbers: (() => readonly EngineNumbers[]) | undefined
  const shown = (name: string, help: string, value: (engine: EngineNumbers) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ['engine'],
      registers,
      collect() {
        // An engine that is gone leaves no number behind.
        this.reset()
        for (const engine of numbers?.() ?? []) {
          const current = value(engine)
          if (current !== undefined) this.set({ engine: engine.hostName }, current)
        }
      },
    })
  shown('annals_engine_up', '1 where the connected engine answered last time, else 0.', ({ isReachable }) =>
    isReachable ? 1 : 0,
  )
  shown(
    'annals_engine_clock_offset_seconds',
    "The engine's clock minus the portal's.",
    ({ clockOffsetMicros }) => (clockOffsetMicros === undefined ? undefined : clockOffsetMicros / 1e6),
  )
  shown(
    'annals_engine_certificate_expiry_timestamp_seconds',
    "When the engine's TLS certificate expires.",
    ({ certificateExpiresAt }) => certificateExpiresAt / 1e6,
  )
  return {
    counters: { failed: (reason) => failures.inc({ reason }), resumed: () => resumes.inc() },
    watch: (source) => void (numbers = source),
  }
}

function addWitnessMetrics(registry: Registry): {
  counters: Metrics['witness']
  watch: Metrics['watchWitness']
} {
  const registers = [registry]
  const asked = new Counter({
    name: 'annals_witness_requests_total',
    help: 'Requests to cosign the checkpoint of a log, by what became of them.',
    labelNames: ['verdict'],
    registers,
  })
  let evidence: (() => number) | undefined
  void new Gauge({
    name: 'annals_witness_contradictions',
    help: 'Logs that contradicted what this witness saw of them, as kept in witness/evidence.',
    registers,
    collect() {
      this.set(evidence?.() ?? 0)
    },
  })
  return {
    counters: { asked: (verdict) => asked.inc({ verdict }) },
    watch: (source) => void (evidence = source),
  }
}

function addExchangeMetrics(registry: Registry): {
  counters: Metrics['exchange']
  watch: Metrics['watchWitnesses']
} {
  const registers = [registry]
  const cosigned = new Counter({
    name: 'annals_log_cosignatures_total',
    help: "Cosignatures of the log's checkpoints that witnesses gave.",
    registers,
  })
  const failures = new Counter({
    name: 'annals_log_witness_failures_total',
    help: "Times that a witness did not cosign the log's checkpoint, by reason.",
    labelNames: ['reason'],
    registers,
  })
  let numbers: (() => readonly WitnessNumbers[]) | undefined
  const shown = (name: string, help: string, value: (witness: WitnessNumbers) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['witness'],
      registers,
      collect() {
        this.reset()
        for (const witness of numbers?.() ?? []) this.set({ witness: witness.name }, value(witness))
      },
    })
  shown(
    'annals_log_witness_behind_entries',
    'Entries of the log that the witness has not cosigned a checkpoint of.',
    ({ entries }) => entries,
  )
  shown(
    'annals_log_witness_behind_seconds',
    'For how long there has been an entry that the witness has not cosigned a checkpoint of.',
    ({ seconds }) => seconds,
  )
  return {
    counters: { cosigned: () => cosigned.inc(), failed: (reason) => failures.inc({ reason }) },
    watch: (source) => void (numbers = source),
  }
}

// The library keeps a metric's labels, and its types do not say so.
function describe(metric: { name: string; help: string; type: MetricType }): MetricDescription {
  const { labelNames = [] } = metric as { labelNames?: readonly string[] }
  return { name: metric.name, type: metric.type, labels: labelNames, help: metric.help }
}
