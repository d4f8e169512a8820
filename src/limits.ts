// Every bound in Annals, with its reason. What overflows has a defined answer, named beside it.

/** An entry's longest line without its final newline: `tlog-tiles` gives an entry's length 16 bits (L3). */
export const entryBytes = 65_535

// The sequencer: one commit is one write and one fdatasync, so a batch is as large as is still quick to write.

/** Entries in one commit. What waits beyond it goes into the next. */
export const batchEntries = 4_096
/** Bytes in one commit: many times the largest entry. */
export const batchBytes = 4 * 1024 * 1024
/** Entries that may wait for a commit: four of the largest. Beyond: TOO_MANY_REQUESTS, nothing recorded. */
export const queueEntries = 16_384
/** Their bytes: two commits, so that nothing waits for long and the memory of overload is bounded. Beyond: TOO_MANY_REQUESTS, nothing recorded. */
export const queueBytes = 8 * 1024 * 1024
/** What of both is kept for reads, and for events that come several at once: single ones would leave them no room. */
export const queueNotForSingles = { entries: 1_024, bytes: 2 * 1024 * 1024 } as const
/** What a read counts as among them, whose entry is made only when it has its place: some hundred bytes. */
export const readBytes = 2_048

/** A sync that takes no longer than this, its hop to the thread pool included, is fast. */
export const fastSyncMs = 1
/** So many fast syncs in a row, and the event loop waits for the next one itself. */
export const fastSyncsInARow = 4

// Segments.

/** A segment is sealed at the first multiple of 256 entries at or above this many bytes. */
export const segmentBytes = 64 * 1024 * 1024
/** Every how many entries the sparse index has a record: the width of a Merkle tile (C2SP tlog-tiles). */
export const blockEntries = 256

/** Sparse indexes of sealed segments kept in memory: 60 KB for each 64 MiB of text. */
export const cachedIndexes = 64
/** Parsed blocks kept in memory: 4 KB for each 256 entries. */
export const cachedBlocks = 256
/** Blocks whose leaf hashes are remembered for proofs, 20 kB each. Beyond: the oldest is forgotten. */
export const cachedLeafBlocks = 32

/** Faults that `annals check` names one by one; it counts all. */
export const checkFaults = 100

// Duplicates (I4).

/** An event is recognised as recorded before within at least this many of the last entries. */
export const horizonEntries = 2 ** 20

// Disk space (I9).

/** Below this much free space recording is refused; it resumes at twice that. */
export const minFreeBytes = 64 * 1024 * 1024
/** How often recording that is accepted looks for room: a fraction of what fills the last 64 MiB of a fast disk. */
export const roomLookMicros = 20_000
/** How often recording that is refused looks for room. */
export const roomCheckMs = 1_000

// Time.

/** A difference between the wall clock and the monotonic clock that is itself an entry. */
export const clockStepMicros = 1_000_000
/** A wall clock this far behind an entry's time is kept in the line as `clock` (W8). */
export const clockLagMicros = 1_000
/** How often the two clocks are compared where no entry comes. */
export const clockCheckMs = 10_000
/** How long after an entry `head` is replaced: half of the second that the design gives it. */
export const headDelayMs = 500
/** How long a head that could not be written waits at the most before it is tried again. */
export const headRetryMs = 30_000
/** How long somebody waits for a checkpoint that covers an entry. Beyond: UNAVAILABLE, with when to come back. */
export const checkpointWaitMs = 10_000

// The HTTP face.

/** A request's line and headers together. Credentials and conditions need far less. Beyond: HEADERS_TOO_LARGE. */
export const headerBytes = 16 * 1024
/** How long a request's headers may take to arrive: enough for a bad link, not for a slowloris. Beyond: REQUEST_TIMEOUT. */
export const headersTimeoutMs = 20_000
/** How long a whole request may take to arrive, body included. Beyond: REQUEST_TIMEOUT. */
export const requestTimeoutMs = 60_000
/** How often those two are looked at. */
export const connectionsCheckMs = 5_000
/** How long an idle connection is kept: longer than the 60 s of the usual proxies, so that they close first. */
export const keepAliveMs = 75_000
/** How long a connection may be still while a small answer waits to be taken. Beyond: closed. */
export const connectionIdleMs = 120_000
/** Open connections. A fleet of readers needs dozens; each costs some 50 KiB. Beyond: closed as they come. */
export const connections = 2_048
/**
 * Connections that wait to be accepted: all that may be open, since a whole fleet may come back in one moment. Beyond: the
 * system lets them try again, and resets some in the end. Linux has a bound of its own, `net.core.somaxconn`.
 */
