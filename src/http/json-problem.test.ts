import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonProblem } from './json-problem.ts'

function problemOf(text: string): string {
  try {
    JSON.parse(text)
  } catch (cause) {
    return jsonProblem(text, cause)
  }
  return assert.fail(`${text} is JSON`)
}

test('a text that is no JSON is told where it is broken, and what is expected there', () => {
  const long = 'x'.repeat(100)
  const problems: readonly (readonly [string, string])[] = [
    ['', 'it is empty'],
    ['\n ', 'it is empty'],
    ['\ufeff{"code":1}', 'it begins with a byte order mark, which JSON does not have (RFC 8259 section 8.1)'],
    ['{"code":', 'it ends in the middle'],
    ['{"a":"x', 'it ends in the middle'],
    ['[1', 'it ends in the middle'],
    ['{', 'it ends in the middle'],
    ['{"code" 1}', "at character 9 it is broken: expected ':' after property name"],
    ['{\n  "code": 1,\n}', 'in line 3 at character 1 it is broken: expected double-quoted property name'],
    ['{"code":1} {"code":2}', 'at character 12 it has ended, and something follows'],
    ['{"a":tru}', 'at character 9 it is broken'],
    [`{"a":no,"b":"${long}"}`, 'at character 7 it is broken'],
    [`{"a":"${long}","b":no,"c":"${long}"}`, 'at character 114 it is broken'],
    [`{"a":"${long}",\n"b":no}`, 'in line 2 at character 6 it is broken'],
    ['nonsense', 'at character 2 it is broken'],
    ['nonsense on', 'it is something else'],
  ]
  for (const [text, problem] of problems) assert.equal(problemOf(text), problem, text)
})

test('nothing of the text itself is told', () => {
  const secret = 'hunter2-hunter2-hunter2'
  for (const text of [
    secret,
    `{"password":${secret}}`,
    `{"a":1,"password":'${secret}'}`,
    `"${secret}" ${secret}`,
  ])
    for (const part of ['hunter', secret.slice(-5)]) assert.ok(!problemOf(text).includes(part), text)
})
