/** Puts together templates, transport and outbox; throws here, at start, what is wrong with their options. */
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../db/database.js'
import type { Links } from '../settings/links.js'
import type { Settings } from '../settings/types.js'
import { createComposer, type ToUser } from './composer.js'
import type { Inbox } from './inbox.js'
import { toOutgoingMail } from './message.js'
import { createOutbox, type Outbox } from './outbox.js'
import { createPolicies, longestLimit } from './policies.js'
import { createPreparer } from './prepare.js'
import { loadTemplates, type Templates } from './templates.js'
import { openTransport } from './transport.js'

interface MailOptions {
  settings: Settings
  path: string
  db: Database
  clock: () => Date
  log: FastifyBaseLogger
  userRecords: { toUser: ToUser }
  links: Links
  inbox: Inbox | undefined
  /** `mail.transport`, or what tests have instead. */
  transport: Settings['mail']['transport']
  print: ((text: string) => void) | undefined
  isManual: boolean
}

export async function createMail (
  {
    settings, path, db, clock, log, userRecords: { toUser }, links, inbox, transport, print, isManual
  }: MailOptions
): Promise<{ outbox: Outbox, templates: Templates, mailRetentionSeconds: number }> {
  const { templates: folder, filters = {}, tags = {} } = settings.mail
  const templates = await loadTemplates({ folder, filters, tags })
  const policies = createPolicies(settings, links)
  const retentionSeconds = longestLimit(policies)
  const outbox = createOutbox({
    origin: path,
    db,
    clock,
    log,
    transport: await openTransport(transport, print),
    policies,
    retentionSeconds,
    prepare: createPreparer({ db, clock, secrets: settings.secrets, retentionSeconds }),
    compose: createComposer({ settings, templates, links, toUser }),
    isManual,
    onMessage: inbox && ((id, message) => inbox.add({ id, at: clock(), ...toOutgoingMail(message) }))
  })
  return { outbox, templates, mailRetentionSeconds: retentionSeconds }
}
