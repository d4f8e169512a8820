// The verifier as a page in a browser: it says of what real nodes proved what is to be said, in words, of what was tampered
// with too, and it connects to nothing.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { formatVkey, noteKey, signatureTypes } from '../../src/tree/note-key.ts'
import { buildVerifier } from '../build.ts'
import { type Answer, ask } from '../../test/conformance/wire.ts'
import { skipWithoutChromium, startChromium } from '../../test/system/chromium.ts'
import { enginesPath, entriesOf, joinEngine } from '../../test/system/engine-process.ts'
import { administrator, hostName, startPortal, temporaryDirectory } from '../../test/system/portal-process.ts'

const portalPath = '/audit-trail/api/v1/portal/type/auditlog'

/** A file to drop. */
interface Dropped {
  readonly name: string
  readonly text: string
}

/** What real nodes proved. */
interface Evidence {
  /** The portal's keys, and its engine's. */
  readonly keys: string
  readonly receipt: Dropped
  readonly answer: readonly Dropped[]
  readonly engines: readonly Dropped[]
  readonly wholeLog: readonly Dropped[]
}

test('the verifier in a browser', { skip: skipWithoutChromium() }, async (context) => {
  const evidence = await gather(context)
  const { keys, receipt, answer, engines, wholeLog } = evidence
  const browser = await startChromium(context)
  const file = join(temporaryDirectory(context), 'verifier.html')
  writeFileSync(file, await buildVerifier())
  const page = await browser.newPage()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('pageerror', (error) => assert.fail(error))
  page.on('console', (message) => assert.fail(message.text()))
  const judge = (files: readonly Dropped[], trust: string) => judgeIn(page, file, files, trust)

  await context.test('a receipt: the entry is in the log, and who says so', async () => {
    const verdict = await judge([receipt], keys)
    assert.match(
      verdict,
      /^✓ This entry is in the log, at position 2\. Signed by the log; witnessed by nobody you named\./,
    )
    assert.match(verdict, /1 post-quantum signature \(ML-DSA-44\) is here, and not checked/)
    assert.match(verdict, /\[audit@32473 v="1" log="portal-01-\w+" pos="2"/)
  })

  await context.test('an answer with its proof, dropped onto the page', async () => {
    const verdict = await judgeIn(page, file, answer, keys, 'drop')
    assert.match(verdict, /^✓ This answer is complete: \d+ entries, none left out\. Signed by the log;/)
    assert.match(verdict, /by admin, entry \d+ of the log/)
  })

  await context.test('all engines at once', async () => {
    const verdict = await judge(engines, keys)
    assert.match(verdict, /^✓ This answer is complete: \d+ entries of 1 engine, none left out\. Signed/)
  })

  await context.test('the whole log, from its files', async () => {
    assert.match(
      await judge(wholeLog, keys),
      /^✓ This is the log from its beginning: \d+ entries, none changed or left out/,
    )
  })

  for (const [what, files] of [
    ['a receipt', [spoilReceipt(receipt)]],
    ['an answer', spoil(answer)],
    ['an answer of all engines', spoil(engines)],
    ['a log', spoil(wholeLog)],
  ] as const)
    await context.test(`${what} with one letter changed is not proved`, async () => {
      assert.match(
        await judge(files, keys),
        /^✗ Not proved: .*something was changed, removed, added or left out/s,
      )
    })

  await context.test('lines that are left out are missed', async () => {
    const [lines, proof] = answer
    assert.ok(lines !== undefined && proof !== undefined)
    const fewer = { ...lines, text: lines.text.split('\n').toSpliced(3, 1).join('\n') }
    assert.match(await judge([fewer, proof], keys), /^✗ Not proved: position 4 where 3 is expected/)
    assert.match(
      await judge([{ ...lines, text: '' }, proof], keys),
      /^✗ Not proved: \d+ of \d+ lines are missing/,
    )
  })

  await context.test('nothing is proved under keys that were not named, or not by the log', async () => {
    assert.match(await judge([receipt], ''), /^⚠ It all fits together, but you named no key/)
    const other = keys.replaceAll(/^portal-01\S*$/gm, '')
    assert.match(
      await judge([receipt], other),
      /^✗ Not proved: the checkpoint is of portal-01\/.*no key was given/,
    )
    assert.match(await judge([receipt], 'secret'), /^✗ Not proved: “secret” is not a public key/)
    // The first is the Ed25519 one.
    const signature = receipt.text.indexOf('\u2014 portal-01/') + 150
    const forged = { ...receipt, text: changed(receipt.text, signature) }
    assert.match(await judge([forged], keys), /^✗ Not proved: .*Nobody whom you named has signed this/s)
  })

  await context.test('a policy whose witnesses are missing is not satisfied', async () => {
    const log = keys.split('\n').find((key) => key.startsWith('portal-01/'))
    const witness = `witness w1 ${formatVkey(noteKey('w1.example', signatureTypes.ed25519Cosignature, randomBytes(32)))}`
    const policy = `log ${log}\n${witness}\nquorum w1\n`
    assert.match(
      await judge([receipt], policy),
      /^⚠ It all fits together and is signed by the log, but fewer/,
    )
    assert.match(await judge([receipt], `log ${log}\nquorum none\n`), /^✓ .*your policy asks for no witness/)
  })

  await context.test('what does not belong together is refused', async () => {
    const [lines] = answer
    assert.ok(lines !== undefined)
    assert.match(await judge([lines], keys), /^✗ Not proved: there are lines, and nothing that proves them/)
    assert.match(await judge([...answer, ...engines], keys), /^✗ Not proved: there are two proofs of answers/)
  })

  await context.test('what a file says stays text', async () => {
    const name = '<img src=x onerror=alert(1)>.tlog-proof'
    assert.match(await judge([{ ...receipt, name }], keys), /<img src=x/)
    assert.equal(await page.locator('img').count(), 0)
  })

  await context.test('the page connects to nothing, and cannot', async () => {
    assert.deepEqual(
      asked.filter((url) => url !== pathToFileURL(file).href),
      [],
    )
    await proveDisconnected(context, page)
  })
})

async function gather(context: TestContext): Promise<Evidence> {
  const data = join(temporaryDirectory(context), 'portal')
  const portal = { ...(await startPortal(context, { data })), data }
  const engine = await joinEngine(context, portal, { hostName: 'alpha', data: join(data, '..', 'alpha') })
  const get = (path: string) => ask(portal, path, { credentials: administrator })
  const withProof = async (path: string): Promise<Dropped[]> => {
    const answer = await get(path)
    const proof = await get(new URL(String(answer.headers['annals-proof'])).pathname)
    return [
      { name: 'audit.log', text: text(answer) },
      { name: 'audit.log.proof', text: text(proof) },
    ]
  }
  for (let k = 0; k < 20; k += 1) await get(portalPath)
  const evidence = {
    answer: await withProof(`${portalPath}?elapsed_hours=1`),
    engines: await withProof(enginesPath),
    receipt: {
      name: 'entry.tlog-proof',
      text: text(await get(`/audit-trail/api/v2/logs/${hostName}/entries/2/proof`)),
    },
    keys: [portal, engine].flatMap((node) => entriesOf(node)[0]?.event['keys']?.split(' ') ?? []).join('\n'),
  }
  await portal.stop()
  return { ...evidence, wholeLog: filesOf(join(data, 'log')) }
}

function filesOf(log: string): Dropped[] {
  const segments = readdirSync(join(log, 'segments')).filter((name) => name.endsWith('.log'))
  const paths = [...segments.map((name) => join(log, 'segments', name)), join(log, 'head')]
  return paths.map((path) => ({ name: basename(path), text: readFileSync(path, 'utf8') }))
}

function text({ status, body }: Answer): string {
  assert.equal(status, 200, body.toString('utf8', 0, 500))
  return body.toString()
}

/** Reads the first verdict that the page gives. */
async function judgeIn(
  page: Page,
  file: string,
  files: readonly Dropped[],
  trust: string,
  how: 'choose' | 'drop' = 'choose',
): Promise<string> {
  await page.goto(pathToFileURL(file).href)
  if (how === 'choose')
    await page
      .getByLabel('Drop files here, or choose them')
      .setInputFiles(files.map(({ name, text }) => ({ name, mimeType: '', buffer: Buffer.from(text) })))
  else await drop(page, files)
  await page.getByRole('textbox', { name: 'Whom do you trust?' }).fill(trust)
  await page.getByRole('button', { name: 'Verify' }).click()
  const verdict = page.getByRole('status').getByRole('article').first()
  return await verdict.innerText()
}

async function drop(page: Page, files: readonly Dropped[]): Promise<void> {
  const dataTransfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer()
    for (const { name, text } of files) transfer.items.add(new File([text], name))
    return transfer
  }, files)
  await page.getByText('Drop files here, or choose them').dispatchEvent('drop', { dataTransfer })
}

