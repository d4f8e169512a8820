// One direction of a connection that passes through the tests: bytes from one socket to another, late if they are
// to be, up to a limit if there is one. Order is kept, and back-pressure holds: what is in flight is bounded, and a
// target that does not read makes the source wait.

import type { Socket } from 'node:net'

/** How the bytes pass. */
export interface RelayOptions {
  /** Every chunk, and the end, is held for so long. */
  readonly delayMs?: number
  /** So many bytes pass, and not one more; the source is read no further then. */
  readonly limitBytes?: number
  /** Called once, when the last byte within the limit is with the system. */
  readonly atLimit?: () => void
  /** Told of the bytes that were given to the target. */
  readonly passed?: (bytes: number) => void
}

// What may be on a link that delays. At 20 ms it lets 800 MB/s pass: the delay is felt, and nothing else.
const inFlightBytes = 16 * 1024 * 1024

interface Held {
  readonly due: number
  /** Undefined: the end. */
  readonly chunk: Buffer | undefined
}

/** Passes what comes from `source` on to `target`, and its end. Errors are the caller's. */
export function relay(source: Socket, target: Socket, options: RelayOptions = {}): void {
  const { delayMs = 0, limitBytes = Number.POSITIVE_INFINITY } = options
  const held: Held[] = []
  let [heldBytes, leftBytes] = [0, limitBytes]
  let [blocked, over] = [false, false]
  let timer: NodeJS.Timeout | undefined

  const hold = (chunk?: Buffer) => {
    held.push({ due: performance.now() + delayMs, chunk })
    heldBytes += chunk?.length ?? 0
    release()
  }
  const release = () => {
    for (let due = takeDue(); due !== undefined; due = takeDue()) deliver(due)
    if (over || heldBytes > (delayMs === 0 ? 0 : inFlightBytes)) source.pause()
    else source.resume()
  }
  const takeDue = (): Held | undefined => {
    const [first] = held
    if (first === undefined || blocked || over || timer !== undefined) return undefined
    const waitMs = first.due - performance.now()
    if (waitMs <= 0) return held.shift()
    timer = setTimeout(onTime, Math.ceil(waitMs))
    return undefined
  }
  const onTime = () => {
    timer = undefined
    release()
  }
  const deliver = ({ chunk }: Held) => {
    if (chunk === undefined) return void target.end()
    heldBytes -= chunk.length
    const part = chunk.subarray(0, leftBytes)
    leftBytes -= part.length
    over = leftBytes === 0
    options.passed?.(part.length)
    blocked = !target.write(part, over ? options.atLimit : undefined)
  }
  source.on('data', hold)
  source.on('end', () => hold())
  target.on('drain', () => {
    blocked = false
    release()
  })
  // Nothing is left to pass to a target that is gone.
  target.on('close', () => {
    over = true
    clearTimeout(timer)
  })
  // A socket that was accepted in pause stays so until it is told otherwise.
  source.resume()
}
