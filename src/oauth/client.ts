/**
 * One configured provider, as the features use it: where to send a browser, and who came back. Whatever is asked of the
 * provider for one call (metadata, tokens, keys, profile) shares one deadline.
 */
import type { SocialSettings } from '../settings/types.js'
import { createCodeExchange } from './code-exchange.js'
import { createDiscovery, type Metadata } from './discovery.js'
import { verifyIdToken, type Expected } from './id-token.js'
import { createJwks } from './jwks.js'
import { createProfileReader } from './profile.js'
import { createProviderCall } from './provider-call.js'
import { ProviderError, type ProviderLog } from './provider-error.js'
import type { SocialClient } from './types.js'

interface SocialClientOptions {
  clock: () => Date
  log: ProviderLog
  /** Milliseconds that one call may take, all in all. */
  timeoutMs?: number
}

/** Talks to nobody before the first call. */
export function createSocialClient (settings: SocialSettings, { clock, log, timeoutMs = 5000 }: SocialClientOptions): SocialClient {
  const { provider, clientId, scopes, audiences } = settings
  const metadataOf = createDiscovery(provider, { clock, timeoutMs })
  const keysOf = createJwks({ clock, timeoutMs })
  const { authorizationUrl, exchange } = createCodeExchange(settings, clock)
  const { identify, isOurs } = createProfileReader(settings, clock)
  const withMetadata = createProviderCall(settings.name, { metadataOf, log, timeoutMs })
  const hasIdTokens = !provider.endpoints || provider.endpoints.jwks !== undefined

  const verify = async (
    token: string | undefined,
    { endpoints: { jwks } }: Metadata,
    signal: AbortSignal,
    expected: Omit<Expected, 'keys' | 'provider' | 'now'>
  ) => {
    if (token === undefined || jwks === undefined) { throw new ProviderError(expected.failureCode, 'ID token: there is none') }
    return await verifyIdToken(token, { ...expected, keys: keysOf(jwks, signal), provider, now: clock() })
  }

  return {
    settings,
    postsBack: provider.parameters?.response_mode === 'form_post',
    accepts: { idToken: hasIdTokens, accessToken: settings.accessToken && provider.isOurs !== undefined },
    discover: async () => { await withMetadata(async () => {}) },
    isIssuer: async iss => await withMetadata(async ({ sendsIssuer }) =>
      iss === undefined ? !sendsIssuer : iss === provider.issuer || provider.acceptsIssuer?.(iss, undefined) === true),

    authorizationUrl: async ({ state, nonce, challenge, redirectUri }) =>
      await withMetadata(
        async metadata =>
          await authorizationUrl(metadata, {
            ...provider.parameters,
            ...(scopes.length > 0 && { scope: scopes.join(' ') }),
            ...(hasIdTokens && provider.sendsNonce !== false && { nonce }),
            ...(provider.pkce !== false && { code_challenge: challenge, code_challenge_method: 'S256' }),
            state,
            redirect_uri: redirectUri
          })
      ),

    identityFromCode: async ({ code, verifier, redirectUri, nonce, extras = {} }) => await withMetadata(async (metadata, signal) => {
      const proof = provider.pkce !== false && verifier !== undefined ? { code_verifier: verifier } : {}
      const tokens = await exchange(metadata, { code, redirect_uri: redirectUri, ...proof }, signal)
      const { accessToken, idToken } = tokens
      const claims = hasIdTokens
        ? await verify(idToken, metadata, signal, {
          audiences: [clientId],
          nonce,
          accessToken,
          failureCode: 'provider_error'
        })
        : undefined
      // Of a login that began elsewhere, as in our own redirect flow: not every provider has the verifier bind its code.
      if (nonce === undefined && claims?.nonce !== undefined) { throw new ProviderError('code_exchange_failed', 'ID token: nonce') }
      return await identify({ metadata, signal, claims, accessToken, extras, tokens })
    }),

    identityFromIdToken: async (idToken, nonce) => await withMetadata(async (metadata, signal) => {
      const claims = await verify(idToken, metadata, signal, {
        audiences,
        nonce,
        failureCode: 'provider_token_invalid'
      })
      // An access token of the same key and audience: whoever was served with it could enter (RFC 9068 §2.2.3; Entra says `scp`).
      if ((claims.scope ?? claims.scp) !== undefined) { throw new ProviderError('provider_token_invalid', 'ID token: scope') }
      // Whoever has it from elsewhere does not know what it was asked for with.
      if (nonce === undefined && claims.nonce !== undefined) { throw new ProviderError('provider_token_invalid', 'ID token: nonce') }
      return { identity: await identify({ metadata, signal, claims }), expiresAt: new Date(claims.exp * 1000) }
    }),

    identityFromAccessToken: async accessToken => await withMetadata(async (metadata, signal) => {
      if (!(await isOurs({ metadata, signal, accessToken }))) { throw new ProviderError('provider_token_invalid', 'access token: not issued to this app') }
      return await identify({ metadata, signal, accessToken })
    })
  }
}
