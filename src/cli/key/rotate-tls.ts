// `annals key rotate tls`.

import { Command } from 'commander'
import { formatMicros } from '../../entry/time.ts'
import { AnnalsError, isAnnalsError } from '../../errors.ts'
import type { Certificate } from '../../federation/certificate.ts'
import { orderNext, type TlsPlace } from '../../federation/tls-identity.ts'
import { lockData } from '../../log/lock.ts'
import { systemClock } from '../../ops/clock.ts'
import { authorOf } from '../account/open.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { addKeyOptions, findNode } from './node.ts'

const more = `
Makes the next certificate and its key, and changes nothing yet: the running node announces it to its peers, and
switches once they hold it, so that no call fails. Without a running node that begins at its next start.

Examples:
  annals key rotate tls
  annals key rotate tls --data ./annals-engine-data`

/** Makes the command. */
export function keyRotateTlsCommand(surroundings: Surroundings): Command {
  const command = new Command('tls')
    .summary('replace the TLS certificate that a node shows its peers')
    .description(
      'Replaces the TLS certificate that a portal shows its engines, or an engine its portal. ' +
        'That of --tls-certificate-file is another one: replace it there.',
    )
    .addHelpText('after', more)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { tls } = await findNode(command, surroundings)
      const next = await orderAlone(tls, surroundings)
      if (json) printJson(surroundings, toJson(next))
      else print(surroundings, ...toLines(next))
    })
  return addKeyOptions(command)
}

// Two commands at once would both find no rotation under way. A lock that the kernel frees keeps them apart, beside
// the certificates: the data directory's own is held by the running node.
async function orderAlone(place: TlsPlace, surroundings: Surroundings): Promise<Certificate> {
  await place.disk.makeDirectory(place.directory)
  using _alone = lockOrders(place)
  const now = systemClock().wallMicros()
  return await orderNext({ ...place, now, ...authorOf(surroundings) })
}

function lockOrders({ directory }: TlsPlace): Disposable {
  try {
    return lockData(directory, 'annals key rotate tls')
  } catch (cause) {
    if (!isAnnalsError(cause, 'LOG_LOCKED')) throw cause
    throw new AnnalsError('ROTATION_UNDER_WAY', 'another command is ordering a rotation just now', { cause })
  }
}

function toJson({ hostName, fingerprint, notBefore, notAfter }: Certificate): object {
  return { hostName, fingerprint, validFrom: formatMicros(notBefore), validUntil: formatMicros(notAfter) }
}

function toLines({ hostName, fingerprint, notAfter }: Certificate): string[] {
  return [
    `The next TLS certificate of ${hostName} is made, valid until ${formatMicros(notAfter).slice(0, 10)}:`,
    `  ${fingerprint}`,
    'The running node announces it to its peers, and switches once they hold it; without a running node that begins',
    'at its next start. "annals key show" says whether the rotation is still under way.',
  ]
}
