import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics, type LogNumbers } from './metrics.ts'

const numbers: LogNumbers = {
  size: 3,
  bytes: 700,
  segments: 1,
  lastTime: 1_800_000_000_500_000,
  recording: 'refusing',
  waiting: 2,
  recheck: { ageMicros: 86_400_500_000, bytes: 4096, faults: ['one'] },
}

test('what is counted is shown', async () => {
  using metrics = createMetrics('1.2.3')
  metrics.watch(() => numbers)
  metrics.http.answered('/healthz', 200)
  metrics.http.answered('/healthz', 200)
  metrics.http.refused('UNAUTHENTICATED')
  metrics.http.sent(1024)
  metrics.http.bulk(1)
  metrics.http.broken('stalled')
  metrics.http.unrecorded()
  metrics.log.committed(5, 0.4)
  metrics.log.warned()
  const { contentType, text } = await metrics.http.render()
  assert.match(contentType, /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'annals_http_answers_total{route="/healthz",status="200"} 2',
    'annals_http_refusals_total{code="UNAUTHENTICATED"} 1',
    'annals_http_sent_bytes_total 1024',
    'annals_http_bulk_answers 1',
    'annals_http_broken_transfers_total{reason="stalled"} 1',
    'annals_http_broken_transfers_total{reason="gone"} 0',
    'annals_http_unrecorded_total 1',
    'annals_log_entries 3',
    'annals_log_bytes 700',
    'annals_log_waiting_entries 2',
    'annals_log_last_entry_timestamp_seconds 1800000000.5',
    'annals_log_recording{state="refusing"} 1',
    'annals_log_recording{state="accepting"} 0',
    'annals_log_recorded_entries_total 5',
    'annals_log_commit_seconds_bucket{le="0.0005"} 1',
    'annals_log_commit_seconds_bucket{le="0.00025"} 0',
    'annals_log_warnings_total 1',
    'annals_log_check_last_full_pass_seconds 86400.5',
    'annals_log_check_faults 1',
    'annals_log_check_read_bytes 4096',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`)
  }
  assert.match(text, /annals_build_info\{version="1\.2\.3",node="[\d.]+"\} 1/)
})

test('the numbers of followed files are shown as they are', async () => {
  using metrics = createMetrics('1')
  let behindBytes = 7
  metrics.watchFollowed(() => ({ files: 2, quietFiles: 3, unreadableFiles: 1, leftOutFiles: 4, behindBytes }))
  behindBytes = 8
  const { text } = await metrics.http.render()
  for (const line of ['files 5', 'behind_bytes 8', 'unreadable_files 1', 'left_out_files 4'])
    assert.match(text, new RegExp(`^annals_followed_${line}$`, 'm'))
})

test("the process's own numbers are plausible", async () => {
  using metrics = createMetrics('1.2.3')
  const { text } = await metrics.http.render()
  assert.ok(valueOf(text, 'process_resident_memory_bytes') > 10e6)
  assert.ok(valueOf(text, 'process_cpu_seconds_total') > 0)
  assert.ok(valueOf(text, 'process_open_fds') >= 3)
  assert.ok(Math.abs(valueOf(text, 'process_start_time_seconds') - Date.now() / 1000) < 3600)
  assert.ok(valueOf(text, 'annals_event_loop_busy_seconds_total') >= 0)
  const again = (await metrics.http.render()).text
  assert.ok(valueOf(again, 'process_cpu_seconds_total') < 2 * valueOf(text, 'process_cpu_seconds_total') + 1)
})

test('before the log is open its numbers say nothing wrong', async () => {
  using metrics = createMetrics('1.2.3')
  const { text } = await metrics.http.render()
  assert.ok(!text.includes('annals_log_recording{'))
})

test('every metric has a help text, a unit of its own where it has one, and bounded labels', () => {
  using metrics = createMetrics('1.2.3')
  for (const { name, type, help, labels } of metrics.list()) {
    assert.match(name, /^(?:annals|process)_[a-z_]+$/)
    assert.match(help, /^\S.*\.$/)
    assert.equal(type === 'counter', name.endsWith('_total'), name)
    for (const label of labels) assert.ok(bounded.includes(label))
  }
})

const bounded = [
  'via',
  'new',
  'route',
  'status',
  'code',
  'reason',
  'state',
  'version',
  'node',
  'engine',
  'limit',
  'verdict',
  'witness',
]

function valueOf(text: string, name: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1))
}
