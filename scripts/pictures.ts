/**
 * Takes, with Chromium, the pictures of built-in mails and pages for docs/email-templates.md and docs/social.md.
 *
 *   npx tsx --conditions=fastify-rest-auth:source scripts/pictures.ts [folder] [dark] [width]
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { loadTemplates } from '../src/mail/templates.js'
import { socialFailedPage, startPage } from '../src/pages/social-redirect.js'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const [folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url)), colorScheme = 'light', width = '640'] =
  process.argv.slice(2)

const token = 'Zk3vQ8sYtX2uKzH6bEfGd9PaVoLrN4cJ8mWqv0T1iRw'
const uid = '019ab34c-7d1e-7c42-9a5b-2f60d8e13c77'
const variables = {
  site_name: 'Example Shop',
  site_domain: 'shop.example',
  user_display: 'alice',
  username: 'alice',
  login_url: 'https://shop.example/login',
  activate_url: `https://shop.example/confirm-email/${token}`,
  password_reset_url: `https://shop.example/reset-password/${uid}/${token}`,
  changed_at: new Date('2026-11-23T12:00:00Z'),
  ended_at: new Date('2026-11-23T12:00:00Z'),
  failures: 100,
  opens_at: new Date('2026-11-24T12:00:00Z'),
  provider: 'Google',
  connected_at: new Date('2026-11-23T12:00:00Z'),
  logged_in_at: new Date('2026-11-23T12:00:00Z'),
  ip: '203.0.113.7',
  device: 'Firefox on Windows'
}

const frame = { siteName: variables.site_name, loginUrl: variables.login_url }
const startUrl = '/auth/google/login'
const failed = { label: 'Google', code: 'provider_denied', message: '', retryUrl: startUrl } as const
const pages = {
  'social-start': startPage(frame, { label: 'Google', startUrl }),
  'social-failed': socialFailedPage(frame, failed)
}

const templates = await loadTemplates({ folder: undefined, filters: {}, tags: {} })
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
const page = await browser.newPage({
  viewport: { width: Number(width), height: 200 },
  colorScheme: colorScheme === 'dark' ? 'dark' : 'light'
})
const take = async (name: string, html = '') => {
  await page.setContent(html)
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
for (const name of templates.names()) {
  const valid_for = name === 'email-verification' ? '24 hours' : '30 minutes'
  await take(`mail-${name}`, (await templates.render(name, { ...variables, valid_for })).html)
}
for (const [name, { html }] of Object.entries(pages)) await take(name, html)
await browser.close()
