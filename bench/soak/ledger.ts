// What the soak knows of every event that it sent: whether it was acknowledged, and where; and what the log shows in the
// end. Events are numbered by source, and a number and an id stand for each other, so that an event costs ten bytes.

/** One sender's part. */
export interface SourceAccount {
  readonly name: string
  /** Events that were sent, whatever became of them. */
  readonly sent: number
  /** Events that the server said were durable. */
  readonly acknowledged: number
  /** Of those, such as it said it had recorded before: they were sent again after no answer had come. */
  readonly acknowledgedAgain: number
  /** Events that were refused for good. */
  readonly refused: number
  /** Events of which nobody was told anything, and that were not sent again. */
  readonly unknown: number
  /** Events that the log holds, each counted once. */
  readonly present: number
  /** Of those of which nobody was told anything, such as the log holds. */
  readonly unknownPresent: number
  /** Events that the log holds more than once. */
  readonly doubled: number
  /** Events that were acknowledged and are not in the log. */
  readonly lost: number
  /** Events that the log holds at another position than was answered. */
  readonly misplaced: number
  /** Events that were refused, and are in the log all the same. */
  readonly refusedPresent: number
}

const states = { sent: 1, acknowledged: 2, acknowledgedAgain: 3, refused: 4 } as const

/** The events of one sender. */
export class Source {
  readonly name: string
  readonly #index: number
  readonly #run: string
  #count = 0
  #states = new Uint8Array(initialEvents)
  #present = new Uint8Array(initialEvents)
  // The position that was answered, and from the end on that of the log; one more, so that nought is none.
  #positions = new Float64Array(initialEvents)
  #misplaced = 0

  constructor(name: string, index: number, run: string) {
    this.name = name
    this.#index = index
    this.#run = run
  }

  /** The number of the next event, which counts as sent from now on. */
  next(): number {
    const number = this.#count
    this.#count += 1
    if (this.#count > this.#states.length) this.#grow()
    this.#states[number] = states.sent
    return number
  }

  /** The id of an event. */
  idOf(number: number): string {
    return `${number.toString(16).padStart(8, '0')}-${this.#index.toString(16).padStart(4, '0')}-4000-8000-${this.#run}`
  }

  /** Notes an answer. */
  acknowledged(number: number, position: number, isNew: boolean): void {
    this.#states[number] = isNew ? states.acknowledged : states.acknowledgedAgain
    this.#positions[number] = position + 1
  }

  /** Notes a refusal that is no use to send again. */
  refused(number: number): void {
    this.#states[number] = states.refused
  }

  /** Notes that the log holds the event. */
  seen(number: number, position: number): void {
    if (number >= this.#count)
      throw new Error(`the log holds event ${number} of ${this.name}, which was never sent`)
    this.#present[number] = Math.min(255, (this.#present[number] ?? 0) + 1)
    const answered = this.#positions[number] ?? 0
    if (answered !== 0 && answered !== position + 1) this.#misplaced += 1
  }

  /** The sum of it all, once the log has been read. */
  account(): SourceAccount {
    const count = (isCounted: (state: number, present: number) => boolean): number => {
      let sum = 0
      for (let k = 0; k < this.#count; k += 1)
        if (isCounted(this.#states[k] ?? 0, this.#present[k] ?? 0)) sum += 1
      return sum
    }
    const isAcknowledged = (state: number) =>
      state === states.acknowledged || state === states.acknowledgedAgain
    return {
      name: this.name,
      sent: this.#count,
      acknowledged: count(isAcknowledged),
      acknowledgedAgain: count((state) => state === states.acknowledgedAgain),
      refused: count((state) => state === states.refused),
      unknown: count((state) => state === states.sent),
      present: count((_, present) => present > 0),
      unknownPresent: count((state, present) => state === states.sent && present > 0),
      doubled: count((_, present) => present > 1),
      lost: count((state, present) => isAcknowledged(state) && present === 0),
      misplaced: this.#misplaced,
      refusedPresent: count((state, present) => state === states.refused && present > 0),
    }
  }

  #grow(): void {
    const length = 2 * this.#states.length
    const [oldStates, oldPresent, oldPositions] = [this.#states, this.#present, this.#positions]
    this.#states = new Uint8Array(length)
    this.#states.set(oldStates)
    this.#present = new Uint8Array(length)
    this.#present.set(oldPresent)
    this.#positions = new Float64Array(length)
    this.#positions.set(oldPositions)
  }
}

/** All sources of one run. */
export class Ledger {
  readonly run: string
  readonly #sources: Source[] = []

  /** `run` is twelve hexadecimal digits that set its ids apart from those of all other runs. */
  constructor(run: string) {
    this.run = run
  }

  /** Adds a sender. */
  source(name: string): Source {
    const source = new Source(name, this.#sources.length, this.run)
    this.#sources.push(source)
    return source
  }

  /** Notes that the log holds the event of an id. False where the id is none of this run. */
  seenId(id: string, position: number): boolean {
    const parts = /^([0-9a-f]{8})-([0-9a-f]{4})-4000-8000-([0-9a-f]{12})$/.exec(id)
    const source = this.#sources[Number.parseInt(parts?.[2] ?? '', 16)]
    if (parts?.[3] !== this.run || source === undefined) return false
    source.seen(Number.parseInt(parts[1] ?? '', 16), position)
    return true
  }

  /** The sums of all sources. */
  accounts(): SourceAccount[] {
    return this.#sources.map((source) => source.account())
  }
}

/**
 * What is wrong with an account, in words; nothing where all that was acknowledged is there exactly once, at its place,
 * and nothing is there that was refused.
 */
export function faultsOf(account: SourceAccount): string[] {
  const { name, lost, doubled, misplaced, refusedPresent } = account
  const found: [count: number, what: string][] = [
    [lost, 'acknowledged and not in the log'],
    [doubled, 'in the log more than once'],
    [misplaced, 'in the log at another position than was answered'],
    [refusedPresent, 'refused and in the log all the same'],
  ]
  return found.filter(([count]) => count > 0).map(([count, what]) => `${name}: ${count} ${what}`)
}

const initialEvents = 65_536
