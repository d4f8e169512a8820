// A password from the person at the terminal: asked for on standard error, and not shown.

import { AnnalsError } from '../errors.ts'
import { passwordFileBytes } from '../limits.ts'
import { Ended } from './ended.ts'
import type { Surroundings } from './surroundings.ts'

/** Asks for a new password, twice. Throws INVALID_INPUT where the two differ. */
export function promptNewPassword(surroundings: Surroundings, account: string): Promise<string> {
  return unseen(surroundings, async () => {
    const password = await ask(surroundings, `Password for ${account}: `)
    const again = await ask(surroundings, 'The same again: ')
    if (password === again) return password
    throw new AnnalsError('INVALID_INPUT', 'the two passwords differ; nothing was changed')
  })
}

/** Asks for one line that is not shown. Throws `Ended` where the person gives up (Ctrl-C, Ctrl-D). */
export function promptSecret(surroundings: Surroundings, question: string): Promise<string> {
  return unseen(surroundings, () => ask(surroundings, question))
}

// From before the first question is seen to after the last answer: what is typed in between must not show either.
async function unseen<T>({ input }: Surroundings, work: () => Promise<T>): Promise<T> {
  input.setRawMode?.(true)
  try {
    return await work()
  } finally {
    input.setRawMode?.(false)
  }
}

async function ask({ input, errors }: Surroundings, question: string): Promise<string> {
  errors.write(question)
  try {
    return await readSecret(input)
  } finally {
    errors.write('\n')
  }
}

function readSecret(input: Surroundings['input']): Promise<string> {
  return new Promise((resolve, reject) => {
    const line = new SecretLine()
    const decoder = new TextDecoder()
    const finish = (end: () => void) => {
      input.off('data', take)
      input.off('end', giveUp)
      input.pause()
      end()
    }
    const giveUp = () => finish(() => reject(new Ended(130)))
    const take = (bytes: Buffer | string) => {
      const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })
      const rest = line.type(text)
      if (rest === undefined) return
      if (line.isGivenUp) return giveUp()
      finish(() => resolve(line.text))
      // What was pasted behind the line belongs to the next question.
      if (rest !== '') input.unshift(Buffer.from(rest))
    }
    input.on('data', take)
    input.once('end', giveUp)
    input.resume()
  })
}

/** A line as it is typed at a terminal in raw mode. */
export class SecretLine {
  readonly #characters: string[] = []
  #isGivenUp = false

  /** Takes what was typed; returns what is left of it once the line is over, undefined before. */
  type(text: string): string | undefined {
    const typed = Array.from(text)
    for (const [index, character] of typed.entries()) {
      if (character === '\r' || character === '\n')
        return typed
          .slice(index + 1)
          .join('')
          .replace(/^\n/, '')
      if (character === '\u0003' || (character === '\u0004' && this.#characters.length === 0)) {
        this.#isGivenUp = true
        return ''
      }
      this.#edit(character)
    }
    return undefined
  }

  get text(): string {
    return this.#characters.join('')
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  #edit(character: string): void {
    if (character === '\u007F' || character === '\b') this.#characters.pop()
    // Ctrl-U
    else if (character === '\u0015') this.#characters.length = 0
    else if (character >= ' ' && this.#characters.length < passwordFileBytes) this.#characters.push(character)
  }
}
