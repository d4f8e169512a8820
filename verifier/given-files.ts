// The files that somebody drops, told apart by what is in them and never by their names.

import { mostNoteBytes } from '../src/tree/note.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../src/tree/signed-checkpoint.ts'
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
const receiptHead = 'c2sp.org/tlog-proof@v1\n'

// The proof for a thousand engines, and more, is as large as this. Beyond: it is refused by name.
const mostProofBytes = 512 * 1024 * 1024

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
    if (head.startsWith(receiptHead)) receipts.push({ name: file.name, text: await wholeText(file) })
    else if (proofHeads.some((start) => head.startsWith(start))) proofs.push(await wholeText(file))
    else if (checkpoint !== undefined) checkpoints.push(checkpoint)
    else lines.push(file)
  }
  return { receipts, proofs, checkpoints, lines }
}

async function wholeText(file: GivenFile): Promise<string> {
  if (file.size > mostProofBytes) throw malformed(`${file.name} is too large to be a proof`)
  return await file.text()
}

/** Told of each line, `bytes[start, end)` without its newline. */
export type LineSink = (bytes: Buffer, start: number, end: number) => void

/** Reads the lines of a file, however large it is. `read` is told how many bytes were read, and waited for. */
export async function readLines(
  file: Pick<GivenFile, 'stream'>,
  sink: LineSink,
  read: (bytes: number) => Promise<void>,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0)
  const reader = file.stream().getReader()
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    const { buffer, byteOffset, byteLength } = step.value
    rest = sinkWhole(Buffer.concat([rest, Buffer.from(buffer, byteOffset, byteLength)]), sink)
    if (rest.length > mostLineBytes) throw malformed('a line is longer than any entry can be')
    await read(byteLength)
  }
  // A last line without its newline: what counts are the bytes of an entry.
  if (rest.length > 0) sink(rest, 0, rest.length)
}

const mostLineBytes = 65_535

// Returns what stands behind the last newline.
function sinkWhole(bytes: Buffer, sink: LineSink): Buffer {
  let start = 0
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    sink(bytes, start, end)
    start = end + 1
  }
  return bytes.subarray(start)
}

const newline = 0x0a
