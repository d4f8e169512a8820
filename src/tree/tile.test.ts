import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatBundle, parseBundle, parseTilePath, tilePath, widthIn } from './tile.ts'

describe('tile paths', () => {
  test('the examples of C2SP tlog-tiles', () => {
    assert.equal(tilePath(0, 1_234_067), '0/x001/x234/067')
    assert.equal(tilePath(1, 17, 112), '1/017.p/112')
    assert.equal(tilePath('entries', 273, 112), 'entries/273.p/112')
    // A tree of 70,000: 273 full tiles, one of 112; one full tile of level 1 and one of 17; one of 1 of level 2.
    assert.deepEqual(
      [widthIn(70_000, 0, 272), widthIn(70_000, 0, 273), widthIn(70_000, 0, 274)],
      [256, 112, 0],
    )
    assert.deepEqual([widthIn(70_000, 1, 0), widthIn(70_000, 1, 1), widthIn(70_000, 2, 0)], [256, 17, 1])
    assert.deepEqual([widthIn(256, 0, 0), widthIn(256, 1, 0)], [256, 1])
  })

  test('a path is read as it is written, and no other is', () => {
    for (const tile of [
      { level: 0, index: 0, width: 256 },
      { level: 63, index: 999_999_999_999, width: 1 },
      { level: 'entries', index: 1000, width: 255 },
    ] as const)
      assert.deepEqual(parseTilePath(tilePath(tile.level, tile.index, tile.width)), tile)
    for (const wrong of [
      '0/0',
      '00/000',
      '64/000',
      '0/x000/000',
      '0/000.p/0',
      '0/000.p/256',
      '0/000.p/012',
      '0/000/',
      '0/x001/x234/x067',
      'entry/000',
      '-1/000',
    ])
      assert.equal(parseTilePath(wrong), undefined, wrong)
  })
})

describe('entry bundles', () => {
  test('entries are read as they were written', () => {
    const entries = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(65_535, 'x')]
    const bundle = formatBundle(entries)
    assert.equal(bundle.length, 3 * 2 + 1 + 65_535)
    assert.deepEqual(parseBundle(bundle), entries)
    assert.deepEqual(parseBundle(Buffer.alloc(0)), [])
    assert.equal(parseBundle(bundle.subarray(0, -1)), undefined)
    assert.equal(parseBundle(bundle.subarray(0, 4)), undefined)
  })
})
