// An instance, as a gateway knows it.

/** An instance. */
export interface Instance {
  readonly name: string
  readonly region: string
  /** As its tokens say it. */
  readonly issuer: string
  /** Whom its tokens are for. */
  readonly audience: string
  /** Where its portal is reached: an origin. */
  readonly url: string
  /** PEM: the only authorities to trust there, instead of those that Node knows. */
  readonly ca: string | undefined
  /** The SHA-256 of its certificate, 64 hex digits in lower case: then nothing else of it counts. */
  readonly pin: string | undefined
}
