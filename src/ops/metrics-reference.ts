// The reference of the metrics, made from the metrics themselves.

import { createMetrics } from './metrics.ts'

/** The Markdown of `docs/reference/metrics.md`. */
export function metricsReference(): string {
  using metrics = createMetrics('')
  const rows = metrics
    .list()
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, labels, help }) => {
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
    })
  return [head, ...rows, ''].join('\n')
}

const head = `# Metrics

\`GET /metrics\` answers in the text format of Prometheus. It needs no credentials and is not recorded; it names no account,
no address and no path of a request.

| name | type | labels | what it is |
|---|---|---|---|`
