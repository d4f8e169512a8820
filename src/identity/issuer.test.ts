import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Grant, grantedRights, type Issuer, issuerChanges } from './issuer.ts'
import { mayRecord, noRights } from './rights.ts'

function grant(claim: string, value: string, scope = 'service:audit-trail', record?: Grant['record']): Grant {
  return { claim, value, scope, record }
}

test('a claim grants what is configured for its value, and nothing else does', () => {
  const grants = [
    grant('scope', 'audit.read'),
    grant('roles', 'auditor', 'service:audit-trail:engine:engine-01'),
  ]
  const all = { reads: 'all', records: undefined } as const
  const engine = { reads: ['engine-01'], records: undefined }
  assert.deepEqual(grantedRights(grants, { scope: 'openid audit.read' }), all)
  assert.deepEqual(grantedRights(grants, { scope: ['audit.read'] }), all)
  assert.deepEqual(grantedRights(grants, { roles: ['x', 'auditor'] }), engine)
  assert.deepEqual(grantedRights(grants, { roles: 'auditor' }), engine)
  assert.deepEqual(grantedRights(grants, { scope: 'audit.read', roles: 'auditor' }), all)
  for (const claims of [
    {},
    { scope: 'service:audit-trail' },
    { scope: 'audit.reader' },
    { scope: 'Audit.Read' },
    { scope: '' },
    { roles: 'x auditor' },
    { roles: { auditor: true } },
    { roles: [['auditor']] },
    { roles: null },
    { aud: 'audit.read' },
    { annals_region: 'local', annals_instance: 'portal-01', rights: 'all', profile: 'main-administrator' },
  ])
    assert.deepEqual(grantedRights(grants, claims), noRights, JSON.stringify(claims))
})

test('scp is read like scope', () => {
  assert.equal(grantedRights([grant('scp', 'audit.read')], { scp: 'a audit.read' }).reads, 'all')
})

test('a claim that every object has grants nothing', () => {
  const grants = [grant('constructor', 'x'), grant('__proto__', 'x')]
  assert.deepEqual(grantedRights(grants, {}), noRights)
})

test('what may be recorded are the bounds of the first grant, and never codes of the node', () => {
  const scope = 'service:audit-trail:record'
  const grants = [
    grant('roles', 'a', scope, { components: ['A'], codes: [[1, 10]] }),
    grant('roles', 'b', scope, { components: ['B'], codes: [[20, 30]] }),
    grant('roles', 'c', scope, { components: 'any', codes: 'any' }),
  ]
  const both = grantedRights(grants, { roles: ['b', 'a'] })
  assert.ok(mayRecord(both, 'A', 5, false))
  assert.ok(!mayRecord(both, 'A', 25, false))
  assert.ok(!mayRecord(both, 'B', 25, false))
  assert.ok(mayRecord(grantedRights(grants, { roles: 'b' }), 'B', 25, false))
  const any = grantedRights(grants, { roles: 'c' })
  assert.ok(mayRecord(any, 'X', 20_101, false))
  assert.ok(!mayRecord(any, 'X', 29_001, true))
  assert.deepEqual(any.reads, [])
})

test('what changes from one list to another is told by issuer', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name): Issuer => ({
    issuer: `https://${name}.example.com`,
    audience: 'x',
    algorithms: ['RS256'],
    clockSkewSeconds: 30,
    acceptUntypedTokens: false,
    grants: [grant('scope', 'read')],
  })) as [Issuer, Issuer, Issuer]
  const changed = { ...b, grants: [grant('scope', 'write')] }
  assert.deepEqual(issuerChanges([a, b], [c, changed]), [
    { issuer: a.issuer, change: 'removed' },
    { issuer: b.issuer, change: 'changed' },
    { issuer: c.issuer, change: 'added' },
  ])
  assert.deepEqual(issuerChanges([a, b], [structuredClone(b), a]), [])
})