export const acceptBacklog = connections
/** How long what a refused client still sends is thrown away, so that it can read the refusal, before the end. */
export const lingerMs = 1_000
/** A host name in a path: DNS has no longer ones (RFC 1035). Beyond: NOT_FOUND. */
export const hostNameCharacters = 253
/** A form that a client sends to the authorization server: some hundred bytes, and a token. Beyond: BODY_TOO_LARGE. */
export const oauthBodyBytes = 16 * 1024
/** What a request that is answered without its body may still send on a connection that is kept. Beyond: closed. */
export const unreadBodyBytes = 1024 * 1024
/** An answer up to this size is read whole and written at once: it fits the socket's own buffers. */
export const smallAnswerBytes = 64 * 1024
/** One of an answer's two buffers: the size at which Node was measured faster than sendfile. */
export const answerBufferBytes = 1024 * 1024
/** Buffers kept for the next answer: two answers' worth. */
export const idleAnswerBuffers = 4
/** Answers larger than `smallAnswerBytes` on their way at once, two buffers each. Beyond: UNAVAILABLE. */
export const bulkAnswers = 32
/** What is compressed in one go, on a thread that the disk needs too: less than half a millisecond for zstd. */
export const compressBlockBytes = 128 * 1024
/** From how many bytes on an entry bundle is compressed: less is one packet either way. */
export const compressFromBytes = 1024
/** Answers compressed at once, so that they cannot hold all of libuv's threads. Beyond: sent uncompressed. */
export const compressedAnswers = 8
/** How long a client may take over one buffer of an answer (1 MiB: 17 KiB/s). Beyond: cut off. */
export const answerStallMs = 60_000
/** When a caller whom we had no room for should try again, where the refusal does not say it itself. */
export const retryAfterSeconds = 5

// Configuration, the command line and the node's life.

/** A configuration file. Ours has some twenty lines. Beyond: INVALID_CONFIGURATION. */
export const configurationFileBytes = 1024 * 1024
/** A file that holds a password: its first line counts. Beyond: INVALID_INPUT. */
export const passwordFileBytes = 4_096
/** How often the server records what commands left in the outbox. */
export const outboxIntervalMs = 200
/** How long a command waits for its change to be recorded; after that it says that the record still waits. */
export const outboxWaitMs = 5_000
/** How long a server that starts waits for a command to let go of the lock. */
export const lockWaitMs = 5_000
/** How often the lock is tried again meanwhile. */
export const lockRetryMs = 50
/** A stop's last part, when the log is closed: a disk that takes longer is given up. */
export const closeTimeoutMs = 30_000

// The account database.

/** How long a statement waits for another process that writes. A change takes milliseconds. Beyond: UNAVAILABLE. */
export const databaseBusyMs = 5_000
/** How often it tries in that time, without blocking anything else. */
export const databaseRetryMs = 5
/** Prepared statements kept for each connection: several times what we have. Beyond: prepared anew. */
export const preparedStatements = 128
/** Events of the outbox read in one go. */
export const outboxBatch = 100
/** How often a command looks whether the server has recorded its event: two looks in the time between drains. */
export const outboxLookMs = 100

// Accounts and logins.

/** An account's name: long enough for every directory's; it stands in each line that tells what the account did. */
export const accountNameCharacters = 64
/** The shortest password (contract S4). */
export const passwordMinCharacters = 8
/** The longest password: more than any generator makes, and small beside a request's headers. */
export const passwordMaxCharacters = 256
/** Passwords that wait to be hashed: half a second's work. Beyond: TOO_MANY_REQUESTS, nothing hashed. */
export const waitingHashes = 8
/** When a caller should try again whose password we had no room to hash. */
export const hashRetryAfterSeconds = 1
/** Failed logins in a row that lock an account, unless configured otherwise (contract S4). */
export const lockoutFailures = 5
/** How long it is locked then, unless configured otherwise (contract S4). */
export const lockoutMs = 15 * 60_000
/** How long verified credentials are believed without hashing them again. */
export const cachedCredentialsMs = 5 * 60_000
/** Verified credentials remembered. Beyond: the oldest are forgotten, and hashed again when they come. */
export const cachedCredentials = 1_000
/** Calls without valid credentials that are recorded one by one in a minute. Beyond: counted (contract S7). */
export const failuresRecorded = 60
/** That minute. */
export const failuresWindowMs = 60_000

/** Networks that an account lately signed in from, and is at home in. Beyond: the oldest is forgotten. */
export const knownNetworks = 16
/** How long such a network is remembered. */
export const knownNetworksMicros = 30 * 86_400 * 1_000_000
/** How often it is noted that an account still signs in from there. */
export const knownNetworkTouchMicros = 3_600 * 1_000_000

// Files that others wrote.

