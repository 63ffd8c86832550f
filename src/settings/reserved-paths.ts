/** The first segments of the plugin's routes below the prefix, including those of planned routes. */
export const ownPaths: readonly string[] = [
  'registration', 'login', 'logout', 'token', 'sessions', 'events', 'reauthenticate', 'user', 'password',
  'socialaccounts', 'email', 'mfa', 'passkeys', '.well-known'
]

/** Whether a path is the prefix, a route of the plugin or of one of the providers, or below one. */
export function isOwnPath (path: string, prefix: string, providers: readonly string[]): boolean {
  if (path === prefix) return true
  const [first = ''] = path.slice(prefix.length + 1).split('/')
  return path.startsWith(`${prefix}/`) && [...ownPaths, ...providers].includes(first)
}
