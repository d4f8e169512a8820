// `annals key show`.

import { Command } from 'commander'
import { formatMicros } from '../../entry/time.ts'
import type { Certificate } from '../../federation/certificate.ts'
import { readCertificates } from '../../federation/tls-identity.ts'
import type { LogDescription } from '../../log/description.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { addKeyOptions, findNode } from './node.ts'

type Certificates = Awaited<ReturnType<typeof readCertificates>>

const more = `
Nothing that is shown is a secret. Times are in UTC, fingerprints are the SHA-256 of the certificate.

Examples:
  annals key show
  annals key show --data ./annals-engine-data
  annals key show --json | jq -r .publicKey`

/** Makes the command. */
export function keyShowCommand(surroundings: Surroundings): Command {
  const command = new Command('show')
    .summary('show the public keys of a node')
    .description("Shows a log's name and public key, and the TLS certificates that the node shows its peers.")
    .addHelpText('after', more)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { description, tls } = await findNode(command, surroundings)
      const certificates = await readCertificates(tls)
      if (json) printJson(surroundings, toJson(description, certificates))
      else print(surroundings, ...toLines(description, certificates))
    })
  return addKeyOptions(command)
}

function toJson(description: LogDescription, { current, next }: Certificates): object {
  return {
    log: description.id,
    hostName: description.hostName,
    publicKey: publicKeyText(description),
    certificate: current === undefined ? null : certificateJson(current),
    nextCertificate:
      next === undefined
        ? null
        : {
            ...certificateJson(next),
            orderedBy: next.order.actor,
            orderedAt: formatMicros(next.order.at),
          },
  }
}

function certificateJson({ fingerprint, notBefore, notAfter }: Certificate): object {
  return { fingerprint, validFrom: formatMicros(notBefore), validUntil: formatMicros(notAfter) }
}

function toLines(description: LogDescription, { current, next }: Certificates): string[] {
  return [
    `log               ${description.id}`,
    `host name         ${description.hostName}`,
    `public key        ${publicKeyText(description)} (Ed25519)`,
    `TLS certificate   ${current === undefined ? 'none yet: the node makes it when it starts' : certificateText(current)}`,
    ...(next === undefined
      ? ['No rotation is under way.']
      : [
          `next certificate  ${certificateText(next)}`,
          `A rotation is under way, ordered by ${next.order.actor} on ${formatMicros(next.order.at)}.`,
        ]),
  ]
}

function certificateText({ fingerprint, notAfter }: Certificate): string {
  return `${fingerprint}, valid until ${formatMicros(notAfter).slice(0, 10)}`
}

function publicKeyText({ publicKey }: LogDescription): string {
  return Buffer.from(publicKey).toString('base64')
}
