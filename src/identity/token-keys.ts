// The keys that access tokens are signed with: RSA, 2,048 bits, one that is used (`current`), and one that will be
// (`next`) and is published already, so that whoever keeps the key set for a while knows it when its time comes. A key
// that is retired verifies until the last token that it signed has expired; its private half is deleted at once.
//
// They are in the database, so that a command can replace them beside a running server, and are read at each use. The
// first are made at the first use.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import type { Database, Transaction } from '../database/database.ts'
import { enqueue } from '../database/outbox.ts'
import type { Micros } from '../entry/event.ts'
import { accessTokenMostSeconds, tokenKeyBits } from '../limits.ts'
import type { Author } from './account-events.ts'
import type { Clock } from './clock.ts'
import { SingleFlight } from './single-flight.ts'
import { tokenKeyReplaced } from './token-events.ts'

/** What keys need. */
export interface TokenKeysParts {
  readonly database: Database
  readonly clock: Clock
  readonly hostName: string
}

/** A key, as it is listed. */
export interface TokenKey {
  /** The thumbprint of its public half (RFC 7638). */
  readonly kid: string
  readonly state: 'next' | 'current' | 'retired'
  /** Since when it is that. */
  readonly since: Micros
}

/** Why keys are replaced. Where one was stolen, all are, and every token that was signed so far ends. */
export type RotationReason = 'command' | 'age' | 'stolen'

/** What came of it. */
export interface KeyRotation {
  /** The key that signs from now on. */
  readonly kid: string
  readonly eventIds: readonly string[]
}

/** What tokens are signed with. */
export interface Signer {
  readonly kid: string
  readonly key: KeyObject
}

interface MadeKey {
  readonly kid: string
  readonly publicJwk: string
  readonly privateKey: string
}

/** The keys of one instance. */
export class TokenKeys {
  readonly #parts: TokenKeysParts
  readonly #making = new SingleFlight<void>()
  /** Parsed once: it takes longer than all the rest. */
  readonly #verifiers = new Map<string, KeyObject>()
  #signer: Signer | undefined

  constructor(parts: TokenKeysParts) {
    this.#parts = parts
  }

