/** The built-in mails and their template variables. */

/** The variables of every mail. */
export const commonVariables = ['site_name', 'site_domain', 'login_url', 'user', 'user_display']

/** The built-in mails, each with its additional variables. */
export const builtinMails = {
  'email-verification': ['activate_url', 'key', 'hours', 'valid_for'],
  'password-reset': ['password_reset_url', 'uid', 'token', 'minutes', 'valid_for', 'username'],
  'password-changed': ['changed_at', 'ip', 'device'],
  'account-exists': ['password_reset_url', 'uid', 'token', 'minutes', 'valid_for'],
  'token-reuse': ['ended_at', 'ip', 'device'],
  'login-locked': ['failures', 'opens_at'],
  'new-device': ['logged_in_at', 'ip', 'device'],
  'social-account-connected': ['provider', 'connected_at', 'ip', 'device']
}

/** Names that the app's own variables may not use. */
export const reservedVariables = new Set([...commonVariables, ...Object.values(builtinMails).flat()])
