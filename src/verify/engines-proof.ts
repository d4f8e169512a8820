// The proof that an answer about all engines is complete, as text: the manifest, the proof that it is the one of which the
// portal's own entry tells, and the proof of each engine's part. The head says how many bytes each of them has:
//
//   annals/engines-proof@v1
//   manifest <bytes>        `engines-manifest.ts`
//   entry <bytes>           C2SP tlog-proof of the portal's entry of that read (29006)
//   answer <bytes>          `answer-proof.ts`; one for each engine, in the order of the manifest
//
//   <all of them, one directly behind the other>

/** Such a proof, in its parts. */
export interface EnginesProof {
  readonly manifest: string
  readonly entry: string
  readonly answers: readonly string[]
}

const first = 'annals/engines-proof@v1'

/** Whether a text is meant to be such a proof. */
export function isEnginesProof(text: string): boolean {
  return text.startsWith(`${first}\n`)
}

/** Renders a proof. */
export function formatEnginesProof({ manifest, entry, answers }: EnginesProof): string {
  const head = [
    first,
    `manifest ${Buffer.byteLength(manifest)}`,
    `entry ${Buffer.byteLength(entry)}`,
    ...answers.map((answer) => `answer ${Buffer.byteLength(answer)}`),
  ]
  return `${head.join('\n')}\n\n${manifest}${entry}${answers.join('')}`
}

/** Reads a proof; undefined where it is none. */
export function parseEnginesProof(text: string): EnginesProof | undefined {
  const end = text.indexOf('\n\n')
  const [head, ...lines] = text.slice(0, Math.max(0, end)).split('\n')
  const lengths = lines.map((line, k) => new RegExp(`^${wordAt(k)} (\\d{1,9})$`).exec(line)?.[1])
  if (head !== first || lines.length < 2 || !lengths.every((length) => length !== undefined)) return undefined
  const parts = cut(Buffer.from(text.slice(end + 2)), lengths.map(Number))
  const [manifest, entry, ...answers] = parts ?? []
  return manifest === undefined || entry === undefined ? undefined : { manifest, entry, answers }
}

function wordAt(line: number): string {
  return line === 0 ? 'manifest' : line === 1 ? 'entry' : 'answer'
}

function cut(bytes: Buffer, lengths: readonly number[]): string[] | undefined {
  let at = 0
  const parts = lengths.map((length) => bytes.toString('utf8', at, (at += length)))
  return at === bytes.length ? parts : undefined
}
