/** `fastify-rest-auth sweep`: deletes expired rows, as the app does every ten minutes. */
import { refuseToStart } from '../db/errors.js'
import { openDatabase } from '../db/open.js'
import { targetOf } from '../db/target.js'
import { createPolicies, longestLimit } from '../mail/policies.js'
import { createSweeper } from '../maintenance/sweeper.js'
import { createLinks } from '../settings/links.js'
import { nameOf, settingsOf } from './database.js'

const words = {
  sessions: 'sessions',
  oneTimeTokens: 'mailed tokens',
  socialTransactions: 'social logins',
  mails: 'mails',
  limits: 'limits',
  events: 'events',
  knownDevices: 'devices'
}

export async function sweepCommand (options: object): Promise<string> {
  const settings = settingsOf(options)
  const db = await openDatabase(settings.database, settings.fields, () => {}).catch(refuseToStart)
  // No mail is sent here, so its links may lead nowhere.
  const policies = createPolicies(settings, createLinks(settings, '', () => ''))
  const sweeper = createSweeper({
    settings, db, clock: () => new Date(), log: undefined, mailRetentionSeconds: longestLimit(policies)
  })
  try {
    const swept = await sweeper.sweep().catch(refuseToStart)
    const counts = Object.entries(swept).filter(([, count]) => count > 0)
      .map(([kind, count]) => `${count} ${words[kind as keyof typeof words]}`)
    return `${nameOf(targetOf(settings.database).database)}: ${counts.join(', ') || 'nothing'} deleted`
  } finally {
    sweeper.close()
    await db.close()
  }
}
