// How a benchmark compares: all contestants take turns in every round, in alternating order, so that what the
// machine does besides hits all of them alike. A ratio is taken within a round; what counts is the median of the
// rounds, and it is never shown without its spread.

/** One side of a comparison. */
export interface Contestant {
  readonly name: string
  /** Measures once and returns the figure, in the unit of the benchmark. */
  measure(): Promise<number>
}

/** What a contestant reached: one figure for each round. */
export interface Measured {
  readonly name: string
  readonly unit: string
  readonly figures: readonly number[]
}

/** The middle and the ends of several figures. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** What must be reached. */
export interface Bar {
  readonly kind: 'at least' | 'at most'
  readonly value: number
}

/** A ratio of two contestants, round by round, and what it had to be. */
export interface Comparison {
  readonly title: string
  readonly ratio: Spread
  /** Undefined where the ratio is told for information. */
  readonly bar: Bar | undefined
}

/** How many rounds a figure that is published needs at least. */
export const leastRounds = 7

/** Lets all contestants measure in turns, after one round that does not count. */
export async function measureInRounds(
  contestants: readonly Contestant[],
  options: { readonly rounds: number; readonly unit: string; readonly say: (text: string) => void },
): Promise<Measured[]> {
  for (const contestant of contestants) await contestant.measure()
  const measured = contestants.map(({ name }) => ({ name, unit: options.unit, figures: [] as number[] }))
  for (let round = 0; round < options.rounds; round += 1) {
    const order = contestants.map((contestant, k) => ({ contestant, k }))
    if (round % 2 === 1) order.reverse()
    for (const { contestant, k } of order) measured[k]?.figures.push(await contestant.measure())
    options.say(
      `round ${round + 1}: ${measured.map((m) => `${m.name} ${formatFigure(m.figures[round])}`).join(', ')}`,
    )
  }
  return measured
}

/** `upper / lower` in each round, against a bar. */
export function compare(title: string, upper: Measured, lower: Measured, bar?: Bar): Comparison {
  const ratios = upper.figures.map((figure, round) => figure / (lower.figures[round] ?? Number.NaN))
  return { title, ratio: spreadOf(ratios), bar }
}

/** Figures against a limit that is no contestant, as a share of it: they must not be above it. */
export function against(title: string, figures: readonly number[], limit: number, most = 1): Comparison {
  return {
    title,
    ratio: spreadOf(figures.map((figure) => figure / limit)),
    bar: { kind: 'at most', value: most },
  }
}

/** True where the median reaches the bar, or there is none. */
export function isReached({ ratio, bar }: Comparison): boolean {
  if (bar === undefined) return true
  return bar.kind === 'at least' ? ratio.median >= bar.value : ratio.median <= bar.value
}

/** The median, the least and the greatest of at least one figure. */
export function spreadOf(figures: readonly number[]): Spread {
  return { median: medianOf(figures), min: Math.min(...figures), max: Math.max(...figures) }
}

/** The middle figure, or the mean of the two in the middle. */
export function medianOf(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return (upper + lower) / 2
}

/** A figure with three digits that mean something, and with thousands apart. */
export function formatFigure(figure: number | undefined): string {
  if (figure === undefined || Number.isNaN(figure)) return '–'
  const decimals = figure === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(figure)))))
  return figure.toLocaleString('en-GB', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}