  /** The key that signs now. */
  async signer(): Promise<Signer> {
    const row = (await this.#current()) ?? (await this.#ensure(), await this.#current())
    if (row === undefined || row.private_key === null) throw new TypeError('there is no key to sign with')
    if (this.#signer?.kid !== row.kid) this.#signer = { kid: row.kid, key: createPrivateKey(row.private_key) }
    return this.#signer
  }

  /** The public half of a key whose tokens may still be good; undefined where there is no such key. */
  async verifier(kid: string): Promise<KeyObject | undefined> {
    const { read } = this.#parts.database
    const row = await read
      .selectFrom('token_key')
      .select('public_jwk')
      .where('kid', '=', kid)
      .executeTakeFirst()
    if (row === undefined) {
      this.#verifiers.delete(kid)
      return undefined
    }
    const known = this.#verifiers.get(kid)
    if (known !== undefined) return known
    const key = createPublicKey({ key: JSON.parse(row.public_jwk) as JWK, format: 'jwk' })
    this.#verifiers.set(kid, key)
    return key
  }

  /** The key set (RFC 7517): every public half that may verify a token, or soon will. */
  async jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    await this.signer()
    const rows = await this.#parts.database.read
      .selectFrom('token_key')
      .select('public_jwk')
      .where((where) =>
        where.or([
          where('state', '!=', 'retired'),
          where('state_at', '>', this.#parts.clock.wallMicros() - keptMicros),
        ]),
      )
      .orderBy('created_at')
      .execute()
    return { keys: rows.map(({ public_jwk }) => JSON.parse(public_jwk) as JWK) }
  }

  /** All of them: the next one, the current one, and those that are retired, the latest first. */
  async list(): Promise<TokenKey[]> {
    const rows = await this.#parts.database.read
      .selectFrom('token_key')
      .select(['kid', 'state', 'state_at as since'])
      .orderBy('state_at', 'desc')
      .execute()
    const order: readonly TokenKey['state'][] = ['next', 'current', 'retired']
    return order.flatMap((state) => rows.filter((row) => row.state === state))
  }

  /** Replaces the key that signs. */
  async rotate(by: Author, reason: RotationReason): Promise<KeyRotation> {
    await this.#ensure()
    const made = reason === 'stolen' ? [await makeKey(), await makeKey()] : [await makeKey()]
    return this.#transact(async (transaction) => {
      const now = this.#parts.clock.wallMicros()
      const kid =
        reason === 'stolen' ? await replaceAll(transaction, made, now) : await step(transaction, made, now)
      await forgetRetired(transaction, now)
      const event = tokenKeyReplaced(this.#parts.hostName, by, kid, reason)
      return { kid, eventIds: [await enqueue(transaction, { ...event, occurred: now })] }
    })
  }

  /** Replaces it where it has signed for so long. Returns whether it did. */
  async rotateWhenOlderThan(ageMicros: Micros): Promise<boolean> {
    const row = await this.#current()
    if (row === undefined || this.#parts.clock.wallMicros() - row.state_at < ageMicros) return false
    await this.rotate({ actor: '*system' }, 'age')
    return true
  }

  // Sound beside other processes: whoever comes second finds keys, and leaves them.
  async #ensure(): Promise<void> {
    await this.#making.share('', async () => {
      if ((await this.#current()) !== undefined) return
      const [current, next] = await Promise.all([makeKey(), makeKey()])
      await this.#transact(async (transaction) => {
        const there = await transaction.selectFrom('token_key').select('kid').limit(1).executeTakeFirst()
        if (there !== undefined) return
        const now = this.#parts.clock.wallMicros()
        await insert(transaction, current, 'current', now)
        await insert(transaction, next, 'next', now)
      })
    })
  }

  async #current() {
    return this.#parts.database.read
      .selectFrom('token_key')
      .select(['kid', 'private_key', 'state_at'])
      .where('state', '=', 'current')
      .executeTakeFirst()
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#parts.database.write.transaction().execute(work)
  }
}

const keptMicros = accessTokenMostSeconds * 1_000_000
const generate = promisify(generateKeyPair)

async function makeKey(): Promise<MadeKey> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: tokenKeyBits })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    kid,
    publicJwk: JSON.stringify({ ...jwk, kid, alg: 'RS256', use: 'sig' }),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

async function insert(
  transaction: Transaction,
  { kid, publicJwk, privateKey }: MadeKey,
  state: TokenKey['state'],
  now: Micros,
): Promise<void> {
  const values = {
    kid,
    state,
    public_jwk: publicJwk,
    private_key: privateKey,
    created_at: now,
    state_at: now,
  }
  await transaction.insertInto('token_key').values(values).execute()
}

// current → retired, next → current, and a new next. Returns the key that is current then.
async function step(transaction: Transaction, made: readonly MadeKey[], now: Micros): Promise<string> {
  await transaction
    .updateTable('token_key')
    .set({ state: 'retired', state_at: now, private_key: null })
    .where('state', '=', 'current')
    .execute()
  const { kid } = await transaction
    .updateTable('token_key')
    .set({ state: 'current', state_at: now })
    .where('state', '=', 'next')
    .returning('kid')
    .executeTakeFirstOrThrow()
  for (const key of made) await insert(transaction, key, 'next', now)
  return kid
}

async function replaceAll(transaction: Transaction, made: readonly MadeKey[], now: Micros): Promise<string> {
  await transaction.deleteFrom('token_key').execute()
  const [current, next] = made
  if (current === undefined || next === undefined) throw new TypeError('two keys are needed')
  await insert(transaction, current, 'current', now)
  await insert(transaction, next, 'next', now)
  return current.kid
}

async function forgetRetired(transaction: Transaction, now: Micros): Promise<void> {
  await transaction
    .deleteFrom('token_key')
    .where('state', '=', 'retired')
    .where('state_at', '<', now - keptMicros)
    .execute()
}
