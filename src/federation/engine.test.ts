import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isAnnalsError } from '../errors.ts'
import { matchEngines, resolveEngine } from './engine.ts'

const engines = [
  'db.a.example',
  'db.b.example',
  'engine-01.example.com',
  'mail',
  'web',
  'web.example.com',
].map((hostName) => ({ hostName }))

function names(name: string): string[] {
  return matchEngines(engines, name).map(({ hostName }) => hostName)
}

test('A2: the full name and the short name mean the same engine, in any case', () => {
  for (const name of [
    'engine-01.example.com',
    'ENGINE-01.EXAMPLE.COM',
    'Engine-01.Example.com',
    'engine-01',
    'ENGINE-01',
  ]) {
    assert.equal(resolveEngine(engines, name).hostName, 'engine-01.example.com')
  }
})

test('A2: an engine that is known by its short name is found by any full name with that first label', () => {
  assert.deepEqual(names('mail'), ['mail'])
  assert.deepEqual(names('Mail.example.com'), ['mail'])
})

test('A2: the exact name comes before all others', () => {
  assert.deepEqual(names('web'), ['web'])
  assert.deepEqual(names('web.example.com'), ['web.example.com'])
})

test('A2: another full name than the one that is known means no engine', () => {
  assert.deepEqual(names('engine-01.example.org'), [])
  assert.deepEqual(names('engine-01.example'), [])
  assert.deepEqual(names('engine-01.example.com.evil.example'), [])
})

test('E1: a short name that fits two engines is refused, and both are listed', () => {
  assert.throws(
    () => resolveEngine(engines, 'DB'),
    (error) => {
      assert.ok(isAnnalsError(error, 'UNKNOWN_ENGINE'))
      assert.match(error.message, /db\.a\.example, db\.b\.example$/)
      assert.equal(error.engine, 'DB')
      return true
    },
  )
})

test('E1: a name that no engine has is refused', () => {
  for (const name of [
    'nobody',
    'engine',
    'engine-01.',
    'example',
    '',
    '.',
    'engine_01',
    ' mail',
    'mail\n',
    '*',
  ]) {
    assert.throws(
      () => resolveEngine(engines, name),
      (error) => isAnnalsError(error, 'UNKNOWN_ENGINE') && error.engine === name,
      JSON.stringify(name),
    )
  }
})

test('A2: letters that become ASCII in lower case are not ASCII', () => {
  // The sign for kelvin, whose lower case is a plain k.
  assert.deepEqual(matchEngines([{ hostName: 'k' }], '\u212A'), [])
})

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,4}[a-z0-9])?$/)
const hostName = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'))

test('A2: every engine is found by its own name, alone, whatever others there are', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(hostName, { minLength: 1, maxLength: 8 }),
      fc.func(fc.boolean()),
      (all, isUpper) => {
        const engines = all.map((hostName) => ({ hostName }))
        for (const engine of engines) {
          const asked = Array.from(engine.hostName, (letter, at) =>
            isUpper(at) ? letter.toUpperCase() : letter,
          ).join('')
          assert.deepEqual(matchEngines(engines, asked), [engine])
        }
      },
    ),
  )
})

test('A2: what a name means agrees with it, and nothing that agrees is left out', () => {
  fc.assert(
    fc.property(fc.uniqueArray(hostName, { maxLength: 8 }), hostName, (all, asked) => {
      const found = matchEngines(
        all.map((hostName) => ({ hostName })),
        asked,
      ).map(({ hostName }) => hostName)
      const first = (name: string): string => name.split('.')[0] ?? ''
      const agree = all.filter(
        (name) =>
          first(name) === first(asked) && (name === asked || !name.includes('.') || !asked.includes('.')),
      )
      assert.deepEqual(
        found,
        agree.includes(asked) ? [asked] : agree.filter((name) => name.includes('.') || asked.includes('.')),
      )
    }),
  )
})