/** A line of a file that is imported. Beyond: INVALID_INPUT, and nothing is imported; that is no log file. */
export const fileLineBytes = 64 * 1024 * 1024
/** A line raised in time by more than this counts as out of order. */
export const disorderMicros = 3_600_000_000
/** The share of lines out of order above which an import wants to be told that it is meant. */
export const disorderShare = 0.01
/** So many lines out of order are never too many: in a short file a late line or two are no sign of a wrong year. */
export const disorderLines = 10
/** Lines that could not be read which a summary names one by one; it counts all. */
export const namedLines = 20
/** How often a node that stops closes the connections that have become idle. */
export const idleCheckMs = 50
/** Signals this soon after the first are the same one, passed on by npm or by the launcher. */
export const signalEchoMs = 1_000
/** The heap of the thread that hashes passwords. What argon2 itself takes, 19 MiB, is not in it. */
export const passwordThreadHeapMb = 16

// The certificates of the federation.

/** How long a certificate is good: rotated by command, and a node that nobody looks after for years still works. */
export const certificateValidMicros = 5 * 365 * 86_400 * 1_000_000
/** How far before its making it begins: a peer's clock may be behind. */
export const certificateBackdateMicros = 86_400 * 1_000_000
/** A certificate in PEM. Ours have some 900 characters, one with a large RSA key 3,000. Beyond: INVALID_INPUT. */
export const certificateCharacters = 16 * 1024
/** The name of a subject: X.520 has no longer ones. What is cut off here stands in the alternative name. */
export const commonNameCharacters = 64

// Engines.

/** Engines that one entry about several of them names; it counts all. */
export const namedEngines = 20
/** A portal's question for a window: moments, a login name, an address. Beyond: BODY_TOO_LARGE. */
export const innerWindowBytes = 8 * 1024
/** A certificate that a portal announces. Beyond: BODY_TOO_LARGE. */
export const innerCertificateBytes = 16 * 1024
/** What an engine or a portal may answer beside entries: two certificates and some numbers. Beyond: answered badly. */
export const innerAnswerBytes = 64 * 1024
/** The longest file of an engine's log that its portal passes on: a bundle of 256 of the longest entries. */
export const innerPublishedBytes = 256 * (2 + 65_535)
/** How long a portal shows an engine's checkpoint that it has asked for: everybody may ask, and an engine is asked once. */
export const shownCheckpointMs = 1_000
/** How long a portal may take to be reached by an engine that joins, and a TLS handshake at an engine. */
export const peerTimeoutMs = 10_000
/** How often an engine's operator is told of connections that were not let in. */
export const strangersLogMs = 10_000
/** The first pause before a broken transfer is tried again; it doubles up to the longest. */
export const engineRetryMs = 50
export const engineRetryMostMs = 1_000
/** How often a portal looks for engines that joined, came back or were disconnected by a command. */
export const engineLookMs = 200
/** How often a portal asks each engine how it is. */
export const engineContactMs = 10_000
/** How often it asks an engine that has not answered since it joined. */
export const engineFirstContactMs = 1_000
/** How long an engine may take to let its portal in once it has joined. Then it is unreachable. */
export const engineJoinMicros = 5_000_000
/** Connections to one engine: every bulk answer of a portal at once, and some for questions. Beyond: they wait. */
export const engineConnections = 40
/** An engine's log is opened ahead when so many bytes are left of those before it: enough for 20 ms at 200 MB/s. */
export const openAheadBytes = 4 * 1024 * 1024
/** Logs that are opened ahead at once: those of short windows, which one round trip should be enough for. */
export const openAheadEngines = 128
/** Sets of snapshots of all engines that a portal remembers (R4), and for how long. */
export const snapshotSets = 1_000
export const snapshotSetsMs = 60 * 60_000
/** A difference between the clocks of an engine and its portal that is an entry. */
export const engineClockMicros = 1_000_000
/** How long an engine may take over one buffer for its portal: that one waits for clients with a minute each. */
export const innerStallMs = 3 * 60_000
/** Entries at the end of an engine's log that tell how it stopped: more than opening it ever adds. */
export const lastEntriesLooked = 16
/** How often a node looks whether a command has ordered another TLS certificate. */
export const tlsOrderLookMs = 1_000

// Joining, and the registry of engines.

/** How long a token lets an engine join: enough to walk to another machine, not to be found in a drawer. */
export const joinTokenMicros = 30 * 60_000_000
/** How long an expired token is remembered, so that whoever still has it is told why it is refused. */
export const joinTokenKeptMicros = 24 * 3_600_000_000
/** A request to join, and its answer: a certificate and a few names. Beyond: BODY_TOO_LARGE. */
export const joinBodyBytes = 32 * 1024
/** Certificates kept as they were read: two for each of more engines than a portal has. Beyond: read anew. */
export const cachedCertificates = 2_048
/** A text that is kept of an engine, such as why it does not answer: a line of a terminal or two. Beyond: cut. */
export const engineTextCharacters = 200

// Fetching: the client.

