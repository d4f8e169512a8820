import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { leafHash } from '../tree/hash.ts'
import { formatVkey, type NoteKey, type NoteSigner, noteSigner, signatureTypes } from '../tree/note-key.ts'
import { parsePolicy } from '../tree/policy.ts'
import {
  cosignatureLine,
  parseSignedCheckpoint,
  type SignedCheckpoint,
  signedCheckpoint,
} from '../tree/signed-checkpoint.ts'
import { NotProved, type NotProvedReason } from './not-proved.ts'
import { demandQuorum, signaturesOf, type Trust } from './signatures.ts'

const origin = 'portal-01/audit-trail/api/v2/logs/portal-01-abcdefghijklmnop'
const signer = (name: string, type: NoteSigner['type']) =>
  noteSigner(
    name,
    type,
    (type === 6 ? generateKeyPairSync('ml-dsa-44') : generateKeyPairSync('ed25519')).privateKey,
  )
const ed25519 = signer(origin, signatureTypes.ed25519)
const mlDsa = signer(origin, signatureTypes.mlDsa44)
const witness = signer('engine-01', signatureTypes.ed25519Cosignature)
const outside = signer('outside-1', signatureTypes.mlDsa44)
const checkpoint = { origin, size: 7, root: leafHash('a log') }

const note = (signers: readonly NoteSigner[], cosigners: readonly NoteSigner[] = []) => {
  const signed = signedCheckpoint(checkpoint, signers, 1_000)
  return signed + cosigners.map((key) => cosignatureLine(parsed(signed), key, 2_000)).join('')
}
const trust = (logKeys: readonly NoteKey[], policy?: string, isOwn = false): Trust => ({
  logKeys,
  policy: policy === undefined ? undefined : parsePolicy(policy),
  isOwn,
})
const both = [ed25519, mlDsa]
const policyOf = (quorum: 'any' | 'all') =>
  `witness a ${formatVkey(witness)}\nwitness b ${formatVkey(outside)}\ngroup g ${quorum} a b\nquorum g\n`

function parsed(text: string): SignedCheckpoint {
  const signed = parseSignedCheckpoint(text)
  assert.ok(signed !== undefined)
  return signed
}

const refused = (reason: NotProvedReason, message: RegExp) => (error: unknown) =>
  error instanceof NotProved && error.reason === reason && message.test(error.message)

describe('who has signed a checkpoint', () => {
  test('without a policy, nobody that was named has witnessed it', () => {
    const signatures = signaturesOf(parsed(note(both, [witness])), trust(both))
    assert.equal(signatures.verdict, 'signed by the log; witnessed by nobody you named')
    assert.deepEqual([signatures.log.length, signatures.witnesses, signatures.quorum], [2, [], 'unasked'])
    demandQuorum(signatures)
    const own = signaturesOf(parsed(note(both)), trust(both, undefined, true))
    assert.equal(
      own.verdict,
      'signed by the log, with keys that came along with it; witnessed by nobody you named',
    )
  })

  test('of each kind of key that is known of the log, one must have signed', () => {
    const later = signer(origin, signatureTypes.ed25519)
    assert.throws(
      () => signaturesOf(parsed(note([ed25519])), trust(both)),
      refused('unsigned', /lacks the signature of ML-DSA-44 key [0-9a-f]{8}$/),
    )
    assert.throws(
      () => signaturesOf(parsed(note([mlDsa])), trust(both)),
      refused('unsigned', /lacks the signature of Ed25519 key/),
    )
    assert.equal(signaturesOf(parsed(note(both)), trust([ed25519])).log.length, 1)
    // A log that has changed its keys: who knows the old and the new ones follows.
    assert.equal(signaturesOf(parsed(note([later, mlDsa])), trust([...both, later])).log.length, 2)
  })

  test('keys of another log, or of another name, say nothing', () => {
    const other = signer('elsewhere/audit-trail/api/v2/logs/elsewhere-1', signatureTypes.ed25519)
    assert.throws(
      () => signaturesOf(parsed(note(both)), trust([other])),
      refused('unsigned', /of which no key was given/),
    )
    assert.throws(
      () => signaturesOf(parsed(note(both)), trust([signer(origin, signatureTypes.ed25519)])),
      refused('unsigned', /is not signed by any key/),
    )
  })

  test('a signature that claims to be by a known key and is not, spoils all of it', () => {
    const other = parsed(signedCheckpoint({ ...checkpoint, size: 8 }, both, 1_000))
    const forged = { ...parsed(note(both)), signatures: other.signatures }
    assert.throws(() => signaturesOf(forged, trust(both)), refused('unsigned', /and is not$/))
    const one = parsed(note(both))
    const mixed = { ...one, signatures: [...one.signatures, ...other.signatures.slice(0, 1)] }
    assert.throws(() => signaturesOf(mixed, trust(both)), refused('unsigned', /and is not$/))
    const cosigned = parsed(signedCheckpoint({ ...checkpoint, size: 8 }, [witness], 1_000))
    const wrong = { ...one, signatures: [...one.signatures, ...cosigned.signatures] }
    assert.throws(
      () => signaturesOf(wrong, trust(both, policyOf('any'))),
      refused('unsigned', /by a witness of the policy, and is not/),
    )
  })

  test('a policy says whose cosignatures are enough', () => {
    const some = signaturesOf(parsed(note(both, [witness])), trust(both, policyOf('any')))
    assert.equal(some.verdict, 'signed by the log and cosigned by: engine-01 (quorum of your policy reached)')
    assert.deepEqual([some.witnesses[0]?.seconds, some.quorum], [2_000, 'reached'])
    demandQuorum(some)
    const all = signaturesOf(parsed(note(both, [witness, outside])), trust(both, policyOf('all')))
    assert.match(all.verdict, /cosigned by: engine-01, outside-1 \(quorum of your policy reached\)$/)
  })

  test('where the quorum is missing, the verdict says so, and asking for it fails', () => {
    const half = signaturesOf(parsed(note(both, [outside])), trust(both, policyOf('all')))
    assert.equal(
      half.verdict,
      'signed by the log and cosigned by: outside-1; the quorum of your policy is missing',
    )
    const none = signaturesOf(parsed(note(both)), trust(both, policyOf('all')))
    assert.equal(none.verdict, 'signed by the log, and by no witness of your policy')
    for (const signatures of [half, none])
      assert.throws(() => demandQuorum(signatures), refused('unwitnessed', /quorum|no witness/))
  })

  test('a policy that asks for no witness is told of as such', () => {
    const without = signaturesOf(parsed(note(both)), trust(both, 'quorum none\n'))
    assert.equal(without.verdict, 'signed by the log; your policy asks for no witness')
    demandQuorum(without)
    const policy = `witness a ${formatVkey(witness)}\nquorum none\n`
    const cosigned = signaturesOf(parsed(note(both, [witness])), trust(both, policy))
    assert.equal(cosigned.verdict, 'signed by the log and cosigned by: engine-01')
  })
})
