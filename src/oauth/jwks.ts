/**
 * The keys that a provider signs with (RFC 7517), from the one address that its endpoints name: kept for ten minutes,
 * and fetched anew for a key that is not among them, once a minute at most, however many such tokens are posted.
 */
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { createCachedFetch, type CachedFetch } from './cached-fetch.js'
import { fetchJson } from './fetch-json.js'
import { ProviderError } from './provider-error.js'

type KeySet = (...parameters: Parameters<JWTVerifyGetKey>) => Promise<CryptoKey>

const minute = 60_000

/** Whose keys sign, by the address of the key set. Finding one throws `provider_unavailable`, `provider_error`, or what jose does. */
export function createJwks ({ clock, timeoutMs }: { clock: () => Date, timeoutMs: number }): (uri: string, signal: AbortSignal) => JWTVerifyGetKey {
  let current: { uri: string, set: CachedFetch<KeySet> } | undefined
  const setOf = (uri: string) => {
    if (current?.uri !== uri) {
      current = {
        uri,
        set: createCachedFetch({
          load: async signal => await fetchKeys(uri, signal),
          ttlMs: 10 * minute,
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
      const renewed = await set.refetch(signal, minute)
      return await renewed(header, token)
    }
  }
}

async function fetchKeys (uri: string, signal: AbortSignal): Promise<KeySet> {
  const answer = await fetchJson({ what: 'keys', url: uri, signal })
  try {
    // Says itself what is no key set.
    return createLocalJWKSet(answer as JSONWebKeySet)
  } catch {
    throw new ProviderError('provider_error', 'keys: no key set')
  }
}