/** Attempts in a row that bring nothing new, unless `--retries` says otherwise. Beyond: given up. */
export const fetchRetries = 5
/** The pause after the first of them; each further one is twice as long. */
export const fetchPauseMs = 1_000
/** The longest pause that a fetch chooses itself. */
export const fetchPauseMaxMs = 60_000
/** All pauses of one fetch together, those that the server asks for included. Beyond: given up. */
export const fetchPausesMs = 10 * 60_000
/** How long a connection may take to be made, TLS included. */
export const fetchConnectMs = 10_000
/** How long a server may send nothing, before the head of an answer or within it. */
export const fetchStillMs = 60_000
/** A proof, a tile or the keys of a log, as a server sends them. Beyond: BODY_TOO_LARGE. */
export const fetchPublishedBytes = 64 * 1024 * 1024
/** How often a fetch asks for a proof again whose checkpoint has fewer cosignatures than a policy asks for, and how long after. */
export const quorumAttempts = 4
export const quorumPauseMs = 10_000
/** The body of a refusal: some 500 engines. What is beyond it is not read. */
export const fetchRefusalBytes = 64 * 1024
/** Refusals of one answer that are shown, one a line. Beyond: counted. */
export const fetchRefusalLines = 100
/** What is shown of a message of the server. */
export const fetchMessageCharacters = 500
/** An answer with a token: the largest tokens are a few KiB. Beyond: refused. */
export const fetchTokenBytes = 64 * 1024
/** A token is renewed this long before it expires, so that it does not expire on its way. */
export const fetchTokenSpareMs = 30_000
/** What is remembered beside a download that is not whole yet: a URL and a tag. Beyond: not ours. */
export const fetchPartNoteBytes = 64 * 1024
/** A file of certificates to trust. The largest bundles have some 250 KiB. Beyond: INVALID_INPUT. */
export const fetchCaFileBytes = 4 * 1024 * 1024
/** What a fetch holds of an answer before it is written. Beyond: the server is not read from. */
export const fetchQueueBytes = 1024 * 1024
/** What is read in one go of a download that was begun by an earlier run. */
export const fetchReadBytes = 1024 * 1024

// Connections to engines.

/** What is read in one go from an engine. TLS gives a record at a time, which is 16 KiB. */
export const engineReadBytes = 64 * 1024
/** What is held of an engine's answer until it is wanted: TLS goes on for 64 KiB and a record after it is told to stop. */
export const engineHeldBytes = 96 * 1024
/** Such buffers kept for the next answer. */
export const idleHeldBuffers = 16
/** The head of an engine's answer. Ours have some 500 bytes. Beyond: answered badly. */
export const innerHeadBytes = 16 * 1024

// Other authorization servers.

/** A document of another authorization server: keys of a few hundred bytes each, with their certificates. Beyond: not had. */
export const remoteDocumentBytes = 256 * 1024
/** How long such a document may take, connection and all: callers wait for it. */
export const remoteDocumentMs = 5_000
/** Keys in a set. Servers have two to ten. Beyond: not had. */
export const remoteKeyLimit = 100
/** How long keys are used before they are asked for again: so long does a key count that its server has withdrawn. */
export const remoteKeysFreshMs = 10 * 60_000
/** How long keys are used on where their server does not answer: over a bad night, and no weekend. */
export const remoteKeysKeptMs = 24 * 3_600_000
/** The least time between two questions for keys: tokens that are made up must not set us on another server. */
export const remoteKeysCooldownMs = 30_000
/** How long a verified token of another server is believed without another look at the server's keys. */
export const foreignTokenCachedMs = 5 * 60_000
/** Such tokens kept, of each server. Beyond: the oldest is verified again. */
export const foreignTokens = 1_000
/** A subject and an issuer, as entries name them. OpenID Connect bounds subjects so. Beyond: refused. */
export const foreignNameCharacters = 255
/** A file of issuers or instances. A thousand of them have some 300 KiB. Beyond: INVALID_CONFIGURATION. */
export const trustListBytes = 1024 * 1024

// Clients of the authorization server.

/** A client's name: it stands in lists and in entries. */
export const clientNameCharacters = 64
/** What a client is for, in a line. */
export const clientDescriptionCharacters = 200
/** How long an old secret goes on when it is replaced, unless the person says otherwise: a working day and a night. */
export const secretGraceSeconds = 24 * 3600
/** The longest such time: a secret that was to be replaced must end some day. */
export const secretGraceMostSeconds = 30 * 24 * 3600

// Attempts to prove who one is, before anything is hashed or compared. Right ones do not count. Beyond: TOO_MANY_REQUESTS
// with Retry-After.

