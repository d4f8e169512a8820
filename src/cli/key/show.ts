// `annals key show`.

import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { openDatabase } from '../../database/database.ts'
import { formatMicros } from '../../entry/time.ts'
import type { Certificate } from '../../federation/certificate.ts'
import { readCertificates } from '../../federation/tls-identity.ts'
import { readWitnessKeys } from '../../federation/witness/witness-keys.ts'
import { type TokenKey, TokenKeys } from '../../identity/token-keys.ts'
import { keyOverlapMicros } from '../../limits.ts'
import { type LogDescription, noteKeysOf, originOf } from '../../log/description.ts'
import type { StoredRotation } from '../../log/stored-rotation.ts'
import { systemClock } from '../../ops/clock.ts'
import { realDisk } from '../../store/disk.ts'
import { formatVkey, type NoteKey } from '../../tree/note-key.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { addKeyOptions, findNode, type KeyedNode } from './node.ts'

/** What is shown. */
interface Shown {
  readonly description: LogDescription
  /** Empty at a node that has never been started. */
  readonly witness: readonly NoteKey[]
  readonly certificates: Awaited<ReturnType<typeof readCertificates>>
  /** Undefined at an engine, which signs no tokens. */
  readonly tokenKeys: readonly TokenKey[] | undefined
}

const more = `
Nothing that is shown is a secret. Times are in UTC, fingerprints are the SHA-256 of the certificate.

Examples:
  annals key show
  annals key show --data ./annals-engine-data
  annals key show --json | jq -r .keys[]`

/** Makes the command. */
export function keyShowCommand(surroundings: Surroundings): Command {
  const command = new Command('show')
    .summary('show the public keys of a node')
    .description(
      "Shows a log's name and public keys, those of the node's witness, the TLS certificates that the node shows its peers, and the keys that a " +
        'portal signs access tokens with.',
    )
    .addHelpText('after', more)
    .action(async ({ json = false }: { json?: boolean }) => {
      const node = await findNode(command, surroundings)
      const [certificates, tokenKeys] = [await readCertificates(node.tls), await readTokenKeys(node)]
      const witness = await readWitnessKeys(realDisk, node.witness, node.description.hostName)
      const shown = { description: node.description, witness, certificates, tokenKeys }
      if (json) printJson(surroundings, toJson(shown))
      else print(surroundings, ...toLines(shown))
    })
  return addKeyOptions(command)
}

async function readTokenKeys({ database: file, description }: KeyedNode): Promise<TokenKey[] | undefined> {
  if (!existsSync(file)) return undefined
  await using database = await openDatabase(file)
  return await new TokenKeys({ database, clock: systemClock(), hostName: description.hostName }).list()
}

function toJson({ description, witness, certificates: { current, next }, tokenKeys }: Shown): object {
  return {
    log: description.id,
    hostName: description.hostName,
    publicKey: publicKeyText(description),
    origin: originOf(description),
    keys: noteKeysOf(description).map(formatVkey),
    keyRotation: rotationJson(description),
    witnessKeys: witness.map(formatVkey),
    certificate: current === undefined ? null : certificateJson(current),
    nextCertificate:
      next === undefined
        ? null
        : {
            ...certificateJson(next),
            orderedBy: next.order.actor,
            orderedAt: formatMicros(next.order.at),
          },
    tokenKeys:
      tokenKeys?.map(({ kid, state, since }) => ({ kid, state, since: formatMicros(since) })) ?? null,
  }
}

function certificateJson({ fingerprint, notBefore, notAfter }: Certificate): object {
  return { fingerprint, validFrom: formatMicros(notBefore), validUntil: formatMicros(notAfter) }
}

function toLines({ description, witness, certificates: { current, next }, tokenKeys }: Shown): string[] {
  return [
    `log               ${description.id}`,
    `host name         ${description.hostName}`,
    `public key        ${publicKeyText(description)} (Ed25519)`,
    ...rotationLines(description),
    `TLS certificate   ${current === undefined ? 'none yet: the node makes it when it starts' : certificateText(current)}`,
    ...(next === undefined
      ? ['No rotation is under way.']
      : [
          `next certificate  ${certificateText(next)}`,
          `A rotation is under way, ordered by ${next.order.actor} on ${formatMicros(next.order.at)}.`,
        ]),
    ...(tokenKeys === undefined ? [] : tokenKeyLines(tokenKeys)),
    ...vkeyLines('what verifies its checkpoints', noteKeysOf(description)),
    ...vkeyLines("what verifies its witness's cosignatures", witness),
  ]
}

function rotationLines(description: LogDescription): string[] {
  const rotation = underWay(description)
  if (rotation === undefined) return []
  const { actor, ordered } = rotation
  return [`A rotation of the log's keys is under way, ordered by ${actor} on ${formatMicros(ordered)}.`]
}

function rotationJson(description: LogDescription): object | null {
  const rotation = underWay(description)
  if (rotation === undefined) return null
  const { actor, ordered, since } = rotation
  return {
    orderedBy: actor,
    orderedAt: formatMicros(ordered),
    oldKeysUntil: formatMicros(since + keyOverlapMicros),
  }
}

function underWay({ rotations }: LogDescription): StoredRotation | undefined {
  const last = rotations.at(-1)
  return last?.step === 'ended' ? undefined : last
}

// One a line, as they stand in a policy.
function vkeyLines(what: string, keys: readonly NoteKey[]): string[] {
  return keys.length === 0 ? [] : ['', `${what} (C2SP vkeys):`, ...keys.map(formatVkey)]
}

function tokenKeyLines(keys: readonly TokenKey[]): string[] {
  if (keys.length === 0) return ['token keys        none yet: they are made when the first is needed']
  return keys.map(
    ({ kid, state, since }) => `token key         ${kid}, ${state} since ${formatMicros(since).slice(0, 10)}`,
  )
}

function certificateText({ fingerprint, notAfter }: Certificate): string {
  return `${fingerprint}, valid until ${formatMicros(notAfter).slice(0, 10)}`
}

function publicKeyText({ publicKey }: LogDescription): string {
  return Buffer.from(publicKey).toString('base64')
}
