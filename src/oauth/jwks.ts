/** A JWKS (RFC 7517). Unknown keys cause one fetch a minute at most: posted tokens can't flood the provider. */
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { createCachedFetch, type CachedFetch } from './cached-fetch.js'
import { fetchJson } from './fetch-json.js'
import { ProviderError } from './provider-error.js'

type KeySet = (...parameters: Parameters<JWTVerifyGetKey>) => Promise<CryptoKey>

const minuteMs = 60_000

interface JwksOptions {
  clock: () => Date
  timeoutMs: number
}

/** Looks up keys in the JWKS at `uri`. A look-up throws `provider_unavailable`, `provider_error`, or jose's errors. */
export function createJwks (
  { clock, timeoutMs }: JwksOptions
): (uri: string, signal: AbortSignal) => JWTVerifyGetKey {
  let current: { uri: string, set: CachedFetch<KeySet> } | undefined
  const setOf = (uri: string) => {
    if (current?.uri !== uri) {
      current = {
        uri,
        set: createCachedFetch({
          load: async signal => await fetchKeys(uri, signal),
          ttlMs: 10 * minuteMs,
          timeoutMs,
          clock
        })
      }
    }
    return current.set
  }
  return (uri, signal) => async (header, token) => {
    const set = setOf(uri)
    const find = await set.get(signal)
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const findAgain = await set.refetch(signal, minuteMs)
      return await findAgain(header, token)
    }
  }
}

async function fetchKeys (uri: string, signal: AbortSignal): Promise<KeySet> {
  const answer = await fetchJson({ what: 'keys', url: uri, signal })
  try {
    // Throws for anything but a JWKS.
    return createLocalJWKSet(answer as JSONWebKeySet)
  } catch {
    throw new ProviderError('provider_error', 'keys: not a JWKS')
  }
}
