// The token with which an engine joins: `<id>.<secret>`. The id travels; the secret never does. Both sides make the
// same key of it, and what they tell each other is authenticated with that key (`enrolment.ts`). The portal keeps the
// key, and forgets the secret.

import { createHash } from 'node:crypto'
import { AnnalsError } from '../errors.ts'

/** Gives that many random bytes. */
export type Random = (bytes: number) => Uint8Array

/** A token, as its engine has it. */
export interface JoinToken {
  /** Names it, and is no secret. */
  readonly id: string
  /** Authenticates the join: 32 bytes, a secret. */
  readonly key: Buffer
}

/** A token that was just made. */
export interface NewJoinToken extends JoinToken {
  /** The whole token, `<id>.<secret>`: what the engine is given, and what is kept nowhere. */
  readonly text: string
}

/** Makes a token with a secret of 256 bits. */
export function makeToken(random: Random): NewJoinToken {
  const id = Buffer.from(random(idBytes)).toString('hex')
  const secret = random(secretBytes)
  return { id, key: keyOf(secret), text: `${id}.${Buffer.from(secret).toString('base64url')}` }
}

/** Reads a token. Throws INVALID_INPUT, which does not repeat what was given: it may hold most of a secret. */
export function parseToken(text: string): JoinToken {
  const [, id, encoded] = form.exec(text) ?? []
  const secret = Buffer.from(encoded ?? '', 'base64url')
  // The last character has two bits too many: one secret has one text.
  if (id === undefined || secret.toString('base64url') !== encoded) {
    throw new AnnalsError(
      'INVALID_INPUT',
      'this is no token of "annals engines token": it has 16 hexadecimal digits, a dot, and 43 letters, digits, "-" or "_"',
    )
  }
  return { id, key: keyOf(secret) }
}

/** True for what can be the id of a token. */
export function isTokenId(text: string): boolean {
  return idForm.test(text)
}

/** The key that both sides make of a token's secret. */
export function keyOf(secret: Uint8Array): Buffer {
  return createHash('sha256').update('annals join v1\0').update(secret).digest()
}

const idBytes = 8
const secretBytes = 32
const idForm = /^[0-9a-f]{16}$/
const form = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/
