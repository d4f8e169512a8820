// A whole log in a directory, against a checkpoint.

import { resolve } from 'node:path'
import { formatMicros } from '../../entry/time.ts'
import { AnnalsError } from '../../errors.ts'
import { scanLines } from '../../log/scan.ts'
import { realDisk } from '../../store/disk.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../../tree/signed-checkpoint.ts'
import { contradicted, NotProved } from '../../verify/not-proved.ts'
import { signaturesOf } from '../../verify/signatures.ts'
import { type WholeLog, WholeLogCheck } from '../../verify/whole-log.ts'
import { type Progress, startProgress } from '../progress.ts'
import type { Surroundings } from '../surroundings.ts'
import { type Account, checkpointRow, rootText, tellProved } from './account.ts'
import { readText } from './files.ts'
import type { VerifyFlags } from './flags.ts'
import { findLog, type SegmentFile } from './log-directory.ts'
import { readTrust } from './trust.ts'

/** Verifies the log in a directory. Throws `NotProved`, and INVALID_INPUT. */
export async function verifyWholeLog(
  surroundings: Surroundings,
  directory: string,
  flags: VerifyFlags,
): Promise<void> {
  const { segments, keys, checkpoint: head } = await findLog(resolve(surroundings.directory, directory))
  const trust = await readTrust(surroundings, flags, keys)
  const checkpoint = await readCheckpoint(surroundings, flags.checkpoint, head)
  const signatures = signaturesOf(checkpoint, trust)
  const check = new WholeLogCheck(checkpoint)
  using progress = startProgress(surroundings, 'verifying')
  const unfinishedBytes = await readSegments(segments, check, progress)
  const whole = check.end()
  progress[Symbol.dispose]()
  tellProved(
    surroundings,
    flags.json === true,
    accountOf({ whole, checkpoint, unfinishedBytes, isOwn: trust.isOwn }),
    signatures,
  )
}

/** Reads a checkpoint from a file that was named, or takes the one that lies beside the log. */
export async function readCheckpoint(
  surroundings: Surroundings,
  file: string | undefined,
  beside: string | undefined,
): Promise<SignedCheckpoint> {
  const text = file === undefined ? beside : await readText(surroundings, { what: '--checkpoint', file })
  if (text === undefined)
    throw new AnnalsError('INVALID_INPUT', 'there is no checkpoint: expected --checkpoint FILE')
  const checkpoint = parseSignedCheckpoint(text)
  if (checkpoint !== undefined) return checkpoint
  throw new NotProved('malformed', `${file ?? 'the head'} is no signed checkpoint`)
}

// How many bytes at the end are no line yet: the log may be being written.
async function readSegments(
  segments: readonly SegmentFile[],
  check: WholeLogCheck,
  progress: Progress,
): Promise<number> {
  const ofBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0)
  let before = 0
  for (const [k, { path, first, bytes }] of segments.entries()) {
    check.segment(first)
    const file = await realDisk.open(path, 'read')
    try {
      const end = await scanLines(file, 0, bytes, (piece, start, stop, offset) => {
        check.line(piece, start, stop)
        progress.show(before + offset, ofBytes)
      })
      if (end < bytes && k < segments.length - 1)
        throw contradicted(`${path}: ${bytes - end} bytes at its end are no line`)
      if (end < bytes) return bytes - end
    } finally {
      await file.close()
    }
    before += bytes
  }
  return 0
}

interface Found {
  readonly whole: WholeLog
  readonly checkpoint: SignedCheckpoint
  readonly unfinishedBytes: number
  readonly isOwn: boolean
}

function accountOf({ whole, checkpoint, unfinishedBytes, isOwn }: Found): Account {
  const { log, proved, behind, firstTime, lastTime } = whole
  const [first, last] = [firstTime, lastTime].map((time) => (time === undefined ? null : formatMicros(time)))
  const rows: [string, string][] = [
    ['log', log],
    ['entries', `${proved}, from the first one on: in their places, unchanged, none missing`],
    ...(first === null ? [] : [['recorded', `${first} to ${last}`] satisfies [string, string]]),
  ]
  if (behind > 0) rows.push(['behind', `${behind} entries behind the checkpoint fit, and are not proved`])
  if (unfinishedBytes > 0) rows.push(['unfinished', `${unfinishedBytes} bytes at the end are no line yet`])
  if (isOwn)
    rows.push([
      'keys',
      "the directory's own: whoever could change the log could change them; give --key or --policy",
    ])
  const { origin, size } = checkpoint
  const json = { form: 'log', log, origin, size, root: rootText(checkpoint), behind, unfinishedBytes }
  return {
    rows: [...rows, checkpointRow(checkpoint)],
    json: { ...json, firstTime: first, lastTime: last, keys: isOwn ? 'own' : 'given' },
  }
}
