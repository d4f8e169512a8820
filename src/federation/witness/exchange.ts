// A log and its witnesses: as long as the node runs, each witness is shown the latest checkpoint now and then, in the
// background, and what it cosigns is kept with the log. What a witness holds and the log does not continue is held against
// the log (`AuditLog.confront`).

import { setTimeout as sleep } from 'node:timers/promises'
import { witnessIntervalMs, witnessLookMs } from '../../limits.ts'
import type { AuditLog } from '../../log/audit-log.ts'
import type { SignedHead } from '../../log/head.ts'
import { formatNote } from '../../tree/note.ts'
import type { NoteKey } from '../../tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../../tree/signed-checkpoint.ts'
import { formatAddCheckpoint } from '../../tree/witness.ts'
import type { FederationLogger } from '../monitor.ts'
import type { WitnessPeer, WitnessReply } from './witness-peer.ts'
import { originHash } from './witness-state.ts'

/** What an exchange needs. */
export interface ExchangeParts {
  readonly log: Pick<AuditLog, 'origin' | 'proofs' | 'confront' | 'cosigned' | 'keys'>
  /** The witnesses as they are at this moment. */
  readonly peers: () => readonly WitnessPeer[]
  readonly logger: FederationLogger
  readonly metrics: ExchangeMetrics
  /** How often each is asked, and how often it is looked; for tests. */
  readonly intervalMs?: number
  readonly lookMs?: number
}

/** What is counted. */
export interface ExchangeMetrics {
  cosigned(): void
  failed(reason: ExchangeFailure): void
}

/** Why a witness did not cosign. */
export type ExchangeFailure =
  | 'no answer'
  | 'refused'
  | 'too soon'
  | 'not signed'
  | 'keys unknown'
  | 'contradicted'

/** How far a witness is behind the log. */
export interface WitnessLag {
  readonly name: string
  readonly entries: number
  readonly seconds: number
}

/** See the head of this file. Dispose of it to end it. */
export class WitnessExchange implements AsyncDisposable {
  readonly #parts: ExchangeParts
  readonly #states = new Map<string, PeerState>()
  readonly #calls = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #looking: Promise<void> | undefined

  constructor(parts: ExchangeParts) {
    this.#parts = parts
  }

  /** Begins. */
  start(): void {
    this.#looking = this.#look()
  }

  /** How far each witness is behind, in entries of the log and in seconds since it has been. */
  lags(): WitnessLag[] {
    const size = this.#parts.log.proofs.checkpoint()?.size ?? 0
    return [...this.#states].map(([name, { cosigned, behindMs }]) => ({
      name,
      entries: size - cosigned,
      seconds: size === cosigned || behindMs === undefined ? 0 : (performance.now() - behindMs) / 1000,
    }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#looking
    await Promise.all(this.#calls)
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping
    const { lookMs = witnessLookMs } = this.#parts
    while (!signal.aborted) {
      const peers = this.#parts.peers()
      for (const name of this.#states.keys())
        if (!peers.some((peer) => peer.name === name)) this.#states.delete(name)
      for (const peer of peers) this.#lookAt(peer)
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    }
  }

  #lookAt(peer: WitnessPeer): void {
    const state = this.#stateOf(peer)
    const head = this.#parts.log.proofs.checkpoint()
    if (head === undefined || head.size === state.cosigned) return
    state.behindMs ??= performance.now()
    if (state.isAsked || performance.now() < state.dueMs) return
    state.isAsked = true
    const call = this.#show(peer, state, head).finally(() => {
      state.isAsked = false
      // From the answer on: the witness counts from its own cosignature, which was a little earlier.
      state.dueMs = Math.max(state.dueMs, performance.now() + (this.#parts.intervalMs ?? witnessIntervalMs))
      this.#calls.delete(call)
    })
    this.#calls.add(call)
  }

  #stateOf({ name }: WitnessPeer): PeerState {
    const state = this.#states.get(name) ?? newState()
    this.#states.set(name, state)
    return state
  }

