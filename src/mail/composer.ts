/** Writes the message to send from a queued mail and its user: variables, templates, headers. */
import type { MailRow } from '../db/tables.js'
import { parseSender } from '../lib/mail-address.js'
import type { Links } from '../settings/links.js'
import type { Settings } from '../settings/types.js'
import type { BaseUser } from '../types.js'
import type { MailMessage } from './message.js'
import type { MailPolicy } from './policies.js'
import type { PreparedMail } from './prepare.js'
import type { Templates } from './templates.js'

export type ToUser = (row: PreparedMail['user']) => BaseUser & Record<string, unknown>

interface ComposerOptions {
  settings: Pick<Settings, 'site' | 'mail' | 'account'>
  templates: Templates
  links: Links
  toUser: ToUser
}

export interface Site {
  name: string
  domain: string
}

/** To be called for each use: without `site` it follows from `publicUrl`, in development known only at `listen`. */
export function resolveSite ({ name, domain }: Settings['site'], publicUrl: string): Site {
  const known = domain ?? new URL(publicUrl).host
  return { name: name ?? known, domain: known }
}

/** Returns the function that renders a prepared mail. Throws what a template or a function of the app throws. */
export const createComposer = ({ settings, templates, links, toUser }: ComposerOptions) =>
  async function compose (mail: MailRow, { user: row, token }: PreparedMail, policy: MailPolicy): Promise<MailMessage> {
    const site = resolveSite(settings.site, links.publicUrl())
    const user = toUser(row)
    const { hostname } = new URL(`http://${site.domain}`)
    const { subject, text, html } = await templates.render(
      mail.template,
      {
        ...(await resolveVariables(settings.mail.variables, user)),
        // The column is JSON: `enqueue` stores an object.
        ...(mail.variables as object),
        site_name: site.name,
        site_domain: site.domain,
        user,
        user_display: row.username ?? row.email,
        username: settings.account.loginMethods.includes('username') ? row.username : undefined,
        login_url: links.login(),
        changed_at: mail.createdAt,
        ended_at: mail.createdAt,
        connected_at: mail.createdAt,
        logged_in_at: mail.createdAt,
        ...(token !== undefined && policy.mintsToken?.variables(row, token))
      },
      settings.mail.subjectPrefix ?? `[${site.name}] `
    )
    return {
      to: row.email,
      from:
        settings.mail.from === undefined
          ? { name: site.name, address: `noreply@${hostname}` }
          : parseSender(settings.mail.from),
      subject,
      text,
      html,
      headers: { 'Auto-Submitted': 'auto-generated' },
      messageId: `<${mail.id}@${hostname}>`,
      date: mail.createdAt
    }
  }

async function resolveVariables (
  variables: Record<string, unknown> = {},
  user: object
): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    Object.entries(variables).map(async ([name, value]) => [
      name,
      typeof value === 'function' ? await value(user) : value
    ])
  )
  return Object.fromEntries(entries)
}
