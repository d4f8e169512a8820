import assert from 'node:assert/strict'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { absolutePatterns, directoryOf, isNamedBy, pathsNamed } from './patterns.ts'
import { filesBeside, isRotatedName } from './rotated.ts'
import { stage } from './testing/followed.ts'

test('names that rotation gives are told from those of other logs', () => {
  const rotated = [
    'audit.log.1',
    'audit.log-20251210',
    'audit.log.2025-12-10_14',
    'audit-20251210.log',
    'audit.7.log',
  ]
  for (const name of rotated)
    assert.equal(isRotatedName('/var/log/audit.log', `/var/log/${name}`), true, name)
  const others = [
    'audit.log.1.gz',
    'audit.logs',
    'audit-errors.log',
    'audit2x.log',
    'xaudit.log.1',
    'other.log.1',
  ]
  for (const name of others)
    assert.equal(isRotatedName('/var/log/audit.log', `/var/log/${name}`), false, name)
  assert.equal(isRotatedName('/var/log/audit', '/var/log/audit.1'), true)
  assert.equal(isRotatedName('/var/log/audit.log', '/var/log/old/audit.log.1'), true)
})

test('a file is found beside its old name and in a directory beneath, and nobody can say where there is no directory', async (t) => {
  const at = stage(t)
  writeFileSync(at.path('audit.log'), '')
  mkdirSync(at.path('old'))
  writeFileSync(at.path('moved'), '')
  renameSync(at.path('moved'), at.path('old/audit.log.1'))
  const found = await filesBeside(at.path('audit.log'))
  assert.deepEqual(
    found?.map(({ path }) => path),
    [at.path('old/audit.log.1')],
  )
  assert.equal(await filesBeside(at.path('none/audit.log')), undefined)
})

test('patterns name paths, a path names itself, and no more are found than are wanted', async (t) => {
  const at = stage(t)
  for (const name of ['a1.log', 'a2.log', 'b.log', 'c[1].log']) writeFileSync(at.path(name), '')
  assert.deepEqual((await pathsNamed(at.path('a*'), 100)).toSorted(), [at.path('a1.log'), at.path('a2.log')])
  assert.deepEqual(await pathsNamed(at.path('none.log'), 100), [at.path('none.log')])
  assert.deepEqual(await pathsNamed(at.path('c[1].log'), 100), [at.path('c[1].log')])
  assert.equal((await pathsNamed(at.path('*'), 2)).length, 2)
  assert.equal(directoryOf('/a/b*/c.log'), '/a')
  assert.equal(directoryOf('/a/b/c.log'), '/a/b')
  assert.equal(isNamedBy('/a/**/x?.log', '/a/b/c/xy.log'), true)
  assert.equal(isNamedBy('/a/*.log', '/a/b/c.log'), false)
  assert.equal(isNamedBy('/a/b.log', '/a/b.log'), true)
  assert.deepEqual(absolutePatterns(['/a/../b', '/b']), ['/b'])
})