/** From one network (`identity/network.ts`): an office behind one address mistypes now and then; 60 a minute is a guesser. */
export const networkAttemptRate = { burst: 100, perMinute: 60, keys: 16_384 }
/** For one name, from where it is not at home, or from one network where it is: a person tries a few times. */
export const nameAttemptRate = { burst: 20, perMinute: 20, keys: 16_384 }
/** For one client id, from one network. */
export const namedClientAttemptRate = { burst: 20, perMinute: 20, keys: 16_384 }
/** Tokens for one client: one in 15 minutes is enough for a poller, and a fleet of sixty may share a client. */
export const clientTokenRate = { burst: 120, perMinute: 60, keys: 16_384 }
/** How often at the most all keys of a limit are looked at for those that can be forgotten: some milliseconds each time. */
export const bucketSweepMicros = 1_000_000
/** How often at the most it is recorded that a limit refuses. */
export const limitEntryMicros = 60_000_000
/** Of the passwords that may wait to be hashed, those of whoever is not at home: the others keep some places. */
export const waitingStrangersHashes = 6

// Access tokens.

/** The longest that a token can be configured to be good: what a retired key is kept for. */
export const accessTokenMostSeconds = 86_400
/** The keys that sign them: what RS256 asks for at least (RFC 7518 section 3.3), good until 2030 (NIST SP 800-57). */
export const tokenKeyBits = 2_048
/** How often a portal looks whether that key has signed for too long. */
export const tokenKeyLookMs = 60 * 60_000
/** A token that somebody presents. Ours have some 900 characters. Beyond: UNAUTHENTICATED, nothing verified. */
export const accessTokenCharacters = 8 * 1024
/** Verified tokens remembered. Beyond: the oldest are forgotten, and verified again when they come. */
export const cachedTokens = 4_096
/** How often it is noted that a client is still used. */
export const clientUsedMicros = 60_000_000

// Roles and profiles.

/** The name of one. */
export const profileNameCharacters = 64

// The gateway.

/** Instances that one entry about several of them names; it counts all. */
export const namedInstances = 20
/** Answers that a gateway passes on at once, of all instances. Beyond: UNAVAILABLE. */
export const gatewayAnswers = 256
/** One of an answer's two buffers at a gateway: all answers together have 64 MiB. */
export const gatewayBufferBytes = 128 * 1024
/** Connections to one instance: every bulk answer that it gives at once, and as many small ones. Beyond: UNAVAILABLE. */
export const instanceConnections = 64
/** How long a connection to an instance may take to be made, TLS included. */
export const instanceConnectMs = 10_000
/** How long one that is kept may be idle: less than an instance keeps it. */
export const instanceIdleMs = 60_000
/** How long an instance may take to begin its answer: it may wait for its engines, which have 10 s, and fix them all. */
export const instanceHeadMs = 60_000
/** How long it may send nothing of its body while that is wanted: as long as it waits for an engine to come back. */
export const instanceStallMs = 60_000
/** How long more of a body is waited for before what has come is passed on: a slow log is not held back. */
export const instanceLullMs = 20
/** The head of an instance's answer. Ours have less than a KiB. Beyond: answered badly. */
export const instanceHeadBytes = 16 * 1024
/** A line between the chunks of its body. Ours have some ten characters. Beyond: answered badly. */
export const instanceChunkLineBytes = 256
/** What is read in one go from an instance. TLS gives a record at a time, which is 16 KiB. */
export const instanceReadBytes = 64 * 1024
/** Verified tokens remembered for one instance. Beyond: the oldest are forgotten, and verified again when they come. */
export const gatewayTokens = 4_096

// Recording.

/** A posted event's component or category: they stand in the message's header. Beyond: INVALID_EVENT. */
export const postedNameCharacters = 64
/** Its actor, session or target. Beyond: INVALID_EVENT. */
export const postedTextCharacters = 1_024
/** The name of a detail, with the names that it is nested in (L2). Beyond: INVALID_EVENT. */
export const detailNameCharacters = 32
/** The flat names of all of an event's details: four times what an entry can hold. Beyond: INVALID_EVENT. */
export const flatNameCharacters = 256 * 1024
/** How deep details may be nested. Beyond: INVALID_EVENT. */
export const detailDepth = 8
/** How often an entry that has to come before an answer is tried, where there is no room for a moment. */
export const refusalTries = 6
/** A request's Content-Type: ours have some thirty characters. Beyond: UNSUPPORTED_MEDIA_TYPE. */
export const contentTypeCharacters = 256
/** The longest time that somebody who finds the queue full is sent away for. */
export const paceMostSeconds = 60
/** The first pause before an event of somebody who cannot be told is tried again; it doubles up to the longest. */
export const deliveryRetryMs = 10
export const deliveryRetryMostMs = 1_000
/** How long after the first loss of a quiet time its sum is recorded, and how often at the most after that. */
export const lossFirstMs = 1_000
export const lossNextMs = 60_000
/** Sources that one sum of losses names, each by a name of at most 300 characters. Beyond: counted as others. */
export const lossSources = 50
/** Events that are recorded together or not at all: well below a commit. Beyond: BODY_TOO_LARGE. */
export const groupEntries = 1_024
/** Their bytes as entries, and those of the body that they are posted in. Beyond: BODY_TOO_LARGE. */
export const groupBytes = 2 * 1024 * 1024

