/** What a configured provider is to the rest of the house: its settings, who came from it, and what can be asked of it. */
import type { SocialSettings } from '../settings/types.js'

/** Who has logged in at a provider, after all checks. */
export interface Identity {
  /** Name of the provider, as configured. */
  provider: string
  issuer: string
  subject: string
  /** In canonical form (lib/email.ts); undefined where the provider gave none that is an address. */
  email: string | undefined
  /** Whether the provider says so, and is trusted for this address. */
  emailProven: boolean
  /** Suggestions for user fields, unchecked. */
  fields: Readonly<Record<string, unknown>>
  /** What to keep, where the app asked for it. */
  tokens: ProviderTokens | undefined
}

export interface ProviderTokens {
  access_token: string
  refresh_token?: string
  /** When the access token ends, in milliseconds since 1970. */
  expires_at?: number
  scope?: string
}

export interface SocialClient {
  settings: SocialSettings
  /** Whether the redirect comes as a POST (`response_mode=form_post`). */
  postsBack: boolean
  /** What clients may post, beside a code. */
  accepts: { idToken: boolean, accessToken: boolean }
  /** Fetches the metadata, where there are any. Throws a ProviderProblem: `provider_error` where they can't be used as configured, `provider_unavailable`. */
  discover: () => Promise<void>
  /** Where to send the browser. `challenge` is S256 of the verifier (RFC 7636). Throws `provider_unavailable`, `provider_error`. */
  authorizationUrl: (request: {
    state: string
    nonce: string
    challenge: string
    redirectUri: string
  }) => Promise<string>
  /** Whether the redirect's `iss` is this provider's (RFC 9207); undefined is, unless the provider always tells it. */
  isIssuer: (iss: string | undefined) => Promise<boolean>
  /**
   * Who the code is of. `nonce`: what the ID token must have; undefined: none. Throws `code_exchange_failed` where the
   * provider refuses the code, or it was asked for with a nonce that is not told, `provider_error`, `provider_unavailable`.
   */
  identityFromCode: (input: {
    code: string
    verifier: string | undefined
    redirectUri: string
    nonce: string | undefined
    extras?: Record<string, unknown>
  }) => Promise<Identity>
  /** Who an ID token is of that a client posted, and when it expires. Throws `provider_token_invalid`, `provider_error`, `provider_unavailable`. */
  identityFromIdToken: (idToken: string, nonce: string | undefined) => Promise<{ identity: Identity, expiresAt: Date }>
  /** Who an access token is of that a client posted, if it was issued to this app. Throws `provider_token_invalid`, `provider_error`, `provider_unavailable`. */
  identityFromAccessToken: (accessToken: string) => Promise<Identity>
}
