import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { formatVkey, noteSigner, signatureTypes } from './note-key.ts'
import { parsePolicy } from './policy.ts'

const log = noteSigner('log.example', signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey)
const witnesses = ['x1', 'x2', 'x3', 'y1', 'y2'].map((name) =>
  noteSigner(name, signatureTypes.ed25519Cosignature, generateKeyPairSync('ed25519').privateKey),
)
const [x1, x2, x3, y1, y2] = witnesses
assert.ok(x1 && x2 && x3 && y1 && y2)
const lines = [
  '# a comment',
  `log ${formatVkey(log)} https://log.example`,
  '',
  ...witnesses.map((key) => ` \twitness ${key.name.toUpperCase()}  ${formatVkey(key)}`),
  'group X 2 X1 X2 X3',
  'group Y any Y1 Y2',
  'group both all X Y',
]

describe('trust policies (C2SP tlog-policy)', () => {
  test('groups in groups hold where enough of their members do', () => {
    const policy = parsePolicy([...lines, 'quorum both', ''].join('\n'))
    assert.deepEqual(
      policy.logs.map(({ key, url }) => [key.name, url]),
      [['log.example', 'https://log.example']],
    )
    assert.equal(policy.witnesses.length, 5)
    assert.equal(policy.isNone, false)
    assert.ok(policy.isQuorum([x1, x3, y2]))
    assert.ok(policy.isQuorum(witnesses))
    assert.ok(!policy.isQuorum([x1, y1, y2]))
    assert.ok(!policy.isQuorum([x1, x2, x3]))
    assert.ok(!policy.isQuorum([]))
    assert.ok(!policy.isQuorum([x1, { ...x2, name: 'x9' }, y1]))
  })

  test('no witness may be asked for, or one', () => {
    const none = parsePolicy('quorum none')
    assert.ok(none.isNone && none.isQuorum([]))
    const one = parsePolicy(`witness w ${formatVkey(x1)}\nquorum w\n`)
    assert.ok(one.isQuorum([x1]) && !one.isQuorum([x2]))
  })

  test('everything that is wrong is said with its line', () => {
    const wrong: [string, RegExp][] = [
      ['', /the quorum is missing/],
      ['quorum none\nquorum none', /line 2: a second quorum/],
      ['quorum w', /line 1: "w" is not defined above/],
      ['lg x', /"lg" is not known/],
      [`log ${formatVkey(x1)}`, /no key of the kind/],
      [`witness w ${formatVkey(log)}`, /no key of the kind/],
      [`log ${formatVkey(log)}\nlog ${formatVkey(log)}`, /line 2: this key stands above/],
      [`witness none ${formatVkey(x1)}`, /"none" stands for something else/],
      [`witness a ${formatVkey(x1)}\nwitness a ${formatVkey(x2)}`, /"a" stands for something else/],
      [`witness a ${formatVkey(x1)}\ngroup g 2 a`, /"2": expected all, any, or a number from 1 to 1/],
      [`witness a ${formatVkey(x1)}\ngroup g all a\ngroup h all a`, /"a" is a member already/],
      ['group g all g', /"g" is not defined above/],
      ['group g all', /expected "group NAME/],
      ['quorum none\r', /control character/],
      [`log ${formatVkey(log)} a b`, /too many words/],
    ]
    for (const [text, message] of wrong) assert.throws(() => parsePolicy(text), message, text)
  })
})