// Recording at engines.

/** What a client may record, as it stands in a token for an engine: the whole token stays below 8 KiB. Beyond: invalid_scope. */
export const recordBoundsCharacters = 4 * 1024
/** How often a portal looks whether its engines must be told something new of access tokens. */
export const tokenTrustLookMs = 1_000
/** How long a token that was just issued or revoked waits for its engine to be told. Beyond: it is told later. */
export const tokenTrustTellMs = 2_000
/** Keys of access tokens that engines are told. Beyond: tokens of those that were retired first are refused there. */
export const toldTokenKeys = 16
/** Clients that engines are told. Beyond: tokens of those that have not been used for the longest time are refused there. */
export const toldClients = 4_096
/** Revoked tokens that engines are told. Beyond: all tokens are refused there that expire as early as those left out. */
export const toldRevocations = 4_096
/** All of it together: at most some 100 bytes for each. Beyond: BODY_TOO_LARGE. */
export const innerTokenTrustBytes = 1024 * 1024
/** The path of a unix socket: what Linux has room for. Beyond: INVALID_CONFIGURATION, or no socket where nobody named it. */
export const socketPathBytes = 107

// Followed files.

/** How often a followed file is looked at, and one that has long been at rest. */
export const followLookMs = 250
export const followRestLookMs = 1_000
/** After how long without growth a file is at rest. */
export const followRestMs = 60_000
/** How often patterns are looked through for new files. */
export const followScanMs = 1_000
/** What is read of a file in one go. */
export const followReadBytes = 1024 * 1024
/** A line of a followed file, no larger than what is read in one go. Beyond: kept in pieces of this size. */
export const followLineBytes = 512 * 1024
/** Files that are read at the same moment, each with a buffer. The others wait for their turn. */
export const followReaders = 4
/** Followed files that are held open, so that one which is removed can be read to its end. Beyond: opened when they grow. */
export const followOpenFiles = 256
/**
 * Files that are followed at once. Beyond: the newest are preferred, the others are left out until some are let go; that is
 * a warning, an entry, and a metric.
 */
export const followFiles = 2_048
/** Files whose lines are recorded, with those at rest. Beyond: the oldest of the new ones are left out, and it is said. */
export const followNewest = 4_096
/** Paths that patterns name. Beyond: not looked at, and it is said. */
export const followPaths = 16_384
/** Paths that are looked at at the same moment. */
export const followLooks = 64
/** After how long at rest a file that is not held open is let go: looking through the patterns finds what comes. */
export const followLetGoMs = 3_600_000
/** How many times as long as a look through the patterns the pause behind it is: a tenth of a CPU; but no longer than this. */
export const followScanPause = 9
export const followScanMostMs = 5_000
/** Places that are remembered. Beyond: those are forgotten of whose files nothing has been seen for longest. */
export const followPlaces = 8_192
/** How long the place of a file that is not found is remembered: as long as a file system may be away. */
export const followForgetMicros = 30 * 86_400 * 1_000_000
/** The most lines recorded whose place is not kept yet: a small part of the horizon, within which I4 knows them again. */
export const followUnsavedLines = 65_536
/** Lines of one file that are on their way into the log at once: what it takes in one piece (`groupEntries`). */
export const followWindowLines = 1_024
/** How often places are kept while files grow. */
export const followSaveMs = 250
/** How long after its last growth a file that was rotated away is complete: its last line needs no newline then. */
export const followSettleMs = 5_000
/** How long such a file is still looked at: its writer may not know yet. Where it has been removed, only a minute. */
export const followRotatedMs = 600_000
export const followRemovedMs = 60_000
/** The bytes at the beginning of a file, and before the place in it, by which it is known again. */
export const followMarkBytes = 256
/** Generations of a file that ended by truncation whose copies are known again. Beyond: such a copy is recorded anew. */
export const followFormer = 16
/** Names in one directory that are looked at to find a rotated file. Beyond: it counts as removed. */
export const followNames = 20_000
/** A stop's bound: how long what is read of followed files may take to become durable. */
export const followStopMs = 5_000
/** How long the wait is for a file that cannot be read to become readable. */
export const followRetryMs = 5_000

// Syslog.

