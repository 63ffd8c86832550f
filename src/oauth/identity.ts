/** Turns a provider's profile into an identity: its subject, its address, and whether that address is proven. */
import { canonicalEmail, domainOf } from '../lib/email.js'
import type { IdClaims, Profile } from '../providers/provider.js'
import type { SocialSettings } from '../settings/types.js'
import { ProviderError } from './provider-error.js'
import type { TokenResponse } from './token-response.js'
import type { Identity } from './types.js'

interface ProfileSource {
  claims: IdClaims | undefined
  tokens: TokenResponse | undefined
}

/** Throws `provider_error` if the profile has no valid subject or issuer. */
export function readProfile (
  profile: Profile,
  { name, provider, trustEmail, storeTokens }: SocialSettings,
  { claims, tokens }: ProfileSource
): Identity {
  // A host's own `profile()` may return anything, so every member is checked.
  const given = Object(profile) as Partial<Profile>
  const { subject, issuer = provider.issuer, email: address, emailVerified, fields } = given
  if (!isIdentifier(subject) || !isIdentifier(issuer)) {
    throw new ProviderError('provider_error', 'profile: no valid subject')
  }
  const email = typeof address === 'string' ? canonicalEmail(address) : undefined
  const isTrusted = (address: string) => typeof trustEmail === 'object'
    ? trustEmail.includes(domainOf(address))
    : trustEmail ?? provider.ownsMailbox?.(address, claims) === true
  return {
    provider: name,
    issuer,
    subject,
    email,
    ...(email === undefined && typeof address === 'string' && address !== '' && { hasUnusableEmail: true as const }),
    emailProven: email !== undefined && emailVerified === true && isTrusted(email),
    fields: Object.fromEntries(
      Object.entries(fields ?? {}).filter(([, value]) => value !== undefined && value !== null)
    ),
    tokens: storeTokens && tokens ? toStoredTokens(tokens) : undefined
  }
}

/** At most 255 characters (OpenID Connect Core §2) that both databases can store and compare. */
export const isIdentifier = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 255 && !/[\p{Cc}\p{Cs}]/u.test(value)

const toStoredTokens = ({ accessToken, refreshToken, expiresAt, scope }: TokenResponse) => ({
  access_token: accessToken,
  ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  ...(expiresAt !== undefined && { expires_at: expiresAt }),
  ...(scope !== undefined && { scope })
})
