import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { lookUp } from '../entry/catalogue.ts'
import { parseForeign, type Rfc5424Line } from '../entry/foreign.ts'
import { readHeader } from '../entry/header.ts'
import { demoActivity, type DemoNode, type DemoOptions } from './demo-activity.ts'
import { importFiles } from './import.ts'

/** 2026-11-25T11:17:00Z, a Wednesday. */
const end = Date.UTC(2026, 10, 25, 11, 17) * 1000
const dayLength = 24 * 3_600_000_000

const nodes: readonly DemoNode[] = [
  { kind: 'portal' },
  { kind: 'engine', name: 'Engine-01' },
  { kind: 'engine', name: 'Engine-02' },
]

for (const node of nodes) {
  describe(`the demo's history of ${nameOf(node)}`, () => {
    test('is the same for the same options, and another for another seed', () => {
      const lines = history({ node })
      assert.deepEqual(history({ node }), lines)
      assert.notDeepEqual(history({ node, seed: 8 }), lines)
    })

    test('lies in its days, with times that strictly increase', () => {
      const times = entriesOf({ node }).map(({ time }) => time)
      assert.ok(times.every((time, k) => k === 0 || time > (times[k - 1] ?? 0)))
      const [first = 0, last = 0] = [times[0], times.at(-1)]
      assert.ok(first >= end - 30 * dayLength && first < end - 29 * dayLength)
      assert.ok(last < end && last > end - dayLength / 12)
    })

    test('has as many lines as a month of an office has', () => {
      for (const seed of [1, 2, 3]) {
        const { length } = history({ node, seed })
        assert.ok(length >= 2_000 && length <= 4_500, `${length} lines`)
      }
    })

    test("L5: is read by the importer, in the catalogue's words and with its own family's codes", () => {
      for (const { message, msgId } of entriesOf({ node })) {
        const header = readHeader(message)
        assert.equal(header?.component, nameOf(node))
        assert.equal(header?.code, msgId)
        const templates = lookUp(nameOf(node), header?.code ?? '').map(({ template = '' }) => template)
        const text = Buffer.from(message).toString()
        assert.ok(
          templates.some((template) => patternOf(template).test(text)),
          text,
        )
      }
    })

    test('is busier on workdays than at weekends', () => {
      const byDay = Map.groupBy(entriesOf({ node }), ({ time }) => Math.floor(time / dayLength))
      // The last day is cut.
      const days = [...byDay].slice(0, -1).map(([day, { length }]) => ({ weekday: (day + 4) % 7, length }))
      const [free, busy] = [days.filter(isWeekend), days.filter((day) => !isWeekend(day))]
      assert.ok(Math.min(...busy.map(({ length }) => length)) > Math.max(...free.map(({ length }) => length)))
    })

    test('W9: is imported whole, in order, with nothing kept raw', async () => {
      await using place = await directory()
      const file = join(place.path, 'demo.log')
      const lines = history({ node, days: 3 })
      await writeFile(file, lines.map((line) => `${line}\n`).join(''))
      const { files, entries } = await importFiles({
        data: join(place.path, 'data'),
        files: [file],
        hostName: 'node-01',
        component: nameOf(node),
        timeZone: 'UTC',
        actor: '*system',
        now: end,
      })
      const [{ parsed, keptRaw, raised } = { parsed: 0, keptRaw: 0, raised: 0 }] = files
      assert.deepEqual({ parsed, keptRaw, raised }, { parsed: lines.length, keptRaw: 0, raised: 0 })
      assert.ok(entries > lines.length)
    })
  })
}