  async #show(peer: WitnessPeer, state: PeerState, head: SignedHead): Promise<void> {
    const { metrics, logger } = this.#parts
    try {
      const failure = peer.keys.length === 0 ? 'keys unknown' : await this.#ask(peer, state, head)
      if (failure === undefined) return this.#succeeded(peer, state)
      metrics.failed(failure)
      // Nothing is recorded any more, so nothing is to be cosigned.
      if (failure === 'contradicted') state.dueMs = Number.POSITIVE_INFINITY
      // Whoever is asked too often has cosigned what somebody else showed.
      if (failure !== state.failure && failure !== 'too soon' && !this.#stopping.signal.aborted)
        logger.warn({ witness: peer.name, reason: failure }, 'a witness did not cosign a checkpoint')
      state.failure = failure
    } catch (error) {
      metrics.failed('no answer')
      state.silences += 1
      // Said at the second time: one that is being started is there at the next.
      if (state.silences === 2 && !this.#stopping.signal.aborted)
        logger.warn({ witness: peer.name, err: error }, 'a witness is out of reach')
      if (state.silences > 1) state.failure = 'no answer'
    }
  }

  #succeeded({ name }: WitnessPeer, state: PeerState): void {
    this.#parts.metrics.cosigned()
    if (state.failure !== undefined && state.failure !== 'too soon')
      this.#parts.logger.info({ witness: name }, 'a witness cosigns again')
    state.failure = undefined
    state.silences = 0
  }

  // At the first time the witness says from which size it wants to be shown.
  async #ask(peer: WitnessPeer, state: PeerState, head: SignedHead): Promise<ExchangeFailure | undefined> {
    let reply = await this.#request(peer, state, head)
    const size = reply.status === 409 ? sizeOf(reply) : undefined
    if (size !== undefined && size <= head.size) {
      state.old = size
      reply = await this.#request(peer, state, head)
    }
    if (reply.status === 200) return await this.#keep(peer, state, head.note, reply.body.toString())
    if (reply.status === 429) return await this.#wait(peer, state, reply)
    return (await this.#isContradicted(peer)) ? 'contradicted' : 'refused'
  }

  async #request(peer: WitnessPeer, { old }: PeerState, { size, note }: SignedHead): Promise<WitnessReply> {
    const proof = await this.#parts.log.proofs.consistency(Math.min(old, size), size)
    return await peer.addCheckpoint(formatAddCheckpoint({ old: Math.min(old, size), proof, note }))
  }

  // Somebody else may have shown the witness a checkpoint just now: its cosignature is as good.
  async #wait(
    peer: WitnessPeer,
    state: PeerState,
    { retryAfterSeconds = 0 }: WitnessReply,
  ): Promise<ExchangeFailure> {
    state.dueMs = Math.max(state.dueMs, performance.now() + retryAfterSeconds * 1000)
    const latest = await peer.latest(originHash(this.#parts.log.origin))
    if (latest === undefined) return 'too soon'
    if (await this.#parts.log.confront(peer.name, latest)) return 'contradicted'
    await this.#keep(peer, state, latest, '')
    return 'too soon'
  }

  async #keep(
    peer: WitnessPeer,
    state: PeerState,
    note: string,
    lines: string,
  ): Promise<ExchangeFailure | undefined> {
    const { log } = this.#parts
    const cosigned = onlyOf(note + lines, [...log.keys, ...peer.keys])
    if (cosigned === undefined || !cosigned.verified.some((key) => peer.keys.includes(key)))
      return 'not signed'
    await log.cosigned(cosigned.note)
    state.old = state.cosigned = cosigned.size
    state.behindMs = undefined
    return undefined
  }

  async #isContradicted(peer: WitnessPeer): Promise<boolean> {
    const { log } = this.#parts
    const note = await peer.latest(originHash(log.origin))
    return note !== undefined && (await log.confront(peer.name, note))
  }
}

interface PeerState {
  /** The size that the witness saw last, as far as is known, and the last one that it cosigned for us. */
  old: number
  cosigned: number
  /** Since when it has been behind. */
  behindMs: number | undefined
  dueMs: number
  isAsked: boolean
  failure: ExchangeFailure | undefined
  /** How often it has not answered, one time after the other. */
  silences: number
}

function newState(): PeerState {
  return {
    old: 0,
    cosigned: 0,
    behindMs: undefined,
    dueMs: 0,
    isAsked: false,
    failure: undefined,
    silences: 0,
  }
}

function sizeOf({ body }: WitnessReply): number | undefined {
  const [, size] = /^(0|[1-9][0-9]{0,15})\n$/.exec(body.toString()) ?? []
  return size === undefined ? undefined : Number(size)
}

// A checkpoint with the signatures of these keys and no others; undefined where one of them is wrong.
function onlyOf(note: string, keys: readonly NoteKey[]) {
  const checkpoint = parseSignedCheckpoint(note)
  const verified = checkpoint && verifySignatures(checkpoint, keys)?.map(({ key }) => key)
  if (checkpoint === undefined || verified === undefined) return undefined
  const signatures = checkpoint.signatures.filter(({ name, id }) =>
    verified.some((key) => key.name === name && key.id === id),
  )
  return { size: checkpoint.size, note: formatNote({ text: checkpoint.text, signatures }), verified }
}
