import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, nearest } from './suggest.ts'

test('a word with a slip is recognised, whatever its case', () => {
  const words = ['listen', 'hostName', 'timeZone', 'tls.keyFile']
  assert.equal(nearest('lisetn', words), 'listen')
  assert.equal(nearest('hostname', words), 'hostName')
  assert.equal(nearest('timezon', words), 'timeZone')
  assert.equal(nearest('tls.keyfiel', words), 'tls.keyFile')
})

test('the nearest of several is suggested', () => {
  assert.equal(nearest('info', ['warn', 'inform', 'info']), 'info')
})

test('nothing is suggested where nothing is near', () => {
  assert.equal(nearest('colour', ['listen', 'data']), undefined)
  assert.equal(didYouMean('colour', ['listen', 'data']), '')
})
