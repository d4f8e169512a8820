// The whole route table on one screen. Every resource answers GET and HEAD, and nothing else (A5).

import type { RouteHandlerMethod } from 'fastify'
import type { Portal } from './portal.ts'
import { engineAuditLog } from './routes/engine-audit-log.ts'
import { enginesAuditLog } from './routes/engines-audit-log.ts'
import { healthz } from './routes/healthz.ts'
import { metrics } from './routes/metrics.ts'
import { portalAuditLog } from './routes/portal-audit-log.ts'
import { readyz } from './routes/readyz.ts'
import { version } from './routes/version.ts'

/** A resource: its path, in the router's syntax, and what answers it. */
export interface Route {
  readonly path: string
  readonly handler: (portal: Portal) => RouteHandlerMethod
}

/** Every resource of a portal. */
export const routes: readonly Route[] = [
  { path: '/audit-trail/api/v1/portal/type/auditlog', handler: portalAuditLog },
  { path: '/audit-trail/api/v1/engine/:host/type/auditlog', handler: engineAuditLog },
  { path: '/audit-trail/api/v1/engines/type/auditlog', handler: enginesAuditLog },
  { path: '/healthz', handler: healthz },
  { path: '/readyz', handler: readyz },
  { path: '/metrics', handler: metrics },
  { path: '/version', handler: version },
]

/** True where there is a resource at a request's path, so that another method is 405 and not 404 (E7). */
export function isResource(path: string): boolean {
  return patterns.test(decodePath(path))
}

const patterns = new RegExp(`^(?:${routes.map(({ path }) => path.replace(/:\w+/g, '[^/]*')).join('|')})$`)

function decodePath(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
