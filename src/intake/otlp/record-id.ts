// The identity of an exported log record (I4). An exporter that was not answered sends the same bytes again, and they must
// be recorded once.

import { createHash, hash } from 'node:crypto'

const uuid = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/

/** Whether a text is a UUID, in any case of its letters. */
export function isUuid(text: string): boolean {
  return uuid.test(text)
}

/** The digest of a request that the ids of its records come from. `body` is decompressed. */
export function digestOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest()
}

/** The id of the record at `index` of the request with that digest: the same for the same bytes. */
export function idAt(digest: Uint8Array, index: number): string {
  const counted = Buffer.alloc(4)
  counted.writeUInt32BE(index)
  return uuidOf(createHash('sha256').update(digest).update(counted).digest())
}

/** The id of a record that has one of its own (`log.record.uid`): itself if it is a UUID, else one made from it. */
export function idOfUid(uid: string): string {
  return isUuid(uid) ? uid.toLowerCase() : uuidOf(hash('sha256', `log.record.uid ${uid}`, 'buffer'))
}

// UUID version 8 (RFC 9562 section 5.8): the bits are ours but for version and variant.
function uuidOf(digest: Uint8Array): string {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
