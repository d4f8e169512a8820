import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { parseFollowMappings } from './follow-mappings-file.ts'

function read(text: string) {
  return parseFollowMappings(text, 'mappings.yaml', '/etc/annals')
}

test('a mapping says of each field where it comes from', () => {
  const text = `
- pattern: ../app/*.json
  fields:
    code: 20101
    actor: $.user.name
    message: $$cheap
  details:
    ip: $.from["ip address"]
- pattern: /var/log/b.log
  fields: { code: $.c, actor: $.a }
  details: rest
`
  assert.deepEqual(read(text), [
    {
      pattern: '/etc/app/*.json',
      fields: {
        code: { constant: '20101' },
        actor: { path: ['user', 'name'] },
        message: { constant: '$cheap' },
      },
      details: { ip: { path: ['from', 'ip address'] } },
    },
    {
      pattern: '/var/log/b.log',
      fields: { code: { path: ['c'] }, actor: { path: ['a'] } },
      details: 'rest',
    },
  ])
})

test('everything that is wrong is told at once, with its line', () => {
  const text = `
- pattern: /a
  fields:
    code: $.c
    actor: $x
    colour: red
- pattern: /b
  fields: { code: 1 }
- pattern: /c
  fields: { code: 1, actor: a }
  details: some
`
  assert.throws(
    () => read(text),
    (error: unknown) => {
      assert.ok(isAnnalsError(error, 'INVALID_CONFIGURATION'))
      assert.match(error.message, /mappings\.yaml:5: "actor" is expected to be a path such as \$\.user\.name/)
      assert.match(error.message, /mappings\.yaml:6: unknown key "colour"/)
      assert.match(error.message, /mappings\.yaml:8: "actor" is missing/)
      assert.match(error.message, /mappings\.yaml:11: "details" is expected to be "rest", or a map/)
      return true
    },
  )
})