/** A message over TCP or TLS; its entries are split (L3). Beyond: cut where a newline ends it, else the connection ends. */
export const syslogMessageBytes = 1024 * 1024
/** What all connections hold of messages that have not ended. Beyond: the one that holds the most is closed. */
export const syslogHeldBytes = 32 * 1024 * 1024
/** The longest octet count that is looked at: RFC 6587 has no bound, and ten digits are far beyond ours. */
export const syslogCountDigits = 10
/** Messages from TCP and TLS that wait to be durable, and the bytes of their entries: two commits. Beyond: what has been
 *  read stays as it is, a buffer of each connection, and nothing more is read until there is room. */
export const syslogStreamWindow = { messages: 1_024, bytes: 16 * 1024 * 1024 }
/** The same of UDP, and of the unix socket. Beyond: the newest are dropped and counted. */
export const syslogDatagramWindow = { messages: 8_192, bytes: 16 * 1024 * 1024 }
/** Connections to one port: a fleet behind relays has hundreds. Beyond: closed as they come. */
export const syslogConnections = 1_024
/** Those of one address, so that nobody alone can take all. Beyond: closed as they come. */
export const syslogPeerConnections = syslogConnections / 4
/** After how much silence it is asked whether the sender is still there: the kernel would wait two hours. */
export const syslogKeepAliveMs = 60_000
/** How long a TLS handshake may take. Beyond: closed. */
export const syslogHandshakeMs = 10_000
/** What the kernel is asked to keep of datagrams that have not been read; it gives what its own bound allows. */
export const syslogReceiveBytes = 8 * 1024 * 1024
/** How often the kernel is asked how many it dropped. */
export const syslogDropsLookMs = 1_000
/** What a datagram of the unix socket can hold: what reads it cuts there, in silence. As long or longer: counted as cut. */
export const syslogUnixBytes = 65_535
/** A node that stops reads on until nothing has come for so long, */
export const syslogLullMs = 50
/** and all of it, with what waits to be durable, takes no longer than this. Beyond: counted as lost. */
export const syslogStopMs = 5_000
/** How often at the most an operator is told of connections that failed. */
export const syslogWarnMs = 10_000

// Recording over HTTP.

/** What a refusal repeats of a text or a name that was sent. Beyond: cut, with a mark. */
export const shownCharacters = 64
/** A body of JSON: one event, or a list of them. Beyond: BODY_TOO_LARGE, which says to send NDJSON. */
export const recordBodyBytes = 1024 * 1024
/** What lies between two newlines of NDJSON: no event of that size fits an entry. Beyond: the rest is not read. */
export const recordLineBytes = 1024 * 1024
/** A body up to this size is read at once: it is what Node reads of a connection by itself. */
export const recordSmallBodyBytes = 64 * 1024
/** Bodies, and events on their way to the log, held at once over all connections; half of it by one caller. Beyond: they wait. */
export const recordHeldBytes = 24 * 1024 * 1024
/** How long a request waits for a place among them. Beyond: UNAVAILABLE. */
export const recordPlaceMs = 2_000
/** Results of one request that are there and not yet in its answer. Beyond: everybody else has a turn first. */
export const recordUnflushed = 2_048
/** Events of one request that go to the log as one: about what a connection gives in one read. */
export const recordGroupEntries = 256
/** Events of one request on their way to the log: some groups, so that the next is ready while the disk works. */
export const recordFlightEntries = 1_024
/** Their bytes as they were sent. Beyond either, nothing is read until some are durable. */
export const recordFlightBytes = 2 * 1024 * 1024
/** Results that wait for the end of the request, so that the answer's status can speak for all. Beyond: sent with 200. */
export const recordResultBytes = 1024 * 1024
/** Results that wait while others are being sent. Beyond, nothing is read until the client has taken some. */
export const recordUnsentBytes = 128 * 1024
/** How long a client may send nothing of a body that is read as it comes. Beyond: REQUEST_TIMEOUT, the rest is not read. */
export const recordStallMs = 60_000
/** How long a stream that was not read to its end is dropped, so that its client comes to read the results. */
export const recordLingerMs = 5_000
/** The first pause where the log has no room for an event of a stream; it doubles up to the longest. */
export const recordRetryMs = 20
export const recordRetryMostMs = 1_000
/** How long it goes on so where nothing becomes durable meanwhile. Beyond: the event is refused with what the log said. */
export const recordPatienceMs = 30_000

// OTLP.

/** A request with exported log records, decompressed: a batch of thousands. Beyond: BODY_TOO_LARGE. */
export const otlpBodyBytes = 4 * 1024 * 1024
/** Log records of one request. Exporters send 512, collectors 8,192. Beyond: BODY_TOO_LARGE. */
export const otlpRecords = 20_000
/** Attributes and values of one request, each of which takes memory of its own. Beyond: BODY_TOO_LARGE. */
export const otlpValues = 500_000
/** How deep a value may be nested. Beyond: MALFORMED_REQUEST. */
export const otlpValueDepth = 32
/** What one request may become: each record is kept with all that its resource says. Beyond: BODY_TOO_LARGE. */
export const otlpTextCharacters = 64 * 1024 * 1024
/** Records of one request that wait for the log at once, and their bytes as entries: a small part of its queue. Beyond: later. */
export const otlpWindowRecords = 1_024
export const otlpWindowBytes = 2 * 1024 * 1024
/** Records that are made events in one go: some ten milliseconds. Then others have their turn. */
export const otlpTurnRecords = 256
/** Refused records that an answer describes. Beyond: counted. */
export const otlpProblems = 5
/** One such description. Beyond: cut. */
export const otlpProblemCharacters = 300