/** Changes a letter of the last file of lines, or of the only one. */
function spoil(files: readonly Dropped[]): Dropped[] {
  const at = files.findIndex(({ text }) => text.startsWith('<'))
  return files.map((file, k) =>
    k === at ? { ...file, text: changed(file.text, file.text.indexOf('actor="') + 7) } : file,
  )
}

function spoilReceipt(receipt: Dropped): Dropped {
  const [, extra = ''] = /^extra (.+)$/m.exec(receipt.text) ?? []
  const line = Buffer.from(extra, 'base64').toString()
  const other = Buffer.from(changed(line, line.length - 3)).toString('base64')
  return { ...receipt, text: receipt.text.replace(extra, other) }
}

function changed(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

/** The page's own policy keeps it from connecting: what it asks for never arrives. */
async function proveDisconnected(context: TestContext, page: Page): Promise<void> {
  let arrived = 0
  const server = createServer((_, response) => {
    arrived += 1
    response.setHeader('Access-Control-Allow-Origin', '*').end('here')
  })
  context.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  // The server answers whoever may ask.
  assert.equal(await (await fetch(url)).text(), 'here')
  page.removeAllListeners('console')
  const outcome = await page.evaluate(async (url) => {
    const image = new Promise((resolve) => {
      const image = new Image()
      image.addEventListener('load', () => resolve('loaded'))
      image.addEventListener('error', () => resolve('refused'))
      image.src = url
    })
    const fetched = await fetch(url).then(
      () => 'loaded',
      () => 'refused',
    )
    return [await image, fetched, navigator.sendBeacon(url, 'x') ? 'queued' : 'refused']
  }, url)
  assert.deepEqual(outcome.slice(0, 2), ['refused', 'refused'])
  assert.equal(arrived, 1)
}
