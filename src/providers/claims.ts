/** What the providers' answers have in common: claims (OpenID Connect Core §5.1), and how little may be taken for granted. */
import type { Grant, Profile } from './provider.js'

/** An object's members, all unknown; of anything else none. */
export const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : {}

export const asText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/**
 * The claims of a login: of the ID token, and of the UserInfo endpoint where that one tells no address. They must be of
 * the same person (§5.3.2), or a stolen access token would lend its name to another's login.
 */
export async function claimsOf ({ claims, accessToken, endpoints: { userinfo }, get }: Grant): Promise<Record<string, unknown>> {
  if (claims?.email !== undefined || accessToken === undefined || userinfo === undefined) return claims ?? {}
  const told = membersOf(await get(userinfo))
  if (claims && told.sub !== claims.sub) throw new Error('the UserInfo endpoint speaks of somebody else')
  // That an address is verified counts of that address only.
  return { ...claims, ...told, email_verified: told.email_verified }
}

/** A profile of standard claims. */
export function standardProfile ({ sub, email, email_verified: emailVerified, given_name: first, family_name: last }: Record<string, unknown>): Profile {
  return {
    // An empty one is refused.
    subject: asText(sub) ?? '',
    email: asText(email),
    emailVerified: emailVerified === true,
    fields: { first_name: asText(first), last_name: asText(last) }
  }
}
