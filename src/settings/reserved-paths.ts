/** What the paths of our routes begin with, below the prefix: those of routes to come, too. */
export const ownPaths: readonly string[] = [
  'registration', 'login', 'logout', 'token', 'sessions', 'reauthenticate', 'user', 'password',
  'socialaccounts', 'email', 'mfa', 'passkeys', '.well-known'
]

/** Whether a path is the prefix itself, or a route's, or below one; each of the providers has routes of its own. */
export function isOwnPath (path: string, prefix: string, providers: readonly string[]): boolean {
  if (path === prefix) return true
  const [first = ''] = path.slice(prefix.length + 1).split('/')
  return path.startsWith(`${prefix}/`) && [...ownPaths, ...providers].includes(first)
}
