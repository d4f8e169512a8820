// What the portal's routes work with, given to each as one argument.

import type { Position } from '../entry/event.ts'
import type { Engines } from '../federation/engines.ts'
import type { Enrolled } from '../federation/enrol.ts'
import type { Identity } from '../identity/identity.ts'
import type { OAuthRequest } from '../identity/oauth-form.ts'
import type { Manifests } from './manifests.ts'
import type { RecordingNode } from './recording.ts'
import type { WitnessingNode } from './witnessing.ts'

/** What `http/` asks of `identity/`. */
export type Authenticator = Pick<Identity, 'authenticate' | 'noteRefusedJoin'>

/**
 * The authorization server (`identity/authorization-server.ts`). Throws OAuthError, and AnnalsError where it is not the
 * client's doing.
 */
export interface Authorization {
  token(request: OAuthRequest, source: string): Promise<object>
  introspect(request: OAuthRequest, source: string): Promise<object>
  revoke(request: OAuthRequest, source: string): Promise<void>
  jwks(): Promise<object> | object
  metadata(): object
  resourceMetadata(): object
}

/** A portal, as its HTTP face sees it. */
export interface Portal extends RecordingNode, WitnessingNode {
  readonly identity: Authenticator
  readonly authorization: Authorization
  /** The IANA zone of times without an offset (W5). */
  readonly timeZone: string
  /** The connected engines. */
  readonly engines: Pick<Engines, 'find' | 'findLog' | 'fixAll' | 'fixSet'>
  /** What links begin with. */
  readonly publicUrl: () => string
  /** What the answers about all engines were made of (`manifests.ts`). */
  readonly manifests: Manifests
  /** The position in the portal's log of the last change of its registry; undefined where none was noted. */
  readonly registryPosition: () => Promise<Position | undefined>
  /** Lets an engine join that has a token (`federation/registry.ts`). */
  readonly enrol: (body: Buffer, mac: string) => Promise<Enrolled>
}
