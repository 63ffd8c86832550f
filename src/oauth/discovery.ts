/** A provider's endpoints: from its definition, or its issuer's metadata (OpenID Connect Discovery 1.0 §4). */
import { membersOf } from '../providers/claims.js'
import type { Endpoints, Provider } from '../providers/provider.js'
import { createCachedFetch } from './cached-fetch.js'
import { fetchJson } from './fetch-json.js'
import { ProviderError } from './provider-error.js'

export interface Metadata {
  endpoints: Endpoints
  sendsIssuer: boolean
  clientAuthentication: 'body' | 'header'
}

const hourMs = 3_600_000

interface DiscoveryOptions {
  clock: () => Date
  timeoutMs: number
}

/** Fetched metadata is cached for an hour. The returned function throws `provider_unavailable` or `provider_error`. */
export function createDiscovery (
  provider: Provider,
  { clock, timeoutMs }: DiscoveryOptions
): (signal: AbortSignal) => Promise<Metadata> {
  const { endpoints, sendsIssuer = false, clientAuthentication = 'body' } = provider
  if (endpoints) return async () => ({ endpoints, sendsIssuer, clientAuthentication })
  return createCachedFetch({
    load: async signal => await fetchMetadata(provider, signal),
    ttlMs: hourMs,
    timeoutMs,
    clock
  }).get
}

async function fetchMetadata ({ issuer, ...provider }: Provider, signal: AbortSignal): Promise<Metadata> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const metadata = membersOf(await fetchJson({ what: 'metadata', url, signal }))
  // §4.3: must be identical, or one provider could impersonate another.
  if (metadata.issuer !== issuer) throw new ProviderError('provider_error', 'metadata: issuer mismatch')
  const endpoint = (name: string) => checkEndpoint(name, metadata[name], issuer)
  return {
    endpoints: {
      authorization: endpoint('authorization_endpoint'),
      token: endpoint('token_endpoint'),
      jwks: endpoint('jwks_uri'),
      ...(metadata.userinfo_endpoint !== undefined && { userinfo: endpoint('userinfo_endpoint') })
    },
    sendsIssuer: provider.sendsIssuer ?? metadata.authorization_response_iss_parameter_supported === true,
    clientAuthentication:
      provider.clientAuthentication ?? authenticationOf(metadata.token_endpoint_auth_methods_supported)
  }
}

/** Default: HTTP Basic (§3). */
const authenticationOf = (methods: unknown) =>
  Array.isArray(methods) && methods.includes('client_secret_post') ? 'body' : 'header'

/** Endpoints without TLS are allowed only if the issuer has none: in development, on the same machine. */
function checkEndpoint (name: string, value: unknown, issuer: string): string {
  if (typeof value === 'string' && URL.canParse(value)) {
    const { protocol, username } = new URL(value)
    if ((protocol === 'https:' || protocol === new URL(issuer).protocol) && username === '') return value
  }
  throw new ProviderError('provider_error', `metadata: ${name} is not an https address`)
}
