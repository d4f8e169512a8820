// What others have published: the trees and proofs that the implementations of Certificate Transparency share (they are
// part of the tests of most), the checkpoint of a log that is in production, and the worked example of C2SP tlog-tiles.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rootOf } from './compact-range.ts'
import { type Hash, leafHashOfBytes } from './hash.ts'
import { parseNote } from './note.ts'
import { parseVkey } from './note-key.ts'
import { consistencyRanges, hashesOf, inclusionRanges, isConsistent, rootOfInclusion } from './proof.ts'
import { parseSignedCheckpoint, verifySignatures } from './signed-checkpoint.ts'
import { widthIn } from './tile.ts'
import { parseHash } from './tlog-proof.ts'

const entries = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const leaves = entries.map((entry) => leafHashOfBytes(Buffer.from(entry, 'hex'), 0, entry.length / 2))
const read = ({ height, index }: { readonly height: number; readonly index: number }) =>
  rootOf(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height))

function hashOf(base64: string): Hash {
  const hash = parseHash(base64)
  assert.ok(hash !== undefined)
  return hash
}

/** Roots by size, in base64. */
const roots = new Map(
  (
    [
      [1, 'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0='],
      [2, '+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU='],
      [3, 'rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc='],
      [5, 'Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ='],
      [6, 'duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8='],
      [7, '3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw='],
      [8, 'XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg='],
    ] as const
  ).map(([size, root]) => [size as number, hashOf(root)]),
)

function rootAt(size: number): Hash {
  const root = roots.get(size)
  assert.ok(root !== undefined)
  return root
}

const inclusions: readonly (readonly [index: number, size: number, proof: readonly string[]])[] = [
  [0, 1, []],
  [
    0,
    8,
    [
      'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=',
      'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
      'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=',
    ],
  ],
  [
    5,
    8,
    [
      'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=',
      'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=',
      '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=',
    ],
  ],
  [2, 3, ['+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=']],
  [
    1,
    5,
    [
      'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=',
      'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
      'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=',
    ],
  ],
]

const consistencies: readonly (readonly [old: number, size: number, proof: readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=',
      'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
      'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=',
    ],
  ],
  [
    6,
    8,
    [
      'DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=',
      'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=',
      '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=',
    ],
  ],
  [2, 5, ['Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=', 'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=']],
  [
    6,
    7,
    [
      'DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=',
      'sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8=',
      '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=',
    ],
  ],
]

/** What a proof is not: with a bit of a hash turned over, longer, shorter, in another order. */
function spoilt(proof: readonly Hash[]): Hash[][] {
  const turned = proof.map((hash, k) =>
    proof.with(k, `${String.fromCharCode(hash.charCodeAt(0) ^ 16)}${hash.slice(1)}` as Hash),
  )
  const longer = [
    [...proof, rootAt(3)],
    [rootAt(3), ...proof],
  ]
  const shorter = proof.length === 0 ? [] : [proof.slice(1), proof.slice(0, -1), []]
  return [...turned, ...longer, ...shorter, ...(proof.length < 2 ? [] : [proof.toReversed()])]
}

describe('what is published', () => {
  test('the inclusion proofs of Certificate Transparency are ours, and no others hold', async () => {
    for (const [index, size, published] of inclusions) {
      const proof = published.map(hashOf)
      const leaf = leaves[index]
      assert.ok(leaf !== undefined)
      assert.deepEqual(await hashesOf(inclusionRanges(index, size), read), proof)
      assert.equal(rootOfInclusion(leaf, index, size, proof), rootAt(size))
      for (const other of spoilt(proof))
        assert.notEqual(rootOfInclusion(leaf, index, size, other), rootAt(size))
    }
  })

  test('the consistency proofs of Certificate Transparency are ours, and no others hold', async () => {
    for (const [old, size, published] of consistencies) {
      const proof = published.map(hashOf)
      const all = { old: { size: old, root: rootAt(old) }, size, root: rootAt(size), proof }
      assert.deepEqual(await hashesOf(consistencyRanges(old, size), read), proof)
      assert.ok(isConsistent(all))
      for (const other of spoilt(proof)) assert.ok(!isConsistent({ ...all, proof: other }))
      if (old < size)
        assert.ok(!isConsistent({ ...all, old: { size: old, root: rootAt(size) }, root: rootAt(old) }))
    }
  })

  test('a checkpoint of the Go checksum database is signed by its published key', () => {
    const key = parseVkey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')
    const note =
      'go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n\n' +
      '\u2014 sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=\n'
    const checkpoint = parseSignedCheckpoint(note)
    const other = parseSignedCheckpoint(note.replace('35225469', '35225470'))
    assert.ok(key !== undefined && checkpoint !== undefined && other !== undefined)
    assert.equal(checkpoint.size, 35_225_469)
    assert.deepEqual(verifySignatures(checkpoint, [key]), [{ key, seconds: 0 }])
    assert.equal(verifySignatures(other, [key]), undefined)
  })

  test('the cosigned checkpoint of C2SP tlog-cosignature is read: its time is the one that the document names', () => {
    const note =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
      '\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n'
    const [log, witness] = parseNote(note)?.signatures ?? []
    assert.deepEqual([log?.id, log?.bytes.length], [0x033de0ae, 64])
    assert.deepEqual([witness?.id, witness?.bytes.readBigUInt64BE(0)], [0x8d66cf3f, 1_679_315_147n])
  })

  test('a tree of 70,000 leaves has the tiles that C2SP tlog-tiles counts', () => {
    const size = 70_000
    const widths = (level: number, from: number, to: number) =>
      Array.from({ length: to - from }, (_, k) => widthIn(size, level, from + k))
    assert.ok(widths(0, 0, 273).every((width) => width === 256))
    assert.deepEqual(widths(0, 273, 275), [112, 0])
    assert.deepEqual(widths(1, 0, 3), [256, 17, 0])
    assert.deepEqual(widths(2, 0, 2), [1, 0])
    assert.deepEqual([widthIn(256, 0, 0), widthIn(256, 1, 0), widthIn(256, 2, 0)], [256, 1, 0])
  })
})
