/**
 * One configured provider, as the features use it: where to send a browser, and who came back. Whatever is asked of the
 * provider for one call (metadata, tokens, keys, profile) shares one deadline.
 */
import { createConverse } from './provider-call.js'
import { createDiscovery, type Metadata } from './discovery.js'
import { createExchange } from './code-exchange.js'
import { verifyIdToken, type Expected } from './id-token.js'
import { createInterview } from './profile.js'
import { createKeys } from './jwks.js'
import { ProviderProblem, type ProblemLog } from './provider-error.js'
import type { SocialClient } from './types.js'
import type { SocialSettings } from '../settings/types.js'

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
