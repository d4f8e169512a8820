// The connections to one engine: kept from request to request, bounded in number, and ended all at once. A connection
// that was kept may have ended unnoticed, as when the engine was started anew: another one is tried at once.

import { engineConnections } from '../limits.ts'
import { type AnswerHead, type Asked, type Connect, EngineSocket } from './engine-socket.ts'
import { EngineFailure, failureOf } from './failure.ts'
import type { ReadBuffers } from './read-buffers.ts'

/** An answer whose head has come. Close it in any case. */
export interface Answer extends AnswerHead {
  /** As `EngineSocket.read`. */
  read(target: Uint8Array): Promise<number>
  close(): void
}

/** See the head of this file. */
export class EngineSockets {
  readonly #connect: Connect
  readonly #host: string
  readonly #timeoutMs: number
  readonly #buffers: ReadBuffers
  readonly #all = new Set<EngineSocket>()
  readonly #idle: EngineSocket[] = []
  readonly #waiting: (() => void)[] = []
  #isRetired = false
  #failure: EngineFailure | undefined

  /** `timeoutMs`: for a connection and the head of an answer together, and for the next bytes of its body. */
  constructor(connect: Connect, host: string, timeoutMs: number, buffers: ReadBuffers) {
    this.#buffers = buffers
    this.#connect = connect
    this.#host = host
    this.#timeoutMs = timeoutMs
  }

  /** Asks, and resolves once the head of the answer has come. All of it ends with `signal`. Throws `EngineFailure`. */
  async ask(asked: Asked, signal?: AbortSignal): Promise<Answer> {
    const limit = new Limit(signal, this.#timeoutMs)
    try {
      for (;;) {
        const { socket, isKept } = await this.#take(limit)
        limit.ends(socket)
        const head = await socket.ask(asked).catch((error: unknown) => {
          this.#release(socket)
          if (!isKept || limit.isEnded || failureOf(error).reason !== 'cut') throw error
        })
        if (head !== undefined) return this.#answerOf(head, socket, limit)
      }
    } catch (error) {
      limit[Symbol.dispose]()
      throw error
    }
  }

  /** Ends each connection once nothing is under way on it. Resolves when all have ended. Nothing more may be asked. */
  async retire(): Promise<void> {
    this.#isRetired = true
    for (const socket of this.#idle.splice(0)) this.#end(socket)
    while (this.#all.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Ends every connection, and whatever is under way. */
  close(failure: EngineFailure): void {
    this.#failure = failure
    for (const socket of this.#all) socket.fail(failure)
    this.#wake()
  }

  async #take(limit: Limit): Promise<{ socket: EngineSocket; isKept: boolean }> {
    for (;;) {
      limit.demand()
      if (this.#failure !== undefined) throw this.#failure
      const kept = this.#idle.pop()
      if (kept !== undefined) {
        if (!kept.isEnded) return { socket: kept, isKept: true }
        this.#end(kept)
      } else if (this.#all.size < engineConnections) {
        const socket = new EngineSocket(this.#connect, this.#host, this.#buffers)
        this.#all.add(socket)
        return { socket, isKept: false }
      } else {
        await limit.wait((wake) => this.#waiting.push(wake))
      }
    }
  }

  #answerOf(head: AnswerHead, socket: EngineSocket, limit: Limit): Answer {
    limit.headCame()
    return {
      ...head,
      read: (target) => socket.read(target, this.#timeoutMs),
      close: () => {
        limit[Symbol.dispose]()
        if (this.#all.has(socket)) this.#release(socket)
      },
    }
  }

  #release(socket: EngineSocket): void {
    if (!socket.isFree || this.#isRetired) return this.#end(socket)
    this.#idle.push(socket)
    this.#wake()
  }

  #end(socket: EngineSocket): void {
    socket.fail(new EngineFailure('cut'))
    this.#all.delete(socket)
    this.#wake()
  }

  // Whoever waits looks again. Some of them may have given up.
  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** How long a question may take until the head of its answer, and whether somebody still waits. */
class Limit implements Disposable {
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = () => this.#end(failureOf(this.#signal?.reason))
  #failure: EngineFailure | undefined
  #onEnd: ((failure: EngineFailure) => void) | undefined

  constructor(signal: AbortSignal | undefined, timeoutMs: number) {
    this.#signal = signal
    this.#timer = setTimeout(() => this.#end(new EngineFailure('timeout')), timeoutMs)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted === true) this.#onAbort()
  }

  get isEnded(): boolean {
    return this.#failure !== undefined
  }

  /** Throws where it has ended. */
  demand(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Ends a socket when it ends. */
  ends(socket: EngineSocket): void {
    this.#onEnd = (failure) => socket.fail(failure)
  }

  /** Waits until it is woken, or has ended. */
  async wait(enqueue: (wake: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onEnd = () => resolve()
      enqueue(resolve)
    })
  }

  headCame(): void {
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#onEnd = undefined
  }

  #end(failure: EngineFailure): void {
    this.#failure ??= failure
    this.#onEnd?.(this.#failure)
  }
}
