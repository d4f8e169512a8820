// Hashes passwords in one worker thread, one after the other. What waits is bounded and refused beyond that,
// before anything is hashed. Passwords go to the thread by message alone, as bytes that are handed over, never
// copied. If the thread dies, the caller whose password it had is told, and the next one gets a new thread.

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { AnnalsError } from '../errors.ts'
import {
  hashRetryAfterSeconds,
  passwordThreadHeapMb,
  waitingHashes,
  waitingStrangersHashes,
} from '../limits.ts'
import {
  formatHash,
  hashBytes,
  hashParameters,
  isWeaker,
  parseHash,
  passwordBytes,
  saltBytes,
  type HashParameters,
  type Random,
} from './password.ts'

/** What a hasher may be given. */
export interface HasherOptions {
  readonly parameters?: HashParameters
  readonly random?: Random
  /** Starts the thread. */
  readonly startWorker?: () => Worker
}

/**
 * One worker thread and its queue. The thread is started when the first password comes, and does not keep the
 * process alive while it is idle.
 */
export class Hasher implements AsyncDisposable {
  /** What new hashes cost. */
  readonly parameters: HashParameters
  readonly #random: Random
  readonly #startWorker: () => Worker
  readonly #waiting: Job[] = []
  #running: Job | undefined
  #worker: Worker | undefined
  #isClosed = false

  constructor(options: HasherOptions = {}) {
    this.parameters = options.parameters ?? hashParameters
    this.#random = options.random ?? randomBytes
    this.#startWorker = options.startWorker ?? startWorker
  }

  /**
   * The string to store for a password (`password.ts`). Throws TOO_MANY_REQUESTS where too many wait,
   * UNAVAILABLE where the thread died or the hasher is closed.
   */
  async hash(password: string): Promise<string> {
    const { parameters } = this
    const salt = this.#random(saltBytes)
    const hash = await this.#derive(password, { ...parameters, salt, hashBytes })
    return formatHash({ parameters, salt, hash })
  }

  /**
   * Whether a password is the stored one. Whoever is not at home (`logins.ts`) leaves some places in the queue to others.
   * Throws as `hash` does, and INTERNAL where `stored` cannot be read.
   */
  async verify(password: string, stored: string, isAtHome = false): Promise<boolean> {
    const { parameters, salt, hash } = parseHash(stored)
    const most = isAtHome ? waitingHashes : waitingStrangersHashes
    const derived = await this.#derive(password, { ...parameters, salt, hashBytes: hash.length }, most)
    return timingSafeEqual(derived, hash)
  }

  /** Whether a stored password was hashed more cheaply than new ones are. */
  isOutdated(stored: string): boolean {
    return isWeaker(parseHash(stored).parameters, this.parameters)
  }

  /** Whether one more password would be refused now. */
  get isFull(): boolean {
    return this.#waiting.length >= waitingHashes
  }

  /** Ends the thread. Whoever still waits is told UNAVAILABLE. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const job of this.#waiting.splice(0)) job.reject(closing())
    this.#running?.reject(closing())
    this.#running = undefined
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #derive(
    password: string,
    request: Omit<HashRequest, 'password'>,
    most = waitingHashes,
  ): Promise<Uint8Array> {
    if (this.#isClosed) throw closing()
    if (this.#waiting.length >= most) throw tooMany()
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    this.#waiting.push({ password: passwordBytes(password), request, resolve, reject })
    this.#next()
    return promise
  }

  #next(): void {
    if (this.#running !== undefined) return
    const job = this.#waiting.shift()
    if (job === undefined) {
      this.#worker?.unref()
      return
    }
    this.#running = job
    try {
      this.#worker ??= this.#start()
      this.#worker.ref()
      this.#worker.postMessage({ ...job.request, password: job.password }, [job.password.buffer])
    } catch (error) {
      this.#settle((running) => running.reject(died(error)))
    }
  }

  #start(): Worker {
    const worker = this.#startWorker()
    let cause: unknown
    worker.on('message', (reply: HashReply) => {
      if (worker !== this.#worker) return
      this.#settle((job) => ('hash' in reply ? job.resolve(reply.hash) : job.reject(died(reply.failure))))
    })
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => {
      if (worker !== this.#worker) return
      this.#worker = undefined
      this.#settle((job) => job.reject(died(cause)))
    })
    return worker
  }

  /** Ends the running job, and begins the next: a thread that dies at each start cannot spin. */
  #settle(end: (job: Job) => void): void {
    const job = this.#running
    this.#running = undefined
    if (job !== undefined) end(job)
    this.#next()
  }
}

/** One password to hash. Its bytes are handed over, and are wiped when it is done. */
export interface HashRequest {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly hashBytes: number
}

/** What became of it. */
export type HashReply = { readonly hash: Uint8Array } | { readonly failure: string }

interface Job {
  readonly password: Uint8Array<ArrayBuffer>
  readonly request: Omit<HashRequest, 'password'>
  readonly resolve: (hash: Uint8Array) => void
  readonly reject: (error: AnnalsError) => void
}

function startWorker(): Worker {
  return new Worker(new URL('./password-worker.mjs', import.meta.url), {
    name: 'annals-password',
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: passwordThreadHeapMb },
  })
}

function tooMany(): AnnalsError {
  return new AnnalsError('TOO_MANY_REQUESTS', 'too many logins at once', {
    retryAfterSeconds: hashRetryAfterSeconds,
  })
}

function died(cause: unknown): AnnalsError {
  return new AnnalsError('UNAVAILABLE', 'the password could not be checked', {
    detail: 'the thread that hashes passwords failed',
    cause,
    retryAfterSeconds: hashRetryAfterSeconds,
  })
}

function closing(): AnnalsError {
  return new AnnalsError('UNAVAILABLE', 'this node is stopping')
}
