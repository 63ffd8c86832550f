/** What an import has done, as JSON and as text. */
import { masked } from '../../lib/mask.js'
import { printable } from '../terminal.js'
import type { IncomingUser } from './incoming-users.js'
import type { Outcome } from './store-users.js'

interface Skipped {
  pk: string
  /** `a…@e….com` */
  email?: string
  reason: string
  /** The user who is stored instead, of several with one address or username. */
  kept?: string
}

export interface Report {
  source: string
  table: string
  database: string
  dry_run: boolean
  users: { read: number, stored: number, already_there: number, skipped: Skipped[] }
  /** Users stored without their password, whose format can't be read. */
  unreadable_passwords: Array<Pick<Skipped, 'pk' | 'email'>>
  social_accounts: {
    read: number
    stored: number
    already_there: number
    /** Of the accounts that were read, by the provider here. */
    issuers: Record<string, string>
    skipped: Array<{ pk: string, provider: string, reason: string }>
  }
  /** Addresses of allauth beside that of the account. */
  other_addresses: number
  ignored_columns: readonly string[]
}

export const emptyReport = (
  given: Pick<Report, 'source' | 'table' | 'database' | 'dry_run' | 'ignored_columns'>
): Report => ({
  ...given,
  users: { read: 0, stored: 0, already_there: 0, skipped: [] },
  unreadable_passwords: [],
  social_accounts: { read: 0, stored: 0, already_there: 0, issuers: {}, skipped: [] },
  other_addresses: 0
})

/** Adds a user to the report. */
export function record (report: Report, incoming: IncomingUser, outcome: Outcome): void {
  const { pk, email, socialAccounts, refusedAccounts } = incoming
  const who = { pk, ...(email !== undefined && { email: masked(email.trim()) }) }
  const { users, social_accounts: accounts } = report
  users.read++
  accounts.read += socialAccounts.length + refusedAccounts.length
  report.other_addresses += incoming.otherAddresses
  for (const { provider, issuer } of socialAccounts) accounts.issuers[provider] = issuer
  if (typeof outcome.user === 'object') {
    const { problem, ...kept } = outcome.user
    users.skipped.push({ ...who, reason: problem, ...kept })
    for (const { provider } of [...socialAccounts, ...refusedAccounts]) {
      accounts.skipped.push({ pk, provider, reason: 'the user was skipped' })
    }
    return
  }
  users[outcome.user === 'stored' ? 'stored' : 'already_there']++
  if (outcome.user === 'stored' && incoming.hasUnreadablePassword) report.unreadable_passwords.push(who)
  for (const { provider, problem } of refusedAccounts) accounts.skipped.push({ pk, provider, reason: problem })
  for (const [index, done] of outcome.accounts.entries()) {
    if (done === 'stored') accounts.stored++
    else if (done === 'already there') accounts.already_there++
    else accounts.skipped.push({ pk, provider: socialAccounts[index]?.provider ?? '', reason: done })
  }
}

const nameOf = ({ pk, email }: Pick<Skipped, 'pk' | 'email'>) => email === undefined ? pk : `${pk} ${email}`

/** How many of each reason the text names. */
const shownOfEach = 20

export function reportAsText (report: Report): string {
  const { users, social_accounts: accounts, unreadable_passwords: passwords } = report
  const stored = report.dry_run ? 'would be stored' : 'stored'
  const counts = ({ read, stored: count, already_there: there, skipped }: Report['users' | 'social_accounts']) =>
    `${read} read, ${count} ${stored}, ${there} already there, ${skipped.length} skipped`
  const lines = [
    `${report.source} (${report.table}) → ${report.database}${report.dry_run ? ' (dry run: nothing is stored)' : ''}`,
    `users: ${counts(users)}`,
    ...listed(users.skipped.map(({ reason, kept, ...who }) =>
      [reason, nameOf(who) + (kept === undefined ? '' : `, kept: ${kept}`)])),
    `social accounts: ${counts(accounts)}`,
    ...Object.entries(accounts.issuers).map(([provider, issuer]) => `  ${provider} is ${issuer}`),
    ...listed(accounts.skipped.map(({ pk, provider, reason }) => [`${provider}: ${reason}`, `user ${pk}`]))
  ]
  if (passwords.length > 0) {
    lines.push('stored without a password, because its format is unknown: they can reset it')
    lines.push(...listed(passwords.map(who => ['password', nameOf(who)])))
  }
  if (report.other_addresses > 0) {
    lines.push(`further addresses of users, which are not stored: ${report.other_addresses}`)
  }
  if (report.ignored_columns.length > 0) lines.push(`ignored columns: ${report.ignored_columns.join(', ')}`)
  return lines.map(printable).join('\n')
}

/** The entries by reason. */
function listed (entries: ReadonlyArray<[reason: string, who: string]>): string[] {
  const groups = new Map<string, string[]>()
  for (const [reason, who] of entries) {
    const group = groups.get(reason)
    if (group) group.push(who)
    else groups.set(reason, [who])
  }
  return [...groups].flatMap(([reason, all]) => [
    `  ${reason} (${all.length})`,
    ...all.slice(0, shownOfEach).map(who => `    ${who}`),
    ...all.length > shownOfEach ? [`    … and ${all.length - shownOfEach} more, which --json lists`] : []
  ])
}
