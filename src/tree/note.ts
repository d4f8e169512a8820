// A note (C2SP signed-note): a text, an empty line, and signature lines. Parsing says what stands there and believes
// nothing of it; `signed-checkpoint.ts` asks who has signed.

import { isKeyName, strictBase64 } from './note-key.ts'

/** A signature line. */
export interface NoteSignature {
  readonly name: string
  readonly id: number
  /** What stands behind the id. */
  readonly bytes: Buffer
}

/** A note, as it stands there. */
export interface Note {
  /** With its final newline, and without the empty line behind it. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** The most signatures that are read; C2SP asks for at least as many. */
export const mostSignatures = 16
/** The longest note that is read: sixteen post-quantum signatures have 52 KiB. */
export const mostNoteBytes = 100 * 1024

/** Renders a note. */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`
}

/** A signature line, with its newline. */
export function formatSignature({ name, id, bytes }: NoteSignature): string {
  const idBytes = Buffer.alloc(4)
  idBytes.writeUInt32BE(id)
  return `\u2014 ${name} ${Buffer.concat([idBytes, bytes]).toString('base64')}\n`
}

/** Reads a note; undefined where it is none, or beyond the bounds. */
export function parseNote(note: string): Note | undefined {
  if (Buffer.byteLength(note) > mostNoteBytes || hasControls(note) || !note.isWellFormed()) return undefined
  const end = note.lastIndexOf('\n\n')
  if (end === -1 || !note.endsWith('\n')) return undefined
  const signatures = parseSignatures(note.slice(end + 2))
  return signatures === undefined ? undefined : { text: note.slice(0, end + 1), signatures }
}

/** Reads signature lines, at least one; undefined where they are none, or too many. */
export function parseSignatures(lines: string): NoteSignature[] | undefined {
  const signatures: NoteSignature[] = []
  for (const line of lines.slice(0, -1).split('\n')) {
    const signature = parseSignature(line)
    if (signature === undefined || signatures.length === mostSignatures) return undefined
    signatures.push(signature)
  }
  return lines.endsWith('\n') ? signatures : undefined
}

function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ')
  const bytes = strictBase64(encoded)
  if (dash !== '\u2014' || rest.length > 0 || bytes === undefined || bytes.length < 5 || !isKeyName(name))
    return undefined
  return { name, id: bytes.readUInt32BE(0), bytes: bytes.subarray(4) }
}

function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\0-\t\v-\x1f]/.test(text)
}
