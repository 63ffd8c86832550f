/** `fastify-rest-auth sweep`: deletes expired rows, as the app does every ten minutes. */
import { refuseToStart } from '../db/errors.js'
import { targetOf } from '../db/target.js'
import { createPolicies, longestLimit } from '../mail/policies.js'
import { createSweeper } from '../maintenance/sweeper.js'
import { createLinks } from '../settings/links.js'
import { defineCommand, type Outcome } from './command.js'
import { nameOf, openDatabaseOf, settingsOf } from './database.js'
import { optionFlags, withOptions } from './load-options.js'

export const sweep = defineCommand({
  flags: optionFlags,
  run: async ({ values }) => await withOptions('sweep', values, sweepCommand)
})

const words = {
  sessions: 'sessions',
  oneTimeTokens: 'mailed tokens',
  socialTransactions: 'social logins',
  mails: 'mails',
  limits: 'limits',
  events: 'events',
  knownDevices: 'devices'
}

async function sweepCommand (options: object): Promise<Outcome> {
  const settings = settingsOf(options)
  const db = await openDatabaseOf(settings)
  // No mail is sent here, so its links may lead nowhere.
  const policies = createPolicies(settings, createLinks(settings, '', () => ''))
  const sweeper = createSweeper({
    settings, db, clock: () => new Date(), log: undefined, mailRetentionSeconds: longestLimit(policies)
  })
  try {
    const swept = await sweeper.sweep().catch(refuseToStart)
    const counts = Object.entries(swept).filter(([, count]) => count > 0)
      .map(([kind, count]) => `${count} ${words[kind as keyof typeof words]}`)
    const database = nameOf(targetOf(settings.database).database)
    return { text: `${database}: ${counts.join(', ') || 'nothing'} deleted`, data: { database, deleted: swept } }
  } finally {
    sweeper.close()
    await db.close()
  }
}
