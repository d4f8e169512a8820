import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Ended } from './ended.ts'
import { promptNewPassword, promptSecret, SecretLine } from './prompt.ts'
import { testSurroundings } from './testing/surroundings.ts'

test('a password is asked for twice, on standard error, and never shown', async () => {
  const terminal = fakeTerminal()
  const asked = promptNewPassword(terminal, 'anna')
  terminal.type('Secret-wörd-1\r')
  await terminal.until('The same again: ')
  terminal.type('Secret-wörd-1\r')
  assert.equal(await asked, 'Secret-wörd-1')
  assert.equal(terminal.said(), 'Password for anna: \nThe same again: \n')
  assert.deepEqual(terminal.modes, [true, false])
})

test('both answers may come at once, as when they are pasted', async () => {
  const terminal = fakeTerminal()
  terminal.type('Secret-1\nSecret-1\n')
  assert.equal(await promptNewPassword(terminal, 'anna'), 'Secret-1')
})

test('two different answers are refused', async () => {
  const terminal = fakeTerminal()
  terminal.type('Secret-1\rSecret-2\r')
  await assert.rejects(promptNewPassword(terminal, 'anna'), { code: 'INVALID_INPUT', message: /differ/ })
})

test('a character that arrives in two halves is one character', async () => {
  const terminal = fakeTerminal()
  const asked = promptSecret(terminal, '? ')
  const [first, ...rest] = Buffer.from('ö\r')
  terminal.input.write(Buffer.from([first ?? 0]))
  terminal.input.write(Buffer.from(rest))
  assert.equal(await asked, 'ö')
})

test('Ctrl-C and the end of the input give up, and leave the terminal as it was', async () => {
  for (const giveUp of ['abc\u0003', '\u0004']) {
    const terminal = fakeTerminal()
    terminal.type(giveUp)
    await assert.rejects(promptSecret(terminal, '? '), new Ended(130))
    assert.deepEqual(terminal.modes, [true, false])
  }
  const terminal = fakeTerminal()
  terminal.input.end()
  await assert.rejects(promptSecret(terminal, '? '), new Ended(130))
})

test('a line can be mended with backspace and Ctrl-U; other controls are no part of it', () => {
  const line = new SecretLine()
  assert.equal(line.type('wrong\u0015rihg'), undefined)
  assert.equal(line.type('\u007F\bght\u001B\u0000\r\nnext'), 'next')
  assert.equal(line.text, 'right')
  assert.equal(line.isGivenUp, false)
})

function fakeTerminal() {
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (mode: boolean) => modes.push(mode),
  })
  const modes: boolean[] = []
  const surroundings = testSurroundings({ input })
  return {
    ...surroundings,
    input,
    modes,
    said: () => surroundings.errorText(),
    type: (text: string) => void input.write(text),
    async until(text: string) {
      while (!surroundings.errorText().includes(text)) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}
