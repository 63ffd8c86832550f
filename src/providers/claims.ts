/** Reads claims (OpenID Connect Core §5.1) from the responses of providers, without trusting their types. */
import type { Grant, Profile } from './provider.js'

/** The members of an object; none for any other value. */
export const membersOf = (value: unknown): Record<string, unknown> =>
  // Safe: every object has members, and their type is unknown.
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : {}

export const asText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Adds UserInfo if the ID token has no address. Throws for another subject (§5.3.2): the token may be stolen. */
export async function claimsOf (
  { claims, accessToken, endpoints: { userinfo }, get }: Grant
): Promise<Record<string, unknown>> {
  if (claims?.email !== undefined || accessToken === undefined || userinfo === undefined) return claims ?? {}
  const info = membersOf(await get(userinfo))
  if (claims && info.sub !== claims.sub) throw new Error('the UserInfo response has another subject')
  // The address is from UserInfo, so `email_verified` of the ID token must not apply to it.
  return { ...claims, ...info, email_verified: info.email_verified }
}

export function standardProfile (
  { sub, email, email_verified: emailVerified, given_name: first, family_name: last }: Record<string, unknown>
): Profile {
  return {
    // An empty subject is rejected later.
    subject: asText(sub) ?? '',
    email: asText(email),
    // Some providers (Apple, Amazon Cognito) send the boolean as a string.
    emailVerified: emailVerified === true || emailVerified === 'true',
    fields: { first_name: asText(first), last_name: asText(last) }
  }
}
