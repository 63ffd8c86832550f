/** The events of accounts: what the log, the hook `event` and the table of `audit` call what has happened. */

interface EventKind {
  outcome: 'success' | 'failure'
  /** What the log says. */
  message: string
  /** The name of the same event in the OWASP Logging Vocabulary, if it has one. */
  owasp?: string
  /** Logged as an error: somebody seems to have stolen something. */
  isAlarm?: boolean
  /** False: too frequent under attack to be stored. */
  isStored?: boolean
}

export const eventTypes = {
  user_registered: { outcome: 'success', message: 'a user registered', owasp: 'user_created' },
  login_succeeded: { outcome: 'success', message: 'a user logged in', owasp: 'authn_login_success' },
  login_failed: { outcome: 'failure', message: 'a login failed', owasp: 'authn_login_fail' },
  login_locked: {
    outcome: 'failure', message: 'many wrong passwords in a row have locked a login', owasp: 'authn_login_lock'
  },
  limit_exceeded: {
    outcome: 'failure',
    message: 'a limit was reached',
    owasp: 'excess_rate_limit_exceeded',
    isStored: false
  },
  reauthenticated: { outcome: 'success', message: 'a user confirmed their password', owasp: 'session_renewed' },
  reauthentication_failed: { outcome: 'failure', message: 'a user entered a wrong password to confirm it' },
  logged_out: { outcome: 'success', message: 'a user logged out', owasp: 'authn_token_delete' },
  session_ended: { outcome: 'success', message: 'a session was ended', owasp: 'authn_token_revoked' },
  sessions_ended: { outcome: 'success', message: 'all sessions of a user were ended', owasp: 'authn_token_revoked' },
  token_reused: {
    outcome: 'failure',
    message: 'a refresh token was used again: its session has ended',
    owasp: 'authn_token_reuse',
    isAlarm: true
  },
  token_shared: { outcome: 'failure', message: 'several clients use the refresh tokens of one session' },
  email_verified: { outcome: 'success', message: 'a user verified their address', owasp: 'user_updated' },
  password_changed: { outcome: 'success', message: 'a user changed their password', owasp: 'authn_password_change' },
  password_change_failed: {
    outcome: 'failure', message: 'a user entered a wrong old password', owasp: 'authn_password_change_fail'
  },
  password_reset_requested: { outcome: 'success', message: 'somebody asked for a password reset' },
  password_reset: {
    outcome: 'success', message: 'a user set a new password with a mailed link', owasp: 'authn_password_change'
  },
  provider_connected: { outcome: 'success', message: 'a provider was connected to an account', owasp: 'authz_change' },
  provider_disconnected: {
    outcome: 'success', message: 'a provider was disconnected from an account', owasp: 'authz_change'
  },
  user_updated: { outcome: 'success', message: 'a user was changed', owasp: 'user_updated' },
  user_activated: { outcome: 'success', message: 'a user was activated', owasp: 'user_updated' },
  user_deactivated: { outcome: 'success', message: 'a user was deactivated', owasp: 'user_archived' },
  user_deleted: { outcome: 'success', message: 'a user was deleted', owasp: 'user_deleted' }
} as const satisfies Record<string, EventKind>

export type EventType = keyof typeof eventTypes

/** What a type of event is, with the members that only some have. */
export const eventKindOf = (type: EventType): EventKind => eventTypes[type]

/** What an event says beside its type, the user and the client. */
export interface EventDetails {
  /** The address or username that was sent, masked: `a…@e….com`. */
  identifier?: string | undefined
  /** How the user proved who they are (RFC 8176). */
  amr?: readonly string[]
  /** The provider of a social login. */
  provider?: string | undefined
  /** Whether the user has not logged in from this device before. */
  newDevice?: boolean
  /** The action of the limit, as in the option `limits`. */
  action?: string
  /** How often a token was shared. */
  times?: number
  /** The names of the fields that were changed, not their values. */
  fields?: readonly string[]
}
