// The bounds of the client, each with its reason and what happens beyond it. Those that an application may want to
// change are defaults of options.

/**
 * Events that wait in memory, with `maxWaiting`. Beyond: FULL, or on disk where there is a spool. As many may wait for that
 * disk. Beyond: SPOOL_FULL.
 */
export const waitingEvents = 10_000
/** Their bytes, with `maxWaitingBytes`. Beyond: the same. */
export const waitingBytes = 16 * 1024 * 1024
/** Events of one request, with `batch.events`: what the server makes durable at once anyway. Beyond: the next request. */
export const batchEvents = 500
/** Bytes of one request, with `batch.bytes`: below what proxies let through by default. Beyond: the next request. */
export const batchBytes = 512 * 1024
/** How long an event waits for others while another request is under way, with `batch.lingerMs`. */
export const batchLingerMs = 5
/** Requests under way at a time, with `batch.inFlight`: with one, events stay in order. */
export const requestsInFlight = 1
/** One event as JSON: the server takes no longer lines. Beyond: INVALID_EVENT. */
export const eventBytes = 1024 * 1024
/** A request with its answer, with `requestTimeoutMs`: less than half of `giveUpAfterMs`. Beyond: it is tried again. */
export const requestTimeoutMs = 10_000
/** The longest that a timer of Node's can be set for, in milliseconds. Beyond: a TypeError, or this. */
export const timerMostMs = 2 ** 31 - 1
/** How long an event is tried before `record` gives up, with `giveUpAfterMs`: people wait behind it. */
export const giveUpAfterMs = 30_000
/** How long `close` waits for what is under way, unless it is told otherwise. */
export const closeTimeoutMs = 10_000
/** The same at the end of a pino transport: pino stands still meanwhile, and gives up after 10 seconds. */
export const pinoCloseMs = 5_000
/** The greatest time of a line of pino's that counts seconds: in the year 5138. Beyond: it counts milliseconds, from 1973 on. */
export const secondsMost = 100_000_000_000
/** The first pause before another try, up to which chance chooses; it doubles up to the longest. */
export const pauseMs = 50
export const pauseMostMs = 10_000
/** The pause where the whole request is refused, as for wrong credentials, and the events are kept: somebody must act. */
export const refusedPauseMs = 60_000
/** How often events are looked for, during a pause, that were tried for too long. */
export const pauseLookMs = 1_000
/** The longest pause that a server's `Retry-After` is believed. Beyond: this one. */
export const retryAfterMostMs = 300_000
/** How much longer than `Retry-After` says, as a part of it and up to which chance chooses: others were told the same. */
export const retryAfterSpread = 0.5
/** An answer to a request to record: some 200 bytes for each event. Beyond: the rest is not read, and tried again. */
export const answerBytes = 4 * 1024 * 1024
/** An answer with an access token. Beyond: it is none. */
export const tokenAnswerBytes = 64 * 1024
/** How long before its end an access token is replaced, or a fifth of its life where that is shorter. */
export const tokenEarlySeconds = 60
/** The life of an access token whose answer does not say it. */
export const tokenLifeSeconds = 300
/** Warnings about events that were not recorded, where there is no `onError`: at most one in so long. */
export const warnEveryMs = 60_000
/** How long `close`, once it has cut off what is under way, waits to hear so. Beyond: it does not wait any more. */
export const closeCutOffMs = 1_000
/** How long `close` waits, after that, until the disk has what is left. Beyond: it is written, or not, after `close`. */
export const closeDiskMs = 3_000
/** A file of the spool: it is read into memory as a whole. Beyond: the next file. */
export const spoolFileBytes = 1024 * 1024
/** All files of a spool, with `spool.maxBytes`. Beyond: SPOOL_FULL. */
export const spoolBytes = 256 * 1024 * 1024
/** How often a process says that its part of the spool is its own, and looks for parts whose process has ended. */
export const spoolBeatMs = 15_000
/** How long ago a process must have said so that its part counts as left, where the system cannot tell. */
export const spoolLeftMs = 60_000
