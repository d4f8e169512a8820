// `annals verify`: proves, offline, that nothing was changed, removed or left out. What it imports touches no network.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { AnnalsError } from '../errors.ts'
import { isEntryProof } from '../verify/entry-proof.ts'
import type { Surroundings } from './surroundings.ts'
import { tellingFailure } from './verify/account.ts'
import { readProof, verifyAnswer } from './verify/answer.ts'
import { verifyEntry } from './verify/entry.ts'
import { verifyClaims, verifyExport } from './verify/export.ts'
import { readPieces } from './verify/files.ts'
import { addVerifyOptions, type VerifyFlags } from './verify/flags.ts'
import { verifyWholeLog } from './verify/whole-log.ts'

const more = `
The first line says what was proved, and by whom it is vouched for: never more than that. Without --policy nobody whom you
named has witnessed the log, and whoever holds its keys could have made another one for you.

Examples:
  annals verify answer.log --proof answer.proof --policy auditor.policy
  annals verify receipt.tlog-proof --key portal.keys
  annals verify from-siem.log --tiles kept-tiles --key portal.keys
  annals verify /backup/annals/log --key portal.keys
  annals verify /backup/annals/log --policy auditor.policy --checkpoint checkpoint-of-june`

/** Makes the command. */
export function verifyCommand(surroundings: Surroundings): Command {
  const command = new Command('verify')
    .summary('prove, offline, that nothing was changed or left out')
    .description(
      'Proves that a log, an answer, an entry, or lines that came back from elsewhere are what the log has signed. It ' +
        'needs no network, and no trust in whoever has kept them.',
    )
    .argument(
      '<WHAT>',
      'a downloaded answer, a receipt, the directory of a whole log, or lines that came back; - is standard input',
    )
    .addHelpText('after', more)
  return addVerifyOptions(command).action((what: string, flags: VerifyFlags) =>
    tellingFailure(surroundings, flags.json === true, () => verify(surroundings, what, flags)),
  )
}

// Which of the forms it is, is found from what was given.
async function verify(surroundings: Surroundings, what: string, flags: VerifyFlags): Promise<void> {
  if (flags.claims === true) return await verifyClaims(surroundings, what, flags)
  if (flags.tiles !== undefined) return await verifyExport(surroundings, what, flags.tiles, flags)
  if (flags.proof !== undefined) return await verifyWithProof(surroundings, what, flags.proof, flags)
  if (await isDirectory(surroundings, what)) return await verifyWholeLog(surroundings, what, flags)
  const text = await beginningOf(surroundings, what)
  if (isEntryProof(text)) return await verifyEntry(surroundings, await readProof(surroundings, what), flags)
  throw new AnnalsError(
    'INVALID_INPUT',
    `${what} is neither a directory nor a receipt: for an answer give --proof FILE, for lines that came back --tiles or --claims`,
  )
}

async function verifyWithProof(
  surroundings: Surroundings,
  what: string,
  file: string,
  flags: VerifyFlags,
): Promise<void> {
  const proof = await readProof(surroundings, file)
  if (isEntryProof(proof)) return await verifyEntry(surroundings, proof, flags, what)
  return await verifyAnswer(surroundings, what, proof, flags)
}

async function beginningOf(surroundings: Surroundings, file: string): Promise<string> {
  if (file === '-') return ''
  for await (const piece of readPieces(surroundings, file)) return piece.toString('latin1', 0, 64)
  return ''
}

async function isDirectory({ directory }: Surroundings, what: string): Promise<boolean> {
  return await stat(resolve(directory, what)).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
