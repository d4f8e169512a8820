// Lines that came back from elsewhere, against the hashes of the entries that `annals fetch --save-tiles` has kept; or, where
// there are none, against nothing but what they claim themselves.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import { errorCode } from '../../store/disk.ts'
import { tilePath } from '../../tree/tile.ts'
import { ExportCheck, type ExportFindings, type ExportOrder, isExact } from '../../verify/export-check.ts'
import { logOfOrigin } from '../../verify/lines.ts'
import { malformed, type NotProved } from '../../verify/not-proved.ts'
import type { PositionRange } from '../../verify/position-set.ts'
import { signaturesOf } from '../../verify/signatures.ts'
import { type KeptTiles, VerifiedTiles } from '../../verify/verified-tiles.ts'
import { startProgress } from '../progress.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { type Account, checkpointRow, rootText, rowLines, tellProved, Told } from './account.ts'
import { eachLine, readTextIfThere } from './files.ts'
import type { VerifyFlags } from './flags.ts'
import { readTrust } from './trust.ts'
import { readCheckpoint } from './whole-log.ts'

/** Compares the lines in a file, or in standard input (`-`), with kept hashes. Throws `NotProved`, and INVALID_INPUT. */
export async function verifyExport(
  surroundings: Surroundings,
  file: string,
  directory: string,
  flags: VerifyFlags,
): Promise<void> {
  const place = resolve(surroundings.directory, directory)
  const trust = await readTrust(surroundings, flags)
  const beside = await readTextIfThere(surroundings, { what: '--tiles', file: join(place, 'checkpoint') })
  const checkpoint = await readCheckpoint(surroundings, flags.checkpoint, beside)
  const signatures = signaturesOf(checkpoint, trust)
  const log = logOfOrigin(checkpoint.origin)
  if (log === undefined) throw malformed(`${checkpoint.origin} is not the origin of an audit log`)
  const range = await rangeOf(surroundings, place, flags, checkpoint.size)
  const tiles = new VerifiedTiles(checkpoint, keptIn(place))
  const findings = await compare(surroundings, file, {
    log,
    range,
    leafAt: (position) => tiles.leaf(position),
  })
  const json = {
    form: 'export',
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: rootText(checkpoint),
  }
  const account = { rows: [...rowsOf(findings), checkpointRow(checkpoint)], json: { ...json, ...findings } }
  if (isExact(findings)) return tellProved(surroundings, flags.json === true, account, signatures)
  tellFindings(surroundings, flags, account, 'contradicted')
  throw new Told('contradicted', `${file} is not what the log holds: ${summary(findings)}`)
}

/** Looks at what lines claim of themselves. Throws `NotProved`: nothing is proved by that. */
export async function verifyClaims(
  surroundings: Surroundings,
  file: string,
  flags: VerifyFlags,
): Promise<void> {
  const { from, to } = flags
  const range = from === undefined || to === undefined ? undefined : { from, to }
  const findings = await compare(surroundings, file, { log: undefined, range, leafAt: undefined })
  const reason = isExact(findings) ? 'claimed' : 'claimedFaults'
  const account = { rows: rowsOf(findings), json: { form: 'claims', ...findings } }
  tellFindings(surroundings, flags, account, reason)
  const found = reason === 'claimed' ? 'they claim no gap and no double' : summary(findings)
  throw new Told(
    reason,
    `nothing is proved: the lines were compared with nothing but their own claims; ${found}`,
  )
}

async function compare(
  surroundings: Surroundings,
  file: string,
  order: ExportOrder,
): Promise<ExportFindings> {
  const check = new ExportCheck(order)
  using progress = startProgress(surroundings, 'comparing')
  await eachLine(surroundings, file, progress, (bytes, start, end) => check.line(bytes, start, end))
  return check.end()
}

// What was fetched, unless the person says otherwise.
async function rangeOf(
  surroundings: Surroundings,
  directory: string,
  { from, to }: VerifyFlags,
  size: number,
): Promise<PositionRange> {
  const file = join(directory, 'positions')
  const kept = await readTextIfThere(surroundings, { what: '--tiles', file })
  const [, first, last] = /^(\d{1,15})-(\d{1,15})\n$/.exec(kept ?? `0-${size}\n`) ?? []
  if (first === undefined || last === undefined)
    throw new AnnalsError(
      'INVALID_INPUT',
      `${file}: expected a range of positions, as 0-100, and nothing else`,
    )
  const range = { from: from ?? Number(first), to: to ?? Number(last) }
  if (range.from <= range.to && range.to <= size) return range
  throw new AnnalsError(
    'INVALID_INPUT',
    `expected positions in order up to ${size}, which the checkpoint covers, not ${range.from} to ${range.to}`,
  )
}

function keptIn(directory: string): KeptTiles {
  return ({ level, index, width }) => {
    try {
      return readFileSync(join(directory, 'tile', tilePath(level, index, width)))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

function tellFindings(
  surroundings: Surroundings,
  flags: VerifyFlags,
  { rows, json }: Account,
  result: NotProved['reason'],
): void {
  if (flags.json === true) printJson(surroundings, { result, ...json })
  else print(surroundings, ...rowLines(rows))
}

function rowsOf({
  log,
  range,
  right,
  missing,
  doubled,
  changed,
  foreign,
}: ExportFindings): [string, string][] {
  const rows: [string, string][] = [
    ['log', log ?? 'none: no line is an entry of an audit log'],
    ['expected', range.from === range.to ? 'no entry' : `positions ${range.from} to ${range.to - 1}`],
    ['there', `${right} of ${range.to - range.from}`],
  ]
  if (missing.count > 0) rows.push(['missing', named(missing.count, missing.ranges.map(rangeText))])
  if (doubled.count > 0) rows.push(['doubled', named(doubled.count, doubled.first.map(String))])
  if (changed.count > 0) rows.push(['changed', named(changed.count, changed.first.map(String))])
  if (foreign.count > 0)
    rows.push([
      'foreign',
      named(
        foreign.count,
        foreign.first.map((line) => `line ${line}`),
      ),
    ])
  return rows
}

function rangeText({ from, to }: PositionRange): string {
  return to === from + 1 ? String(from) : `${from} to ${to - 1}`
}

// People look at the first; programs get more.
function named(count: number, texts: readonly string[]): string {
  const shown = texts.slice(0, 10).join(', ')
  return `${count}: ${shown}${texts.length > 10 ? ', …' : ''}`
}

function summary({ missing, doubled, changed, foreign }: ExportFindings): string {
  const kinds = [
    ['missing', missing.count],
    ['doubled', doubled.count],
    ['changed', changed.count],
    ['foreign', foreign.count],
  ] as const
  return kinds
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}
