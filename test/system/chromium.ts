// The browser that is in Debian, driven as a person drives it.

import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'

const program = process.env['TEST_CHROMIUM'] ?? '/usr/bin/chromium'

/** Why there is no browser here; in CI there must be one. */
export function skipWithoutChromium(): string | false {
  if (process.env['CI'] !== undefined || existsSync(program)) return false
  return 'NOT TESTED IN A BROWSER: install chromium'
}

/** Starts it. */
export async function startChromium(context: TestContext): Promise<Browser> {
  // Its own sandbox does not start as root, which CI is.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  // However long that takes where the disk is slow: the test has a time limit of its own.
  const browser = await chromium.launch({ executablePath: program, args, timeout: 0 })
  context.after(() => browser.close())
  return browser
}
