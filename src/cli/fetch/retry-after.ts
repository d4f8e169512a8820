// The Retry-After header (RFC 9110 section 10.2.3): seconds, or a date.

/** How long a server asks us to wait from now on. Undefined where it says nothing that can be read. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  if (!dateForm.test(text)) return undefined
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

// The form that senders must use; the two obsolete ones (RFC 850, asctime) no server has used for decades.
const dateForm = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/
