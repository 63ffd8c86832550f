/** `fastify-rest-auth doctor`: checks the configuration, and all that the app depends on. */
import { defineCommand, type Outcome } from '../command.js'
import { optionFlags, withOptions } from '../load-options.js'
import { withoutPasswords } from '../redact.js'
import { coloured, columns, printable } from '../terminal.js'
import { checkProxy, checkPublicUrl } from './addresses.js'
import { within, type Check, type Status } from './check.js'
import { checkDatabase } from './database.js'
import { checkDns } from './dns.js'
import { checkMailServer, senderDomain } from './mail.js'
import { checkOptions, checkSecret, checkTemplates } from './options.js'
import { checkRedis } from './redis.js'

export const doctor = defineCommand({
  flags: {
    'dkim-selector': { type: 'string', value: '<name>', summary: 'checks that the sender domain has this DKIM key' },
    'dns-server': { type: 'string', value: '<address>', summary: 'asks this name server instead of the system\'s' },
    ...optionFlags
  },
  notes: `Each line is ok, warning, failed or skipped (what can't be checked from here), and says what to mend. The exit
code is 1 if a check has failed. No mail is sent, and nothing is changed. Run it where the app runs.`,
  run: async ({ values: { 'dkim-selector': dkimSelector, 'dns-server': server, ...values } }) =>
    await withOptions('doctor', values, async options => {
      const isProduction = process.env.NODE_ENV === 'production'
      const { checks, settings } = checkOptions(options, isProduction)
      if (!settings) return report([...checks, unchecked])
      const isApp = values.options !== undefined
      return report([...checks, ...checkSecret(options, settings), ...(await Promise.all([
        within('templates', async () => await checkTemplates(settings)),
        within('publicUrl', async () => checkPublicUrl(settings)),
        within('trustProxy', async () => checkProxy(settings, process.env.TRUST_PROXY, isApp)),
        within('database', async () => await checkDatabase(settings, () => new Date())),
        within('redis', async () => await checkRedis(settings)),
        within('mail', async () => await checkMailServer(settings)),
        within('dns', async () => await checkDns({ domain: senderDomain(settings), dkimSelector, server }))
      ])).flat()])
    })
})

const unchecked: Check =
  { name: 'the rest', status: 'skipped', message: 'could not check: it depends on the options, which are refused' }

const colours = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const

function report (found: readonly Check[]): Outcome {
  const checks = found.map(check => ({ ...check, message: withoutPasswords(check.message) }))
  const ok = checks.every(({ status }) => status !== 'failed')
  const table = columns(checks.map(({ status, name, message }) => [status, name, printable(message)]))
  const text = table.replace(/^ {2}(\w+)/gm, (_line, word: Status) => `  ${coloured(colours[word], word)}`)
  return { text, data: { ok, checks }, exitCode: ok ? 0 : 1 }
}
