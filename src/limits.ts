// Every bound in Annals, with its reason. What overflows has a defined answer, named beside it.

/** An entry's longest line without its final newline: `tlog-tiles` gives an entry's length 16 bits (L3). */
export const entryBytes = 65_535

// The sequencer: one commit is one write and one fdatasync, so a batch is as large as is still quick to write.

/** Entries in one commit. What waits beyond it goes into the next. */
export const batchEntries = 4_096
/** Bytes in one commit; at least one entry is always taken. */
export const batchBytes = 4 * 1024 * 1024
/** Entries that may wait for a commit. Beyond: TOO_MANY_REQUESTS, nothing recorded. */
export const queueEntries = 65_536
/** Bytes that may wait for a commit. Beyond: TOO_MANY_REQUESTS, nothing recorded. */
export const queueBytes = 64 * 1024 * 1024

// Segments.

/** A segment is sealed at the first multiple of 256 entries at or above this many bytes. */
export const segmentBytes = 64 * 1024 * 1024
/** Every how many entries the sparse index has a record: the width of a Merkle tile (C2SP tlog-tiles). */
export const blockEntries = 256

// Duplicates (I4).

/** An event is recognised as recorded before within at least this many of the last entries. */
export const horizonEntries = 2 ** 20

// Disk space (I9).

/** Below this much free space recording is refused; it resumes at twice that. */
export const minFreeBytes = 64 * 1024 * 1024

// Time.

/** A difference between the wall clock and the monotonic clock that is itself an entry. */
export const clockStepMicros = 1_000_000
/** A wall clock this far behind an entry's time is kept in the line as `clock` (W8). */
export const clockLagMicros = 1_000
/** How long after an entry `head` is replaced at the latest. */
export const headDelayMs = 1_000
