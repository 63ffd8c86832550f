/** A provider's profile becomes an identity: whom it names, which address it has, and whether that one is proven. */
import { canonicalEmail, domainOf } from '../lib/email.js'
import type { IdClaims, Profile } from '../providers/provider.js'
import type { SocialSettings } from '../settings/types.js'
import { ProviderError } from './provider-error.js'
import type { TokenResponse } from './token-response.js'
import type { Identity } from './types.js'

interface Origin {
  claims: IdClaims | undefined
  tokens: TokenResponse | undefined
}

/** Throws `provider_error` where the profile names nobody, or somebody other than the ID token. */
export function readProfile (profile: Profile, { name, provider, trustEmail, storeTokens }: SocialSettings, { claims, tokens }: Origin): Identity {
  const {
    subject,
    issuer = provider.issuer,
    email: address,
    emailVerified,
    fields
  } = Object(profile) as Partial<Profile>
  if (!isName(subject) || !isName(issuer)) throw new ProviderError('provider_error', 'profile: no usable subject')
  const email = typeof address === 'string' ? canonicalEmail(address) : undefined
  const isTrusted = (address: string) => typeof trustEmail === 'object'
    ? trustEmail.includes(domainOf(address))
    : trustEmail ?? provider.ownsMailbox?.(address, claims) === true
  return {
    provider: name,
    issuer,
    subject,
    email,
    emailProven: email !== undefined && emailVerified === true && isTrusted(email),
    fields: Object.fromEntries(
      Object.entries(fields ?? {}).filter(([, value]) => value !== undefined && value !== null)
    ),
    tokens: storeTokens && tokens ? toStoredTokens(tokens) : undefined
  }
}

/** What both databases can hold and compare: OpenID Connect Core §2 allows 255 ASCII characters. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 255 && !/[\p{Cc}\p{Cs}]/u.test(value)

const toStoredTokens = ({ accessToken, refreshToken, expiresAt, scope }: TokenResponse) => ({
  access_token: accessToken,
  ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  ...(expiresAt !== undefined && { expires_at: expiresAt }),
  ...(scope !== undefined && { scope })
})
