// One request to record: NDJSON with some events, and what became of each. A token that the server no longer accepts is
// renewed once.

import { type Attempt, failedAttempt, readAttempt, staleAttempt, unmadeAttempt } from './attempt.ts'
import { type Authorization, Refused } from './authorization.ts'
import { AuditTrailError } from './errors.ts'
import { type Answer, type HttpClient, NeverConnected, StaleConnection } from './http-client.ts'
import { answerBytes } from './limits.ts'
import type { Settings } from './options.ts'

/** What posting needs. */
export interface PosterParts {
  readonly http: Pick<HttpClient, 'post'>
  readonly authorization: Authorization
  readonly settings: Pick<Settings, 'origin' | 'path'>
}

/** Posts events. Never throws. `beforeSent` is awaited before a byte goes out, and none does where it throws. */
export type Post = (
  events: readonly { readonly line: string }[],
  beforeSent?: () => Promise<void>,
) => Promise<Attempt>

/** Makes a way to post. */
export function poster(parts: PosterParts): Post {
  return async (events, beforeSent) => {
    try {
      const body = `${events.map(({ line }) => line).join('\n')}\n`
      const answer = await send(parts, body, beforeSent)
      const isToRenew = answer.status === 401 && parts.authorization.renew()
      return readAttempt(isToRenew ? await send(parts, body, beforeSent) : answer, events.length)
    } catch (cause) {
      if (cause instanceof Refused) return unmadeAttempt(cause, cause.mayPass, cause.retryAfterMs)
      if (cause instanceof NeverConnected) return unmadeAttempt(cause, true)
      if (cause instanceof StaleConnection) return staleAttempt(cause)
      if (cause instanceof AuditTrailError) return failedAttempt(cause)
      return failedAttempt(new AuditTrailError('UNREACHABLE', 'the request failed', { cause }))
    }
  }
}

async function send(
  { http, authorization, settings }: PosterParts,
  body: string,
  beforeSent: (() => Promise<void>) | undefined,
): Promise<Answer> {
  const proof = await authorization.header()
  return await http.post({
    url: settings.origin,
    path: settings.path,
    headers: {
      'Content-Type': 'application/x-ndjson',
      Accept: 'application/x-ndjson, application/json',
      ...(proof === undefined ? {} : { Authorization: proof }),
    },
    body,
    mostBytes: answerBytes,
    beforeSent,
  })
}
