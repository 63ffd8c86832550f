/** The mails of our own: whom each is for, what it carries, and how often one mailbox gets it. */
import type { UserRow } from '../db/tables.js'
import type { Links } from '../settings/links.js'
import type { Settings } from '../settings/types.js'
import type { Purpose } from '../store/one-time-tokens.js'

export interface MailPolicy {
  /** Whether the user still has a use for it. */
  isWanted: (user: UserRow) => boolean
  /** At most so many a user in so many seconds. */
  limit?: { count: number, seconds: number }
  token?: {
    purpose: Purpose
    /** Seconds. */
    lifetimeSeconds: number
    variables: (user: UserRow, token: string) => Record<string, unknown>
  }
}

/** The longest that any limit looks back, in seconds: so long a sent mail is remembered. */
export const retentionSeconds = 3600

/** The cooldown of the confirmation mail is dj-rest-auth's own. */
export function createPolicies ({ tokens }: Pick<Settings, 'tokens'>, links: Links): Record<string, MailPolicy> {
  const isActive = ({ isActive }: UserRow) => isActive
  const reset: MailPolicy['token'] = {
    purpose: 'password-reset',
    lifetimeSeconds: tokens.passwordReset,
    variables: ({ pk }, token) => ({
      password_reset_url: links.passwordReset(pk, token),
      uid: pk,
      token,
      minutes: Math.round(tokens.passwordReset / 60)
    })
  }
  return {
    'email-verification': {
      isWanted: user => user.isActive && !user.emailVerified,
      limit: { count: 1, seconds: 180 },
      token: {
        purpose: 'email-verification',
        lifetimeSeconds: tokens.emailVerification,
        variables: (_user, key) => ({
          activate_url: links.emailConfirmation(key),
          key,
          hours: Math.round(tokens.emailVerification / 360) / 10
        })
      }
    },
    'password-reset': { isWanted: isActive, limit: { count: 5, seconds: retentionSeconds }, token: reset },
    'account-exists': { isWanted: isActive, limit: { count: 5, seconds: retentionSeconds }, token: reset },
    'password-changed': { isWanted: isActive },
    'token-reuse': { isWanted: isActive, limit: { count: 1, seconds: retentionSeconds } },
    // An address that nobody has proven may be a stranger's, who would learn of the account.
    'social-account-connected': { isWanted: user => user.isActive && user.emailVerified }
  }
}
