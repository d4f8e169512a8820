// One entry with its proof: a receipt, or a line and the proof of it.

import { formatMicros } from '../../entry/time.ts'
import { AnnalsError } from '../../errors.ts'
import { entryBytes } from '../../limits.ts'
import { checkEntryProof } from '../../verify/entry-proof.ts'
import { signaturesOf } from '../../verify/signatures.ts'
import type { Surroundings } from '../surroundings.ts'
import { checkpointRow, rootText, tellProved } from './account.ts'
import { readPieces } from './files.ts'
import type { VerifyFlags } from './flags.ts'
import { readTrust } from './trust.ts'

/** Verifies a receipt, or the one line in `file` against its proof. Throws `NotProved`, and INVALID_INPUT. */
export async function verifyEntry(
  surroundings: Surroundings,
  proof: string,
  flags: VerifyFlags,
  file?: string,
): Promise<void> {
  const trust = await readTrust(surroundings, flags)
  const given = file === undefined ? undefined : await readLine(surroundings, file)
  const { checkpoint, log, position, entry, line } = checkEntryProof(proof, given)
  const { origin, size } = checkpoint
  tellProved(
    surroundings,
    flags.json === true,
    {
      rows: [
        ['log', log],
        ['position', `${position}, recorded at ${formatMicros(entry.time)}`],
        ['entry', line.toString()],
        checkpointRow(checkpoint),
      ],
      json: {
        form: 'entry',
        log,
        origin,
        size,
        root: rootText(checkpoint),
        position,
        time: formatMicros(entry.time),
        id: entry.id,
        entry: line.toString(),
      },
    },
    signaturesOf(checkpoint, trust),
  )
}

async function readLine(surroundings: Surroundings, file: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of readPieces(surroundings, file)) {
    bytes += piece.length
    if (bytes > entryBytes + 1) throw notOneLine(file)
    pieces.push(Buffer.from(piece))
  }
  const text = Buffer.concat(pieces)
  const line = text.at(-1) === 0x0a ? text.subarray(0, -1) : text
  if (line.includes(0x0a)) throw notOneLine(file)
  return line
}

function notOneLine(file: string): AnnalsError {
  return new AnnalsError('INVALID_INPUT', `${file} holds more than one line, and the proof is of one entry`)
}
