/**
 * One configured provider, as the features use it: where to send a browser, and who came back. Whatever is asked of the
 * provider for one call (metadata, tokens, keys, profile) shares one deadline.
 */
import type { Provider } from '../social/provider.js'
import { createConverse } from './converse.js'
import { createDiscovery, type Metadata } from './discovery.js'
import { createExchange } from './exchange.js'
import { verifyIdToken, type Expected } from './id-token.js'
import { createInterview } from './interview.js'
import { createKeys } from './keys.js'
import { ProviderProblem, type ProblemLog } from './problem.js'

/** What the app's options say of a provider, worked out: see src/social-settings.ts. */
export interface SocialSettings {
  /** A part of the routes. */
  name: string
  label: string
  provider: Provider
  clientId: string
  /** Made anew for each exchange where it is signed (Apple). */
  clientSecret: (now: Date) => string | Promise<string>
  /** Default: below `publicUrl`. */
  callbackUrl: string | undefined
  scopes: readonly string[]
  /** Undefined: as far as the provider runs the mailbox. */
  trustEmail: boolean | readonly string[] | undefined
  accessToken: boolean
  /** Whose ID tokens are taken: the client id first. */
  audiences: readonly string[]
  storeTokens: boolean
}

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
  takes: { idToken: boolean, accessToken: boolean }
  /** Fetches the metadata, where there are any. Throws a ProviderProblem: `provider_error` where they can't be used as configured, `provider_unavailable`. */
  discover: () => Promise<void>
  /** Where to send the browser. `challenge` is S256 of the verifier (RFC 7636). Throws `provider_unavailable`, `provider_error`. */
  authorizationUrl: (request: { state: string, nonce: string, challenge: string, redirectUri: string }) => Promise<string>
  /** Whether the redirect's `iss` is this provider's (RFC 9207); undefined is, unless the provider always tells it. */
  isIssuer: (iss: string | undefined) => Promise<boolean>
  /**
   * Who the code is of. `nonce`: what the ID token must have; undefined: none. Throws `code_exchange_failed` where the
   * provider refuses the code, or it was asked for with a nonce that is not told, `provider_error`, `provider_unavailable`.
   */
  byCode: (input: { code: string, verifier: string | undefined, redirectUri: string, nonce: string | undefined, extras?: Record<string, unknown> }) => Promise<Identity>
  /** Who an ID token is of that a client posted, and when it expires. Throws `provider_token_invalid`, `provider_error`, `provider_unavailable`. */
  byIdToken: (idToken: string, nonce: string | undefined) => Promise<{ identity: Identity, expiresAt: Date }>
  /** Who an access token is of that a client posted, if it was issued to this app. Throws `provider_token_invalid`, `provider_error`, `provider_unavailable`. */
  byAccessToken: (accessToken: string) => Promise<Identity>
}

interface Surroundings {
  clock: () => Date
  log: ProblemLog
  /** Milliseconds that one call may take, all in all. */
  patience?: number
}

/** Talks to nobody before the first call. */
export function createSocialClient (settings: SocialSettings, { clock, log, patience = 5000 }: Surroundings): SocialClient {
  const { provider, clientId, scopes, audiences } = settings
  const metadataOf = createDiscovery(provider, { clock, patience })
  const keysOf = createKeys({ clock, patience })
  const { authorizationUrl, exchange } = createExchange(settings, clock)
  const { identify, isOurs } = createInterview(settings, clock)
  const converse = createConverse(settings.name, { metadataOf, log, patience })
  const hasIdTokens = !provider.endpoints || provider.endpoints.jwks !== undefined

  const verify = async (token: string | undefined, { endpoints: { jwks } }: Metadata, signal: AbortSignal, expected: Omit<Expected, 'keys' | 'provider' | 'now'>) => {
    if (token === undefined || jwks === undefined) throw new ProviderProblem(expected.blame, 'ID token: there is none')
    return await verifyIdToken(token, { ...expected, keys: keysOf(jwks, signal), provider, now: clock() })
  }

  return {
    settings,
    postsBack: provider.parameters?.response_mode === 'form_post',
    takes: { idToken: hasIdTokens, accessToken: settings.accessToken && provider.isOurs !== undefined },
    discover: async () => { await converse(async () => {}) },
    isIssuer: async iss => await converse(async ({ sendsIssuer }) =>
      iss === undefined ? !sendsIssuer : iss === provider.issuer || provider.acceptsIssuer?.(iss, undefined) === true),

    authorizationUrl: async ({ state, nonce, challenge, redirectUri }) => await converse(async metadata => await authorizationUrl(metadata, {
      ...provider.parameters,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...(hasIdTokens && provider.sendsNonce !== false && { nonce }),
      ...(provider.pkce !== false && { code_challenge: challenge, code_challenge_method: 'S256' }),
      state,
      redirect_uri: redirectUri
    })),

    byCode: async ({ code, verifier, redirectUri, nonce, extras = {} }) => await converse(async (metadata, signal) => {
      const proof = provider.pkce !== false && verifier !== undefined ? { code_verifier: verifier } : {}
      const tokens = await exchange(metadata, { code, redirect_uri: redirectUri, ...proof }, signal)
      const { accessToken, idToken } = tokens
      const claims = hasIdTokens ? await verify(idToken, metadata, signal, { audiences: [clientId], nonce, accessToken, blame: 'provider_error' }) : undefined
      // Of a login that began elsewhere, as in our own redirect flow: not every provider has the verifier bind its code.
      if (nonce === undefined && claims?.nonce !== undefined) throw new ProviderProblem('code_exchange_failed', 'ID token: nonce')
      return await identify({ metadata, signal, claims, accessToken, extras, tokens })
    }),

    byIdToken: async (idToken, nonce) => await converse(async (metadata, signal) => {
      const claims = await verify(idToken, metadata, signal, { audiences, nonce, blame: 'provider_token_invalid' })
      // An access token of the same key and audience: whoever was served with it could enter (RFC 9068 §2.2.3; Entra says `scp`).
      if ((claims.scope ?? claims.scp) !== undefined) throw new ProviderProblem('provider_token_invalid', 'ID token: scope')
      // Whoever has it from elsewhere does not know what it was asked for with.
      if (nonce === undefined && claims.nonce !== undefined) throw new ProviderProblem('provider_token_invalid', 'ID token: nonce')
      return { identity: await identify({ metadata, signal, claims }), expiresAt: new Date(claims.exp * 1000) }
    }),

    byAccessToken: async accessToken => await converse(async (metadata, signal) => {
      if (!await isOurs({ metadata, signal, accessToken })) throw new ProviderProblem('provider_token_invalid', 'access token: not issued to this app')
      return await identify({ metadata, signal, accessToken })
    })
  }
}
