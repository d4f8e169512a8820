import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatCheckpoint } from '../tree/checkpoint.ts'
import { rootOf } from '../tree/compact-range.ts'
import { leafHash } from '../tree/hash.ts'
import { hashesOf, inclusionRanges } from '../tree/proof.ts'
import { formatTlogProof } from '../tree/tlog-proof.ts'
import { checkEntryProof, isEntryProof } from './entry-proof.ts'
import { NotProved } from './not-proved.ts'
import { logLines, logName, originOfTests, rootOfLines } from './testing/log-lines.ts'

const lines = logLines(21)
const refused = (reason: NotProved['reason'], message: RegExp) => (error: unknown) =>
  error instanceof NotProved && error.reason === reason && message.test(error.message)

async function proofOf(index: number, extra?: string, origin = originOfTests, of = lines): Promise<string> {
  const leaves = of.map((line) => leafHash(line))
  const hashes = await hashesOf(inclusionRanges(index, of.length), ({ height, index }) =>
    rootOf(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)),
  )
  const text = formatCheckpoint({ origin, size: of.length, root: rootOfLines(of) })
  const checkpoint = `${text}\n\u2014 nobody AAAAAAAA\n`
  return formatTlogProof({
    index,
    hashes,
    checkpoint,
    ...(extra === undefined ? {} : { extra: Buffer.from(extra) }),
  })
}

describe('the proof of one entry', () => {
  test('leads from the line that it brings along, or that is given, to the checkpoint', async () => {
    for (const [index, line] of lines.entries()) {
      const receipt = checkEntryProof(await proofOf(index, line))
      assert.deepEqual(
        [receipt.log, receipt.position, receipt.line.toString(), receipt.checkpoint.size],
        [logName, index, line, 21],
      )
      assert.equal(receipt.entry.code, '20004')
      assert.equal(checkEntryProof(await proofOf(index), Buffer.from(line)).position, index)
      assert.ok(isEntryProof(await proofOf(index)))
    }
  })

  test('another line, a changed one and another place are found', async () => {
    const [a = '', b = ''] = [lines[4], lines[5]]
    assert.throws(() => checkEntryProof('nothing'), refused('malformed', /not readable/))
    const bare = await proofOf(4)
    assert.throws(() => checkEntryProof(bare), refused('malformed', /brings no line along/))
    for (const other of [b, `${a}.`, a.replace('Portal', 'portal'), `${a}\n`])
      assert.throws(() => checkEntryProof(bare, Buffer.from(other)), refused('contradicted', /does not lead/))
    const receipt = await proofOf(4, a)
    assert.throws(
      () => checkEntryProof(receipt, Buffer.from(b)),
      refused('contradicted', /not the one of which/),
    )
    const moved = receipt.replace('\nindex 4\n', '\nindex 5\n')
    assert.throws(() => checkEntryProof(moved), refused('contradicted', /does not lead/))
  })

  test('a log that holds a line of another place, or of another log, proves nothing of it', async () => {
    const doubled = lines.with(5, lines[4] ?? '')
    const proof = await proofOf(5, lines[4], originOfTests, doubled)
    assert.throws(() => checkEntryProof(proof), refused('contradicted', /does not say of itself/))
    const elsewhere = await proofOf(
      4,
      lines[4],
      'portal-02/audit-trail/api/v2/logs/portal-02-abcdefghijklmnop',
    )
    assert.throws(() => checkEntryProof(elsewhere), refused('contradicted', /does not say of itself/))
  })
})
