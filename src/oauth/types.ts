/** Types of the provider client: the identity it returns, and its interface. */
import type { SocialSettings } from '../settings/types.js'

/** The user at the provider, after all checks. */
export interface Identity {
  provider: string
  issuer: string
  subject: string
  /** In canonical form (lib/email.ts); undefined if the provider returned no valid address. */
  email: string | undefined
  /** Whether it returned an address, but none that this plugin accepts. */
  hasUnusableEmail?: true
  /** Whether the provider reports the address as verified and is trusted for it. */
  emailProven: boolean
  /** Unchecked values for user fields. */
  fields: Readonly<Record<string, unknown>>
  /** To be stored; undefined without the option `storeTokens`. */
  tokens: ProviderTokens | undefined
}

export interface ProviderTokens {
  access_token: string
  refresh_token?: string
  /** When the access token expires, in milliseconds since the epoch. */
  expires_at?: number
  scope?: string
}

interface CodeInput {
  code: string
  verifier: string | undefined
  redirectUri: string
  /** Whether a client posted the code, and so chose the redirect URI. */
  isPosted?: boolean
  /** Expected in the ID token; undefined: the ID token must have none. */
  nonce: string | undefined
  extras?: Record<string, unknown>
}

interface AuthorizationRequest {
  state: string
  nonce: string
  /** S256 of the verifier (RFC 7636). */
  challenge: string
  redirectUri: string
}

/** All methods throw a ProviderError: `provider_unavailable`, `provider_error` and the codes named below. */
export interface SocialClient {
  settings: SocialSettings
  /** Whether the provider posts to the callback (`response_mode=form_post`). */
  postsBack: boolean
  /** The credentials that clients may post besides a code. */
  accepts: { idToken: boolean, accessToken: boolean }
  /** Whether it claims to be an ID token for this app: dj-rest-auth's clients post one as an access token. */
  isOwnIdToken: (token: string) => boolean
  /** Fetches the metadata, if the provider has any. */
  discover: () => Promise<void>
  authorizationUrl: (request: AuthorizationRequest) => Promise<string>
  /** Whether the `iss` of a redirect is valid (RFC 9207). None is valid, unless the provider always sends it. */
  isIssuer: (iss: string | undefined) => Promise<boolean>
  /** Exchanges the code. Throws `code_exchange_failed` for a rejected code or a missing nonce. */
  identityFromCode: (input: CodeInput) => Promise<Identity>
  /** For an ID token that a client posted; also when it expires. Throws `provider_token_invalid`. */
  identityFromIdToken: (idToken: string, nonce: string | undefined) => Promise<{ identity: Identity, expiresAt: Date }>
  /** For an access token that a client posted. Throws `provider_token_invalid`, also if issued to another app. */
  identityFromAccessToken: (accessToken: string) => Promise<Identity>
}
