/** What the option `limits` limits: each action, how its attempts are counted, and its rules by default. */

export interface LimitedAction {
  /** The limits by default, such as `5/5m/account`. */
  rules: readonly string[]
  /** What a limit of this action may count by. */
  by: readonly LimitKey[]
  /** What one attempt is, for the documentation. */
  counts: string
  /** While its attempts can't be counted, it is refused. */
  triesPassword?: boolean
}

/**
 * `ip`: the address of the client; `account`: the account that is named, from any address; `mailbox`: an e-mail
 * address and the address of the client, so that a stranger can't use up the owner's attempts.
 */
export type LimitKey = 'ip' | 'account' | 'mailbox'

/** Its time is `account.resendInterval`, here with the default of that. */
export const resendRule = '1/3m/mailbox'

export const limitedActions = {
  login: {
    rules: ['10/1m/ip', '5/5m/account'], by: ['ip', 'account'], counts: 'failed logins', triesPassword: true
  },
  reauthenticate: {
    rules: ['10/1m/account', '100/1d/account'], by: ['ip', 'account'], counts: 'wrong passwords', triesPassword: true
  },
  passwordChange: {
    rules: ['5/1m/account', '100/1d/account'], by: ['ip', 'account'], counts: 'wrong old passwords', triesPassword: true
  },
  registration: { rules: ['20/1m/ip'], by: ['ip', 'mailbox'], counts: 'requests' },
  verifyEmail: { rules: ['20/1m/ip'], by: ['ip'], counts: 'invalid keys' },
  resendEmail: { rules: ['20/1m/ip', resendRule], by: ['ip', 'mailbox'], counts: 'requests' },
  passwordReset: { rules: ['20/1m/ip', '5/1h/mailbox'], by: ['ip', 'mailbox'], counts: 'requests' },
  passwordResetConfirm: { rules: ['20/1m/ip'], by: ['ip'], counts: 'invalid links' },
  tokenRefresh: { rules: ['150/5m/ip'], by: ['ip'], counts: 'unknown refresh tokens' },
  tokenVerify: { rules: ['150/5m/ip'], by: ['ip'], counts: 'invalid tokens' },
  socialStart: { rules: ['30/1m/ip'], by: ['ip'], counts: 'redirects to a provider' },
  socialCallback: { rules: ['30/1m/ip'], by: ['ip'], counts: 'invalid callbacks' },
  socialLogin: { rules: ['30/1m/ip'], by: ['ip'], counts: 'requests' },
  socialConnect: { rules: ['10/1m/account'], by: ['ip', 'account'], counts: 'requests' }
} as const satisfies Record<string, LimitedAction>

export type LimitedActionName = keyof typeof limitedActions