// Proofs.

/** Results with receipts that a request holds, of 6 kB each: as `recordUnflushed`, whose results are small. */
export const receiptsUnflushed = 1_024
/** Manifests of answers about all engines that are kept so that the answers can be proved. Beyond: the oldest is forgotten. */
export const manifestsBytes = 8 * 1024 * 1024
/** Engines that are asked for proofs at once. Beyond: one after the other. */
export const enginesAtOnce = 16

// Keys of a log.

/** How long the old keys of a log sign beside the new ones: a month in which whoever knows them learns the new ones. */
export const keyOverlapMicros = 30 * 86_400 * 1_000_000
/** How often a node looks whether its log's keys are to be replaced, or a rotation is to go on. */
export const keyLookMs = 1_000
/** How long a command waits for a running node to take an order up. Beyond: it says that it has not yet. */
export const orderWaitMs = 5_000

// Verifying offline.

/** A file with keys, a policy or a checkpoint: a hundred post-quantum keys have 180 KB. Beyond: INVALID_INPUT. */
export const verifySmallFileBytes = 1024 * 1024
/** A file with a proof; that of an answer about a thousand engines has some 10 MB. Beyond: INVALID_INPUT. */
export const verifyProofBytes = 64 * 1024 * 1024
/** What is read of a file at once. */
export const verifyReadBytes = 1024 * 1024
/** A line, in whatever it is wrapped: JSON makes up to six characters of one. Beyond: only its beginning is looked at. */
export const verifyLineBytes = 1024 * 1024
/** The first part of a proof, before its checkpoint: three entries of 65,535 bytes and their hashes. Beyond: malformed. */
export const verifyAnswerProofCharacters = 300_000
/** Lines of an export that are named for each thing wrong with them, and gaps. Beyond: counted. */
export const verifyNamedLines = 1_000
/** Memory for the positions that an export has: 8 KiB for 65,536 that stand together, half a billion at the most. Beyond: malformed. */
export const verifyPositionChunks = 8_192
/** Tiles that are kept once verified, of 8 KiB. Beyond: the oldest is read and verified again. */
export const verifyHeldTiles = 256

// The background check of sealed segments.

/** How often it looks whether the next pass is due, or an entry can be made that could not be made before. */
export const recheckLookMs = 60_000
/** Its least pace: some hundredths of one percent of a disk, and half a percent of one CPU. */
export const recheckLeastBytesPerSecond = 1024 * 1024
/** Its greatest: a tenth of one CPU, at the most. Beyond: a pass takes longer than its interval, and its age shows it. */
export const recheckMostBytesPerSecond = 16 * 1024 * 1024
/** What it reads between two waits: a millisecond or so of hashing. */
export const recheckSliceBytes = 256 * 1024

// Witnesses.

/** How often a witness cosigns for one log, and a log asks one witness. Beyond: 429 with Retry-After. */
export const witnessIntervalMs = 10_000
/** How long a log has to answer a proof that does not fit: two of its own turns. Then it counts as contradicted. */
export const witnessSuspicionMs = 25_000
/** How much later a smaller checkpoint was signed than a larger one to be evidence, and no clock that was set right. */
export const witnessShrinkSeconds = 60
/** How long somebody waits for a cosigned checkpoint: less than a portal waits for an engine. Beyond: UNAVAILABLE, ask again. */
export const witnessedWaitMs = 5_000
/** How long a log that is opened waits for what its witnesses hold of it. Beyond: it goes on without, and says so. */
export const witnessAskMs = 2_000
/** How often a log looks whether there is something new for a witness. */
export const witnessLookMs = 500
/** Contradictions that a witness keeps. Beyond: seen, refused, and not kept. */
export const witnessEvidence = 64
/** A node's keys of each kind, its log's and its witness's: two, and as many while they are replaced. Beyond: INVALID_INPUT. */
export const nodeKeysOfAKind = 4
/** What a node tells of its keys: eight of at most 2,200 characters. Beyond: BODY_TOO_LARGE. */
export const nodeKeysBytes = 20 * 1024
/** A request to a witness: a note of at most 100 KiB, and 63 lines of proof. Beyond: BODY_TOO_LARGE. */
export const addCheckpointBytes = 104 * 1024
