// What a verification found, for people and for programs. The first line is the verdict, and says no more than was proved.

import { NotProved } from '../../verify/not-proved.ts'
import { demandQuorum, keyText, type Signatures } from '../../verify/signatures.ts'
import type { Checkpoint } from '../../tree/checkpoint.ts'
import { bytesOfHash } from '../../tree/hash.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'

/** What was found of one log. */
export interface Account {
  /** For people: a word, and what is to be said of it. */
  readonly rows: readonly (readonly [word: string, text: string])[]
  /** For programs. */
  readonly json: object
}

/** Says what was proved, and who vouches for it. Throws `NotProved` (`unwitnessed`) where a policy asks for more. */
export function tellProved(
  surroundings: Surroundings,
  isJson: boolean,
  account: Account,
  signatures: Signatures,
): void {
  const { verdict, quorum } = signatures
  const result = quorum === 'missing' ? 'unwitnessed' : 'proved'
  if (isJson) printJson(surroundings, { result, verdict, ...account.json, ...signaturesJson(signatures) })
  else print(surroundings, verdict, ...rowLines([...account.rows, ...signatureRows(signatures)]))
  demandQuorum(signatures)
}

/** Runs a verification; for programs, why it failed is JSON too. */
export async function tellingFailure(
  surroundings: Surroundings,
  isJson: boolean,
  verify: () => Promise<void>,
): Promise<void> {
  try {
    await verify()
  } catch (error) {
    const isTold = error instanceof Told || (error instanceof NotProved && error.reason === 'unwitnessed')
    if (isJson && error instanceof NotProved && !isTold)
      printJson(surroundings, { result: error.reason, message: error.message })
    throw error
  }
}

/** Thrown behind an account of what was found. */
export class Told extends NotProved {}

/** Rows as lines, in two columns. */
export function rowLines(rows: Account['rows']): string[] {
  const width = Math.max(...rows.map(([word]) => word.length))
  return rows.map(([word, text]) => `${word.padEnd(width)}  ${text}`)
}

/** A checkpoint's own row. */
export function checkpointRow({ size, root }: Checkpoint): readonly [string, string] {
  return ['checkpoint', `${size} entries, root ${rootText({ root })}`]
}

/** A checkpoint's root in base64. */
export function rootText({ root }: Pick<Checkpoint, 'root'>): string {
  return bytesOfHash(root).toString('base64')
}

function signatureRows({ log, witnesses }: Signatures): [string, string][] {
  const cosigned = witnesses.map(
    ({ key, seconds }) => `${key.name} at ${timeText(seconds)} (${keyText(key)})`,
  )
  return [
    ['signed', log.map(keyText).join(', ')],
    ...cosigned.map((text): [string, string] => ['cosigned', text]),
  ]
}

function signaturesJson({ log, witnesses, quorum }: Signatures): object {
  return {
    signedBy: log.map((key) => keyText(key)),
    cosignedBy: witnesses.map(({ key, seconds }) => ({
      name: key.name,
      key: keyText(key),
      time: timeText(seconds),
    })),
    quorum,
  }
}

// A witness may state any time.
function timeText(seconds: number): string {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? `second ${seconds}` : time.toISOString()
}
