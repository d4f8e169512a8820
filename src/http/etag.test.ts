import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entityTag, heldCoding, parseRunTag, runTag } from './etag.ts'
import { negotiate } from './negotiate.ts'

const log = 'a-1.example-abcdefghijklmnop'
const tag = runTag(log, 3, 17)

test('R4: the tag names the log, the positions and the coding', () => {
  assert.equal(entityTag(tag, 'identity'), '"a-1.example-abcdefghijklmnop.3-17"')
  assert.equal(entityTag(tag, 'zstd'), '"a-1.example-abcdefghijklmnop.3-17-zstd"')
})

test('R4: If-Range understands the strong, uncompressed tags of this log alone', () => {
  assert.deepEqual(parseRunTag(`"${tag}"`, log), { from: 3, to: 17 })
  const others = [
    `W/"${tag}"`,
    tag,
    `"${tag}-zstd"`,
    `"b-${tag}"`,
    `"${log}.17-3"`,
    `"${log}.-1-3"`,
    `"${log}.1-2.5"`,
  ]
  for (const other of [...others, 'Wed, 21 Oct 2026 07:28:00 GMT', '*', '', `"${log}.1-99999999999999999"`]) {
    assert.equal(parseRunTag(other, log), undefined, other)
  }
})

test('R4: If-None-Match finds the tag in a list, weak or strong, and a star finds anything', () => {
  const held = (header: string | undefined) => heldCoding(header, tag, 'identity', negotiate(undefined))
  assert.equal(held(`"${tag}"`), 'identity')
  assert.equal(held(`"x", W/"${tag}" , "y"`), 'identity')
  assert.equal(held(' * '), 'identity')
  assert.equal(held(`"${log}.3-18", "${tag}x", ${tag}`), undefined)
  assert.equal(held(undefined), undefined)
})

test('R5: If-None-Match matches the same run in a coding that the caller can read', () => {
  const zstd = negotiate('zstd')
  assert.equal(heldCoding(`"${tag}-zstd"`, tag, 'zstd', zstd), 'zstd')
  assert.equal(heldCoding(`"${tag}"`, tag, 'zstd', zstd), 'identity')
  assert.equal(heldCoding(`"${tag}", "${tag}-zstd"`, tag, 'zstd', zstd), 'zstd')
  assert.equal(heldCoding(`"${tag}-gzip"`, tag, 'zstd', zstd), undefined)
  assert.equal(heldCoding(`"${tag}-zstd"`, tag, 'identity', negotiate(undefined)), undefined)
})
