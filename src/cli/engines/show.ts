// `annals engines show ENGINE`.

import { Command } from 'commander'
import type { Micros } from '../../entry/event.ts'
import { formatMicros } from '../../entry/time.ts'
import type { Certificate } from '../../federation/certificate.ts'
import { type Engine, shownState } from '../../federation/engine.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { orNull, sinceOf, summaryOf } from './list.ts'
import { addEnginesOptions, isJson, openRegistry } from './open.ts'

const more = `
The engine is named by its host name, long or short, in any case. Nothing that is shown is a secret. Times are in UTC,
fingerprints are the SHA-256 of the certificate.

Examples:
  annals engines show engine-01
  annals engines show engine-01 --json | jq -r .logKey`

/** Makes the command. */
export function enginesShowCommand(surroundings: Surroundings): Command {
  const command = new Command('show')
    .summary('show all that is known of an engine')
    .description('Shows all that the portal knows of an engine.')
    .argument('<ENGINE>', 'its host name')
    .addHelpText('after', more)
    .action(async (name: string) => {
      await using open = await openRegistry(command, surroundings)
      const engine = await open.registry.findAny(name)
      if (isJson(command)) printJson(surroundings, toJson(engine))
      else print(surroundings, ...toLines(engine))
    })
  return addEnginesOptions(command)
}

function toJson(engine: Engine): object {
  const { joinedAt, logKey, described, certificate, nextCertificate } = engine
  return {
    ...summaryOf(engine),
    joinedAt: formatMicros(joinedAt),
    logKey,
    logBytes: described?.logBytes ?? null,
    lastEntryAt: orNull(described?.lastEntryAt),
    clockOffsetMs: described === undefined ? null : described.clockOffsetMicros / 1000,
    certificate: certificateJson(certificate),
    nextCertificate: nextCertificate === undefined ? null : certificateJson(nextCertificate),
    portalCertificate: engine.portalCertificate,
    nextPortalCertificate: engine.nextPortalCertificate ?? null,
  }
}

function certificateJson({ fingerprint, notBefore, notAfter }: Certificate): object {
  return { fingerprint, validFrom: formatMicros(notBefore), validUntil: formatMicros(notAfter) }
}

function toLines(engine: Engine): string[] {
  const { unreachable, lastContact, described, nextCertificate, nextPortalCertificate } = engine
  return table(
    ['engine', engine.hostName],
    [
      ['state', `${shownState(engine)} since ${second(sinceOf(engine))}`],
      ...(unreachable === undefined ? [] : [['because', unreachable.reason]]),
      ['joined', second(engine.joinedAt)],
      ['last contact', lastContact === undefined ? 'never' : second(lastContact)],
      ['address', engine.address],
      ['log', engine.log],
      ['log public key', `${engine.logKey} (Ed25519)`],
      ...(described === undefined ? [] : describedRows(described)),
      ['TLS certificate', certificateText(engine.certificate)],
      ...(nextCertificate === undefined ? [] : [['its next one', certificateText(nextCertificate)]]),
      ['holds of the portal', engine.portalCertificate],
      ...(nextPortalCertificate === undefined ? [] : [['and its next one', nextPortalCertificate]]),
    ],
  )
}

function describedRows(described: NonNullable<Engine['described']>): string[][] {
  const { logSize, logBytes, lastEntryAt, version, clockOffsetMicros } = described
  return [
    ['entries', `${logSize}, in ${logBytes} bytes`],
    ['last entry', lastEntryAt === undefined ? 'none' : second(lastEntryAt)],
    ['version', version],
    ['clock', `${clockText(clockOffsetMicros)} the portal's`],
  ]
}

function clockText(offsetMicros: number): string {
  return `${Math.abs(offsetMicros) / 1000} ms ${offsetMicros < 0 ? 'behind' : 'ahead of'}`
}

function certificateText({ fingerprint, notAfter }: Certificate): string {
  return `${fingerprint}, valid until ${formatMicros(notAfter).slice(0, 10)}`
}

function second(time: Micros): string {
  return formatMicros(time).slice(0, 19).replace('T', ' ')
}
