import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { quietWarnings } from './warnings.ts'

test('only the warning about SQLite is not shown', () => {
  const shown: string[] = []
  const process = new EventEmitter()
  process.on('warning', ({ message }: Error) => shown.push(message))
  quietWarnings(process)
  process.emit(
    'warning',
    warning('ExperimentalWarning', 'SQLite is an experimental feature and might change'),
  )
  process.emit('warning', warning('ExperimentalWarning', 'Something else is an experimental feature'))
  process.emit('warning', warning('MaxListenersExceededWarning', 'SQLite has too many listeners'))
  assert.deepEqual(shown, ['Something else is an experimental feature', 'SQLite has too many listeners'])
})

function warning(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}
