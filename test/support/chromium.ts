/** Chromium, for the tests that need a browser: skipped where it is not installed, but not in CI. */
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import type { Test } from './build.js'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const missing = existsSync(executablePath)
  ? undefined
  : `no browser: ${executablePath} is not there; CHROMIUM_PATH may name one`
const args = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
  '--disable-dev-shm-usage'
]

// Playwright's 30 seconds are too few on a busy machine.
const timeout = 300_000

/** The options of a test in a browser. */
export const inBrowser = { skip: missing !== undefined && !process.env.CI && missing, timeout: 3 * timeout }

/** A browser that closes with the test; `hosts` are its rules for names, such as `MAP *.test 127.0.0.1`. */
export async function launchChromium (t: Test, hosts: string[] = []): Promise<Browser> {
  if (missing) throw new Error(missing)
  const rules = hosts.length > 0 ? [`--host-resolver-rules=${hosts.join(', ')}`] : []
  const browser = await chromium.launch({ executablePath, args: [...args, ...rules], timeout })
  browser.on('context', context => context.setDefaultTimeout(timeout))
  t.teardown(() => browser.close())
  return browser
}
