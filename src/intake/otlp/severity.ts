// How severe a log record is, in the words of RFC 5424: the table of OpenTelemetry's logs data model (appendix B), read
// from its side.

const bySeverityNumber: readonly (readonly [least: number, severity: number])[] = [
  [21, 0], // FATAL: emergency
  [19, 1], // ERROR3: alert
  [18, 2], // ERROR2: critical
  [17, 3], // ERROR: error
  [13, 4], // WARN: warning
  [10, 5], // INFO2: notice
  [9, 6], // INFO: informational
  [1, 7], // DEBUG and TRACE: debug
]

/** The severity of RFC 5424, 0 to 7; undefined where the record says none that there is. */
export function severityOf(severityNumber: number): number | undefined {
  if (severityNumber > 24) return undefined
  return bySeverityNumber.find(([least]) => severityNumber >= least)?.[1]
}
