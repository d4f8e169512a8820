// The files that somebody drops, told apart by what is in them and never by their names.

import { verifyProofBytes } from '../src/limits.ts'
import { mostNoteBytes } from '../src/tree/note.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../src/tree/signed-checkpoint.ts'
import { isEntryProof } from '../src/verify/entry-proof.ts'
import { type LineListener, LineSplitter } from '../src/verify/line-splitter.ts'
import { malformed } from '../src/verify/not-proved.ts'

/** A file. The browser's own has more. */
export type GivenFile = Pick<File, 'name' | 'size' | 'text' | 'slice' | 'stream'>

/** What was given, by kind. */
export interface GivenFiles {
  /** Proofs that an entry is in a log. */
  readonly receipts: readonly { readonly name: string; readonly text: string }[]
  /** Proofs that an answer is complete. */
  readonly proofs: readonly string[]
  readonly checkpoints: readonly SignedCheckpoint[]
  /** Whatever else there is: lines of a log, in order of their files' names. */
  readonly lines: readonly GivenFile[]
}

const proofHeads = ['annals/answer-proof@v1\n', 'annals/engines-proof@v1\n']

/** Looks into files. Throws `NotProved` where one cannot be what it says. */
export async function sortFiles(files: readonly GivenFile[]): Promise<GivenFiles> {
  const [receipts, proofs, checkpoints, lines]: [
    { name: string; text: string }[],
    string[],
    SignedCheckpoint[],
    GivenFile[],
  ] = [[], [], [], []]
  for (const file of files.toSorted(({ name: a }, { name: b }) => (a < b ? -1 : 1))) {
    const head = await file.slice(0, 40).text()
    const checkpoint = file.size <= mostNoteBytes ? parseSignedCheckpoint(await file.text()) : undefined
    if (isEntryProof(head)) receipts.push({ name: file.name, text: await wholeText(file) })
    else if (proofHeads.some((start) => head.startsWith(start))) proofs.push(await wholeText(file))
    else if (checkpoint !== undefined) checkpoints.push(checkpoint)
    else lines.push(file)
  }
  return { receipts, proofs, checkpoints, lines }
}

async function wholeText(file: GivenFile): Promise<string> {
  if (file.size > verifyProofBytes) throw malformed(`${file.name} is too large to be a proof`)
  return await file.text()
}

/** Reads the lines of a file, however large it is. `read` is told how many bytes were read, and waited for. */
export async function readLines(
  file: Pick<GivenFile, 'stream'>,
  listener: LineListener,
  read: (bytes: number) => Promise<void>,
): Promise<void> {
  const splitter = new LineSplitter(listener)
  const reader = file.stream().getReader()
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    const { buffer, byteOffset, byteLength } = step.value
    splitter.push(Buffer.from(buffer, byteOffset, byteLength))
    await read(byteLength)
  }
  splitter.end()
}
