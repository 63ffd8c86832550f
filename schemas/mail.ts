/** The built-in mails and their template variables. */

/** What every mail is given. */
export const commonVariables = ['site_name', 'site_domain', 'login_url', 'user', 'user_display']

/** The built-in mails, and what each is given besides. */
export const builtinMails = {
  'email-verification': ['activate_url', 'key', 'hours'],
  'password-reset': ['password_reset_url', 'uid', 'token', 'minutes', 'username'],
  'password-changed': ['changed_at'],
  'account-exists': ['password_reset_url', 'uid', 'token', 'minutes'],
  'token-reuse': ['ended_at'],
  'social-account-connected': ['provider', 'connected_at']
}

/** The names that are ours: the app's variables can't have them. */
export const reservedVariables = new Set([...commonVariables, ...Object.values(builtinMails).flat()])
