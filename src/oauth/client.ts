/** The client of one provider. All requests of one call (metadata, tokens, keys, profile) share one deadline. */
import type { SocialSettings } from '../settings/types.js'
import { createCodeExchange } from './code-exchange.js'
import { createDiscovery, type Metadata } from './discovery.js'
import { hasAudience, verifyIdToken, type IdTokenExpectations } from './id-token.js'
import { createJwks } from './jwks.js'
import { createProfileReader } from './profile.js'
import { createProviderCall } from './provider-call.js'
import { ProviderError, type ProviderLog } from './provider-error.js'
import type { SocialClient } from './types.js'

interface SocialClientOptions {
  clock: () => Date
  log: ProviderLog
  timeoutMs?: number
}

/** Sends no request before the first call. */
export function createSocialClient (
  settings: SocialSettings,
  { clock, log, timeoutMs = 5000 }: SocialClientOptions
): SocialClient {
  const { provider, clientId, scopes, audiences } = settings
  const metadataOf = createDiscovery(provider, { clock, timeoutMs })
  const keysOf = createJwks({ clock, timeoutMs })
  const { authorizationUrl, exchange } = createCodeExchange(settings, clock)
  const { identify, isOurs } = createProfileReader(settings, clock)
  const withMetadata = createProviderCall(settings.name, { metadataOf, log, timeoutMs })
  const hasIdTokens = !provider.endpoints || provider.endpoints.jwks !== undefined

  async function verify (
    token: string | undefined,
    { endpoints: { jwks } }: Metadata,
    signal: AbortSignal,
    expected: Omit<IdTokenExpectations, 'keys' | 'provider' | 'now'>
  ) {
    if (token === undefined || jwks === undefined) {
      throw new ProviderError(expected.failureCode, 'ID token: missing')
    }
    return await verifyIdToken(token, { ...expected, keys: keysOf(jwks, signal), provider, now: clock() })
  }

  const isIssuer: SocialClient['isIssuer'] = async iss => await withMetadata(async ({ sendsIssuer }) =>
    iss === undefined ? !sendsIssuer : iss === provider.issuer || provider.acceptsIssuer?.(iss, undefined) === true)

  const createAuthorizationUrl: SocialClient['authorizationUrl'] = async ({ state, nonce, challenge, redirectUri }) =>
    await withMetadata(async metadata => await authorizationUrl(metadata, {
      ...provider.parameters,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...(hasIdTokens && provider.sendsNonce !== false && { nonce }),
      ...(provider.pkce !== false && { code_challenge: challenge, code_challenge_method: 'S256' }),
      state,
      redirect_uri: redirectUri
    }))

  const identityFromCode: SocialClient['identityFromCode'] = async ({
    code, verifier, redirectUri, isPosted = false, nonce, extras = {}
  }) => await withMetadata(async (metadata, signal) => {
    const proof = provider.pkce !== false && verifier !== undefined ? { code_verifier: verifier } : {}
    const tokens = await exchange(metadata, { code, redirect_uri: redirectUri, ...proof }, signal)
      .catch(error => { throw isPosted ? blameClient(error) : error })
    const { accessToken, idToken } = tokens
    const expected = { audiences: [clientId], nonce, accessToken, failureCode: 'provider_error' } as const
    const claims = hasIdTokens ? await verify(idToken, metadata, signal, expected) : undefined
    // The code belongs to a login that started elsewhere, such as our redirect flow: a client may have stolen it. Not
    // every provider checks the PKCE verifier, so the nonce is checked as well.
    if (nonce === undefined && claims?.nonce !== undefined) {
      throw new ProviderError('code_exchange_failed', 'ID token: nonce')
    }
    return await identify({ metadata, signal, claims, accessToken, extras, tokens })
  })

  const identityFromIdToken: SocialClient['identityFromIdToken'] = async (idToken, nonce) =>
    await withMetadata(async (metadata, signal) => {
      const expected = { audiences, nonce, failureCode: 'provider_token_invalid' } as const
      const claims = await verify(idToken, metadata, signal, expected)
      // A JWT access token with the same key and audience is no proof of a login: every API it was sent to could replay
      // it (RFC 9068 §2.2.3; Entra calls the claim `scp`).
      if ((claims.scope ?? claims.scp) !== undefined) {
        throw new ProviderError('provider_token_invalid', 'ID token: scope')
      }
      // A client that stole the token does not know the nonce of its login.
      if (nonce === undefined && claims.nonce !== undefined) {
        throw new ProviderError('provider_token_invalid', 'ID token: nonce')
      }
      return { identity: await identify({ metadata, signal, claims }), expiresAt: new Date(claims.exp * 1000) }
    })

  const identityFromAccessToken: SocialClient['identityFromAccessToken'] = async accessToken =>
    await withMetadata(async (metadata, signal) => {
      if (!await isOurs({ metadata, signal, accessToken })) {
        throw new ProviderError('provider_token_invalid', 'access token: not issued to this app')
      }
      return await identify({ metadata, signal, accessToken })
    })

  return {
    settings,
    postsBack: provider.parameters?.response_mode === 'form_post',
    accepts: { idToken: hasIdTokens, accessToken: settings.accessToken && provider.isOurs !== undefined },
    discover: async () => await withMetadata(async () => {}, 'a provider did not give its metadata at start'),
    isOwnIdToken: token => hasIdTokens && hasAudience(token, audiences),
    isIssuer,
    authorizationUrl: createAuthorizationUrl,
    identityFromCode,
    identityFromIdToken,
    identityFromAccessToken
  }
}

/** The redirect URI of a code that a client posted is the client's. */
const blameClient = (error: unknown): unknown =>
  error instanceof ProviderError && error.isRedirectMismatch
    ? new ProviderError('code_exchange_failed', error.reason)
    : error