describe("the demo's story", () => {
  const portal = entriesOf({ node: { kind: 'portal' } }).map(({ time, message }) => ({
    time,
    text: Buffer.from(message).toString(),
  }))

  test('ends every session that began once, but those of the last hours', () => {
    const begun = new Set<string>()
    const open = new Map<string, number>()
    for (const { text, time } of portal) {
      const [, code, account, session] = /\|(2010[12])\|.*User (\S+) .* session id (\w+)$/.exec(text) ?? []
      if (code === undefined) continue
      const key = `${account} ${session}`
      if (code === '20102') assert.ok(open.delete(key), text)
      else {
        assert.ok(!begun.has(key), text)
        begun.add(key)
        open.set(key, time)
      }
    }
    assert.ok(begun.size > 1_000)
    for (const time of open.values()) assert.ok(time > end - dayLength / 6)
  })

  test('locks two accounts, each after five failures in a row, and somebody unlocks the one that was attacked', () => {
    const locks = portal.flatMap(({ text }, k) => (text.includes('|20104|') ? [k] : []))
    assert.equal(locks.length, 2)
    for (const lock of locks) {
      const account = /\|20104\|([^\]]+)\]/.exec(portal[lock]?.text ?? '')?.[1] ?? ''
      const before = portal.slice(0, lock).filter(({ text }) => text.includes(` ${account} `))
      const failures = before.slice(-5).map(({ text }) => text)
      const failure = `[Portal|LOGIN|20103|*system] User ${account} failed login attempts - wrong-password`
      assert.deepEqual(
        failures,
        Array.from({ length: 5 }, () => failure),
      )
    }
    const [, attacked = 0] = locks
    const later = portal.slice(attacked).map(({ text }) => text)
    const unlocked = later.findIndex((text) => /\|20203\|anna\.keller\] User e\.silva /.test(text))
    const back = later.findIndex((text) => text.includes('|20101|e.silva]'))
    assert.ok(unlocked > 0 && back > unlocked)
  })

  test('is one story: what an administrator does to an account is at every engine a moment later', () => {
    const created = portal.find(({ text }) => text.includes('|20201|'))
    assert.match(created?.text ?? '', /User i\.petrescu is created$/)
    for (const node of nodes.slice(1)) {
      const atEngine = entriesOf({ node }).filter(({ msgId }) => msgId === '10009')
      assert.equal(atEngine.length, 1)
      const late = (atEngine[0]?.time ?? 0) - (created?.time ?? 0)
      assert.ok(late > 0 && late < 1_000_000)
    }
  })

  test('changes no role, profile or hierarchy before it is there or after it was removed', () => {
    const kinds = [
      {
        named: /\|(20206|20207|20208)\|.*Role (.+) is /,
        there: ['Audit reader', 'Service desk', 'Remote access', 'Application owner', 'Security analyst'],
      },
      {
        named: /\|(20209|20210|20211)\|.* profile (.+?)(?: roles: |$)/,
        there: ['IT operations', 'Service desk', 'Read only', 'Security'],
      },
      { named: /\|(20501|20502|20503)\|.*Hierarchy (.+) is /, there: ['Location', 'Department'] },
    ]
    const additions = ['20206', '20209', '20501']
    const removals = ['20208', '20211', '20502']
    for (const { named, there } of kinds) {
      const present = new Set(there)
      assert.ok(portal.filter(({ text }) => named.test(text)).length > 5)
      for (const { text } of portal) {
        const [, code = '', name = ''] = named.exec(text) ?? []
        if (name === '') continue
        assert.equal(present.has(name), !additions.includes(code), text)
        present.add(name)
        if (removals.includes(code)) present.delete(name)
      }
    }
  })

  test('a history of one day, or of none, is one', () => {
    for (const days of [0, 1, 2]) {
      for (const node of nodes) assert.ok(history({ node, days }).length <= days * 400)
    }
    assert.ok(history({ days: 1 }).length > 0)
  })
})

function nameOf(node: DemoNode): string {
  return node.kind === 'portal' ? 'Portal' : node.name
}

function history(options: Partial<DemoOptions>): string[] {
  return [...demoActivity({ node: { kind: 'portal' }, end, days: 30, seed: 7, ...options })]
}

interface Entry extends Pick<Rfc5424Line, 'message' | 'msgId'> {
  readonly time: number
}

function entriesOf(options: Partial<DemoOptions>): Entry[] {
  return history(options).map((text) => {
    const line = parseForeign(Buffer.from(text))
    if (line.form !== 'rfc5424' || line.time === undefined) assert.fail(text)
    const { time, message, msgId } = line
    return { time, message, msgId }
  })
}

// The template with anything in the place of its placeholders.
function patternOf(template: string): RegExp {
  const parts = template.split(/\{[^}]*\}/).map((part) => RegExp.escape(part))
  return new RegExp(`^${parts.join('.+')}$`)
}

function isWeekend({ weekday }: { readonly weekday: number }): boolean {
  return weekday === 0 || weekday === 6
}

async function directory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'annals-demo-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
