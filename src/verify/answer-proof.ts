// The proof that an answer is complete for its window, as text:
//
//   annals/answer-proof@v1
//   run <from>-<to>
//   mark <position of the read's own entry>
//   left <base64>                 the entry at from−1; not where from is 0
//   right <base64>                the entry at to
//   before <base64>               for each perfect subtree of [0, from−1), from left to right
//   after <base64>                for each perfect subtree of [to+1, size)
//   mark-entry <base64>           the read's own entry, and the hashes from it to the root, the sibling first (RFC 6962
//   mark-path <base64>            section 2.1.1); not where it is the entry at to
//
//   <a signed checkpoint>         C2SP tlog-checkpoint; its size is above mark
//
// The answer itself is not in it: whoever checks it has the answer.

import type { Position } from '../entry/event.ts'
import { verifyAnswerProofCharacters } from '../limits.ts'
import { bytesOfHash, type Hash } from '../tree/hash.ts'
import { strictBase64 } from '../tree/note-key.ts'
import { parseHash } from '../tree/tlog-proof.ts'

/** What such a text says. */
export interface AnswerProof {
  readonly from: Position
  readonly to: Position
  readonly mark: Position
  readonly left: Buffer | undefined
  readonly right: Buffer
  readonly before: readonly Hash[]
  readonly after: readonly Hash[]
  /** Undefined where `mark` is `to`. */
  readonly marked: { readonly entry: Buffer; readonly path: readonly Hash[] } | undefined
  /** As it stands there. */
  readonly checkpoint: string
}

const first = 'annals/answer-proof@v1'

/** Renders a proof. */
export function formatAnswerProof(proof: AnswerProof): string {
  const { from, to, mark, left, right, before, after, marked, checkpoint } = proof
  const lines = [
    first,
    `run ${from}-${to}`,
    `mark ${mark}`,
    ...(left === undefined ? [] : [`left ${left.toString('base64')}`]),
    `right ${right.toString('base64')}`,
    ...before.map((hash) => `before ${base64(hash)}`),
    ...after.map((hash) => `after ${base64(hash)}`),
    ...(marked === undefined ? [] : [`mark-entry ${marked.entry.toString('base64')}`]),
    ...(marked?.path ?? []).map((hash) => `mark-path ${base64(hash)}`),
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** Reads a proof; undefined where it is none. */
export function parseAnswerProof(text: string): AnswerProof | undefined {
  const end = text.indexOf('\n\n')
  if (end === -1 || end > verifyAnswerProofCharacters) return undefined
  const reader = new Reader(text.slice(0, end).split('\n'))
  const [, from, to] = /^run (\d{1,15})-(\d{1,15})$/.exec(reader.after(first) ?? '') ?? []
  const mark = /^\d{1,15}$/.exec(reader.one('mark') ?? '')?.[0]
  const left = reader.bytes('left')
  const right = reader.bytes('right')
  const before = reader.hashes('before')
  const after = reader.hashes('after')
  const entry = reader.bytes('mark-entry')
  const path = reader.hashes('mark-path')
  if (from === undefined || to === undefined || mark === undefined || right === undefined) return undefined
  if (!reader.isOver || before === undefined || after === undefined || path === undefined) return undefined
  if (entry === undefined && path.length > 0) return undefined
  return {
    from: Number(from),
    to: Number(to),
    mark: Number(mark),
    left,
    right,
    before,
    after,
    marked: entry === undefined ? undefined : { entry, path },
    checkpoint: text.slice(end + 2),
  }
}

/** Takes lines off the front, each of which begins with a word that is known. */
class Reader {
  readonly #lines: readonly string[]
  #at = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  get isOver(): boolean {
    return this.#at === this.#lines.length
  }

  after(line: string): string | undefined {
    if (this.#lines[this.#at] !== line) return undefined
    this.#at += 2
    return this.#lines[this.#at - 1]
  }

  one(word: string): string | undefined {
    const line = this.#lines[this.#at]
    if (line?.startsWith(`${word} `) !== true) return undefined
    this.#at += 1
    return line.slice(word.length + 1)
  }

  bytes(word: string): Buffer | undefined {
    return strictBase64(this.one(word) ?? '!')
  }

  hashes(word: string): Hash[] | undefined {
    const hashes: Hash[] = []
    for (let text = this.one(word); text !== undefined; text = this.one(word)) {
      const hash = parseHash(text)
      if (hash === undefined) return undefined
      hashes.push(hash)
    }
    return hashes
  }
}

function base64(hash: Hash): string {
  return bytesOfHash(hash).toString('base64')
}
