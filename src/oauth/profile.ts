/** Calls `profile()` and `isOurs()`, which may be the host's: anything thrown becomes `provider_error`, logged. */
import type { ClientCredentials, Grant, IdClaims } from '../providers/provider.js'
import type { SocialSettings } from '../settings/types.js'
import type { Metadata } from './discovery.js'
import { fetchJson, lowerCase } from './fetch-json.js'
import { readProfile } from './identity.js'
import { ProviderError } from './provider-error.js'
import type { TokenResponse } from './token-response.js'
import type { Identity } from './types.js'

export interface ProfileInput {
  metadata: Metadata
  signal: AbortSignal
  claims?: IdClaims | undefined
  accessToken?: string
  extras?: Record<string, unknown>
  /** Of the code exchange; undefined if a client posted the access token. */
  tokens?: TokenResponse
}

export function createProfileReader (settings: SocialSettings, clock: () => Date) {
  const { provider, clientId, clientSecret } = settings

  async function callProvider<T> (
    input: ProfileInput,
    method: (grant: Grant, client: ClientCredentials) => T | Promise<T>
  ): Promise<T> {
    try {
      return await method(toGrant(input), { clientId, clientSecret: await clientSecret(clock()) })
    } catch (error) {
      const problem =
        error instanceof ProviderError ? error : new ProviderError('provider_error', `profile: ${inOneLine(error)}`)
      const isPostedToken = input.accessToken !== undefined && !input.tokens
      throw isPostedToken && isClientError(problem)
        ? new ProviderError('provider_token_invalid', problem.reason)
        : problem
    }
  }

  /** Throws `provider_error`, `provider_unavailable`, or `provider_token_invalid` for a posted access token. */
  async function identify (input: ProfileInput): Promise<Identity> {
    const profile = await callProvider(input, provider.profile)
    return readProfile(profile, settings, { claims: input.claims, tokens: input.tokens })
  }

  /** Whether a posted access token was issued to this app. Throws as `identify`. */
  async function isOurs (input: ProfileInput & { accessToken: string }): Promise<boolean> {
    // RFC 6750 §2.1: visible ASCII only; other characters can't be sent in a header.
    if (!provider.isOurs || !/^[\x21-\x7E]{1,16384}$/.test(input.accessToken)) return false
    return await callProvider(input, provider.isOurs) === true
  }

  return { identify, isOurs }
}

const isClientError = ({ code, providerStatus: status = 0 }: ProviderError) =>
  code === 'provider_error' && status >= 400 && status < 500

const inOneLine = (error: unknown) =>
  (error instanceof Error ? error.message : 'threw a value that is not an Error')
    .replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200)

function toGrant ({ metadata: { endpoints }, signal, claims, accessToken, extras = {} }: ProfileInput): Grant {
  const authorization = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
  // Only the path, because the query may contain a token.
  const what = (url: string) => URL.canParse(url) ? new URL(url).pathname : 'profile'
  return {
    claims,
    accessToken,
    extras,
    endpoints,
    get: async (url, headers = {}) =>
      await fetchJson({ what: what(url), url, signal, headers: { ...authorization, ...lowerCase(headers) } }),
    post: async (url, body, headers = {}) => await fetchJson({ what: what(url), url, signal, headers, body })
  }
}
