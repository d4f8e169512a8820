// Identity over a database of its own, with a clock that is told, events in memory, and hashing that is cheap.

import { RecorderDouble } from '../../database/testing/recorder-double.ts'
import { temporaryDatabase, type TemporaryDatabase } from '../../database/testing/temporary-database.ts'
import { Hasher } from '../hasher.ts'
import { openIdentity, type Identity, type IdentityParts } from '../identity.ts'
import type { HashParameters } from '../password.ts'
import { ClockDouble } from './clock-double.ts'

/** The least that argon2id can cost. */
export const cheap: HashParameters = { memory: 64, passes: 2, parallelism: 1 }

/** Who makes changes in tests. */
export const by = { actor: '*cli:root' }

/** A password that keeps the rules. */
export const password = 'Correct-Horse-7'

/** Counts what is verified, and with what. */
export class CountingHasher extends Hasher {
  /** The parameters of each stored password that one was compared with. */
  readonly verified: string[] = []
  /** What happens between a comparison and what is made of it. */
  afterVerify: () => Promise<unknown> = async () => {}

  override async verify(password: string, stored: string, isAtHome?: boolean): Promise<boolean> {
    this.verified.push(stored.split('$', 4).join('$'))
    const matches = await super.verify(password, stored, isAtHome)
    await this.afterVerify()
    return matches
  }
}

/** Engines by host name, each with a log of that name, and the logs whose engines were told of a change. */
export class EngineLogsDouble {
  readonly logs = new Map([['engine-01', 'engine-01-aaaaaaaaaaaaaaaa']])
  readonly told: string[] = []

  async logOf(name: string): Promise<string | undefined> {
    const log = this.logs.get(name)
    return log ?? [...this.logs.values()].find((id) => id === name)
  }

  async tell(log: string): Promise<void> {
    this.told.push(log)
  }
}

/** Identity, and all that it was given. */
export interface IdentityFixture extends AsyncDisposable {
  readonly database: TemporaryDatabase
  readonly recorder: RecorderDouble
  readonly clock: ClockDouble
  readonly hasher: CountingHasher
  readonly engines: EngineLogsDouble
  readonly identity: Identity
}

/** What tokens say of the instance. */
export const place = {
  issuer: 'https://portal.example.com/oauth2/default',
  audience: 'https://portal.example.com/audit-trail/api',
  instance: 'portal-01',
  region: 'eu',
} as const

/** Opens identity with an account `admin` and an account `reader`, which is a user. */
export async function identityFixture(
  options: Partial<IdentityParts['options']> = {},
): Promise<IdentityFixture> {
  const [clock, recorder, hasher] = [
    new ClockDouble(),
    new RecorderDouble(),
    new CountingHasher({ parameters: cheap }),
  ]
  const database = await temporaryDatabase()
  const engines = new EngineLogsDouble()
  const identity = openIdentity({
    database,
    clock,
    hasher,
    record: recorder.record,
    hostName: 'portal-01',
    schedule: clock.schedule,
    options: { lockout: { failures: 5, minutes: 15 }, basicEnabled: true, tokenSeconds: 900, ...options },
    place: () => place,
    others: { has: () => false, authenticate: () => Promise.reject(new Error('no other issuer')) },
    engines,
  })
  await identity.accounts.add({ name: 'admin', profile: 'main-administrator', password }, by)
  await identity.accounts.add({ name: 'reader', profile: 'user', password }, by)
  return {
    database,
    recorder,
    clock,
    hasher,
    engines,
    identity,
    async [Symbol.asyncDispose]() {
      await identity.close()
      await database[Symbol.asyncDispose]()
    },
  }
}

/** An Authorization header, as curl makes it. */
export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}
