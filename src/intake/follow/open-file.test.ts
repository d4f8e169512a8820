import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { HeldFile } from './held-file.ts'
import { openFile } from './open-file.ts'
import { identityOf, placeAtStart } from './place.ts'
import { stage } from './testing/followed.ts'

test('what has been opened counts, not what was there at a look: a link into the data directory is refused', async (t) => {
  const at = stage(t)
  mkdirSync(at.path('data/log'), { recursive: true })
  mkdirSync(at.path('app'))
  symlinkSync(at.path('data'), at.path('other'))
  const key = at.path('data/log/key.pem')
  writeFileSync(key, 'secret\n')
  // As if the link had come between a look and the opening.
  for (const [name, target] of [
    ['link.log', key],
    ['roundabout.log', at.path('other/log/key.pem')],
  ] as const) {
    symlinkSync(target, at.path(`app/${name}`))
    const place = placeAtStart('id', at.path(`app/${name}`), identityOf(statSync(key, { bigint: true })), 0)
    for (const except of [at.path('data'), at.path('other')]) {
      const held = new HeldFile(place, { count: 0 }, place.path, except)
      assert.equal(await held.open(), 'gone')
    }
  }
})

test("the node's environment is no log either", async (t) => {
  const at = stage(t)
  symlinkSync('/proc/self/environ', at.path('a.log'))
  assert.equal(await openFile(at.path('a.log'), at.path('data')), undefined)
})

test('opens files and links to them, and neither waits for a pipe nor takes a directory', async (t) => {
  const at = stage(t)
  writeFileSync(at.path('a.log'), 'text')
  symlinkSync(at.path('a.log'), at.path('link.log'))
  execFileSync('mkfifo', [at.path('pipe.log')])
  for (const name of ['a.log', 'link.log']) {
    const opened = await openFile(at.path(name), at.path('data'))
    assert.equal(opened?.stats.size, 4n)
    await opened?.handle.close()
  }
  assert.equal(await openFile(at.path('pipe.log'), at.path('data')), undefined)
  assert.equal(await openFile(at.path('.'), at.path('data')), undefined)
})
