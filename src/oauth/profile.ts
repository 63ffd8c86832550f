/**
 * Asks a provider's definition who somebody is, and gives it the means to ask the provider. The definition may be the
 * host's: what it throws is the provider's fault, and its words are logged.
 */
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
  /** Of an exchange, where there was one; else the access token is one that a client posted. */
  tokens?: TokenResponse
}

export function createProfileReader (settings: SocialSettings, clock: () => Date) {
  const { provider, clientId, clientSecret } = settings

  async function callProvider<T> (evidence: ProfileInput, question: (grant: Grant, client: ClientCredentials) => T | Promise<T>): Promise<T> {
    try {
      return await question(grantOf(evidence), { clientId, clientSecret: await clientSecret(clock()) })
    } catch (error) {
      const problem =
        error instanceof ProviderError ? error : new ProviderError('provider_error', `profile: ${inOneLine(error)}`)
      throw evidence.accessToken !== undefined && !evidence.tokens && isRefusal(problem)
        ? new ProviderError('provider_token_invalid', problem.reason)
        : problem
    }
  }

  return {
    /** Throws `provider_error`, `provider_unavailable`; `provider_token_invalid` where the provider refuses a posted access token. */
    identify: async (evidence: ProfileInput): Promise<Identity> =>
      readProfile(await callProvider(evidence, provider.profile), settings, {
        claims: evidence.claims,
        tokens: evidence.tokens
      }),

    /** Whether a posted access token was issued to this app. Throws as `identify`. */
    isOurs: async (evidence: ProfileInput & { accessToken: string }): Promise<boolean> =>
      // RFC 6750 §2.1: a token is visible ASCII; anything else would not even fit into a header.
      provider.isOurs !== undefined &&
      /^[\x21-\x7E]{1,16384}$/.test(evidence.accessToken) &&
      (await callProvider(evidence, provider.isOurs)) === true
  }
}

const isRefusal = ({ code, status = 0 }: ProviderError) => code === 'provider_error' && status >= 400 && status < 500

const inOneLine = (error: unknown) =>
  (error instanceof Error ? error.message : 'threw no Error').replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200)

function grantOf ({ metadata: { endpoints }, signal, claims, accessToken, extras = {} }: ProfileInput): Grant {
  const authorization = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
  // The path says enough, and holds no token as a query may.
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
