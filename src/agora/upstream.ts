// Questions to one instance: over connections that are kept from one to the next, and bounded in number. What is passed on
// is the client's own question; what comes back is the instance's own answer, byte for byte.

import { AnnalsError } from '../errors.ts'
import { instanceConnections, instanceHeadMs, instanceIdleMs } from '../limits.ts'
import { type Connect, connectorOf } from './connector.ts'
import type { Instance } from './instance.ts'
import {
  type AnswerHead,
  defaultSocketBounds,
  InstanceSocket,
  type Question,
  type SocketBounds,
} from './instance-socket.ts'
import { InstanceSilent } from './silence.ts'

/** How long things may take, and how many connections there are. */
export interface UpstreamBounds extends SocketBounds {
  readonly headMs: number
  readonly idleMs: number
  readonly connections: number
}

/** As nodes have them. */
export const defaultUpstreamBounds: UpstreamBounds = {
  ...defaultSocketBounds,
  headMs: instanceHeadMs,
  idleMs: instanceIdleMs,
  connections: instanceConnections,
}

/** An answer whose head has come. Dispose of it in any case. */
export interface InstanceAnswer extends AnswerHead, Disposable {
  /** True where nothing of the body is left. */
  readonly isOver: boolean
  /** As `InstanceSocket.read`. */
  read(target: Uint8Array): Promise<number>
}

/** The connections to one instance. Once it is disposed of, each ends when the answer on it is over. */
export class Upstream implements Disposable {
  readonly #connect: Connect
  readonly #host: string
  readonly #common: Buffer
  readonly #bounds: UpstreamBounds
  readonly #all = new Set<InstanceSocket>()
  readonly #idle: { readonly socket: InstanceSocket; readonly timer: NodeJS.Timeout }[] = []
  #isRetired = false

  /** `common` is what the connections of a gateway read into. */
  constructor(
    instance: Pick<Instance, 'url' | 'ca' | 'pin'>,
    common: Buffer,
    bounds: UpstreamBounds = defaultUpstreamBounds,
  ) {
    this.#connect = connectorOf(instance)
    this.#host = new URL(instance.url).host
    this.#common = common
    this.#bounds = bounds
  }

  /**
   * Asks, and resolves once the head of the answer has come. All of it ends with `signal`. Throws `InstanceSilent`,
   * UNAVAILABLE where too many answers of this instance are under way, and what `signal` was aborted with.
   */
  async ask(question: Question, signal: AbortSignal): Promise<InstanceAnswer> {
    const limit = new Limit(this.#bounds.headMs, signal)
    try {
      for (;;) {
        const { socket, isKept } = this.#take()
        const head = await limit.guard(socket, question).catch((error: unknown) => {
          this.#end(socket)
          signal.throwIfAborted()
          // A connection that was kept may have ended unnoticed. To read is safe to repeat.
          if (!isKept || !(error instanceof InstanceSilent) || error.reason !== 'cut') throw error
        })
        if (head !== undefined) return this.#answerOf(head, socket, limit)
      }
    } catch (error) {
      limit[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#isRetired = true
    for (const { socket, timer } of this.#idle.splice(0)) {
      clearTimeout(timer)
      this.#end(socket)
    }
  }

  #take(): { socket: InstanceSocket; isKept: boolean } {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      clearTimeout(kept.timer)
      if (!kept.socket.isEnded) return { socket: kept.socket, isKept: true }
      this.#end(kept.socket)
    }
    if (this.#all.size >= this.#bounds.connections)
      throw new AnnalsError('UNAVAILABLE', 'too many answers of this instance are under way')
    const socket = new InstanceSocket(this.#connect, this.#host, this.#common, this.#bounds)
    this.#all.add(socket)
    return { socket, isKept: false }
  }

  #answerOf(head: AnswerHead, socket: InstanceSocket, limit: Limit): InstanceAnswer {
    limit.headCame()
    return {
      ...head,
      get isOver() {
        return socket.isOver
      },
      read: (target) => socket.read(target),
      [Symbol.dispose]: () => {
        limit[Symbol.dispose]()
        if (this.#all.has(socket)) this.#release(socket)
      },
    }
  }

  #release(socket: InstanceSocket): void {
    if (!socket.isFree || this.#isRetired) return this.#end(socket)
    const timer = setTimeout(() => this.#end(socket), this.#bounds.idleMs).unref()
    this.#idle.push({ socket, timer })
  }

  #end(socket: InstanceSocket): void {
    socket.fail(new InstanceSilent('cut'))
    this.#all.delete(socket)
  }
}

/** How long a question may take until the head of its answer, whatever connections it tries, and whether somebody waits. */
class Limit implements Disposable {
  readonly #signal: AbortSignal
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = () => this.#end(new InstanceSilent('cut'))
  #failure: InstanceSilent | undefined
  #socket: InstanceSocket | undefined

  constructor(headMs: number, signal: AbortSignal) {
    signal.throwIfAborted()
    this.#signal = signal
    this.#timer = setTimeout(() => this.#end(new InstanceSilent('timeout')), headMs)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Asks on a connection, which is ended where this ends first. */
  async guard(socket: InstanceSocket, question: Question): Promise<AnswerHead> {
    this.#socket = socket
    if (this.#failure !== undefined) throw this.#failure
    return await socket.ask(question)
  }

  headCame(): void {
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #end(failure: InstanceSilent): void {
    this.#failure = failure
    this.#socket?.fail(failure)
  }
}
