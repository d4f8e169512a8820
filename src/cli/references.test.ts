import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { settings } from '../config/setting.ts'
import { referenceDirectory, references } from './references.ts'

test('the references are as the code has it (if not: npm run docs)', async () => {
  for (const [name, text] of await references()) {
    assert.equal(readFileSync(join(referenceDirectory, name), 'utf8'), text, name)
  }
})

test('the fixed names are what scripts rely on', () => {
  const names = new Map(settings.map(({ key, flag, variable }) => [key, [flag, variable]]))
  assert.deepEqual(names.get('data'), ['--data', 'ANNALS_DATA'])
  assert.deepEqual(names.get('listen'), ['--listen', 'ANNALS_LISTEN'])
  assert.deepEqual(names.get('hostName'), ['--host-name', 'ANNALS_HOST_NAME'])
  assert.deepEqual(names.get('timeZone'), ['--time-zone', 'ANNALS_TIME_ZONE'])
  assert.deepEqual(names.get('publicUrl'), ['--public-url', 'ANNALS_PUBLIC_URL'])
  assert.deepEqual(names.get('adminPasswordFile'), ['--admin-password-file', 'ANNALS_ADMIN_PASSWORD_FILE'])
  assert.deepEqual(
    settings
      .filter(({ key }) => ['data', 'listen', 'timeZone'].includes(key))
      .map((setting) => setting.default),
    ['./annals-data', '127.0.0.1:8080', 'UTC'],
  )
})
