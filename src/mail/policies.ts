/** The built-in mails: who gets each, how often, and which token it carries. */
import type { builtinMails } from '../../schemas/mail.js'
import type { UserRow } from '../db/tables.js'
import { describeDuration } from '../lib/time.js'
import type { Links } from '../settings/links.js'
import type { Settings } from '../settings/types.js'
import { tokenPurposes, type TokenPurpose } from '../store/one-time-tokens.js'

export interface MailPolicy {
  /** Whether to send it to this user, asked at each attempt. */
  isWanted: (user: UserRow) => boolean
  /** The most mails of this template that a user gets within that time; then the links of those last longer. */
  limit?: { count: number, seconds: number }
  /** The token that is minted for the mail when it is first prepared; the feature of that purpose spends it. */
  mintsToken?: MintedToken
}

export interface MintedToken {
  purpose: TokenPurpose
  lifetimeSeconds: number
  variables: (user: UserRow, token: string) => Record<string, unknown>
}

const perHour = (count: number) => ({ count, seconds: 3600 })

export function createPolicies (
  { account, tokens }: Pick<Settings, 'account' | 'tokens'>,
  links: Links
): Record<string, MailPolicy> {
  const isActive = ({ isActive }: UserRow) => isActive
  const emailKey: MintedToken = {
    purpose: tokenPurposes.verifyEmail,
    lifetimeSeconds: tokens.emailVerification,
    variables: (_user, key) => ({
      activate_url: links.emailConfirmation(key),
      key,
      hours: Math.round(tokens.emailVerification / 360) / 10,
      valid_for: describeDuration(tokens.emailVerification)
    })
  }
  const resetToken: MintedToken = {
    purpose: tokenPurposes.resetPassword,
    lifetimeSeconds: tokens.passwordReset,
    variables: ({ pk }, token) => ({
      password_reset_url: links.passwordReset(pk, token),
      uid: pk,
      token,
      minutes: Math.round(tokens.passwordReset / 60),
      valid_for: describeDuration(tokens.passwordReset)
    })
  }
  return {
    'email-verification': {
      isWanted: user => user.isActive && !user.emailVerified,
      limit: { count: 1, seconds: account.resendInterval },
      mintsToken: emailKey
    },
    'password-reset': { isWanted: isActive, limit: perHour(5), mintsToken: resetToken },
    // It offers a new password, too.
    'account-exists': { isWanted: isActive, limit: perHour(5), mintsToken: resetToken },
    'password-changed': { isWanted: isActive },
    'token-reuse': { isWanted: isActive, limit: perHour(1) },
    // The login locks at most once a day.
    'login-locked': { isWanted: isActive },
    'new-device': { isWanted: user => user.isActive && user.emailVerified, limit: perHour(10) },
    // An unverified address may be a stranger's, who would learn of the account.
    'social-account-connected': { isWanted: user => user.isActive && user.emailVerified }
  } satisfies Record<keyof typeof builtinMails, MailPolicy>
}

/** How long sent mails and their expired tokens are kept: the limits look back so far. */
export const longestLimit = (policies: Record<string, MailPolicy>): number =>
  Math.max(...Object.values(policies).map(({ limit }) => limit?.seconds ?? 0))
