/**
 * Where a provider's endpoints are: as its definition says, or as the metadata of its issuer does (OpenID Connect
 * Discovery 1.0 §4), which is believed only of that issuer.
 */
import type { Endpoints, Provider } from '../providers/provider.js'
import { createCachedFetch } from './cached-fetch.js'
import { fetchJson } from './fetch-json.js'
import { ProviderError } from './provider-error.js'

export interface Metadata {
  endpoints: Endpoints
  sendsIssuer: boolean
  clientAuthentication: 'body' | 'header'
}

const hour = 3_600_000

/** The metadata of a provider, kept for an hour where they are fetched. Throws `provider_unavailable`, `provider_error`. */
export function createDiscovery (provider: Provider, { clock, timeoutMs }: { clock: () => Date, timeoutMs: number }): (signal: AbortSignal) => Promise<Metadata> {
  const { endpoints, sendsIssuer = false, clientAuthentication = 'body' } = provider
  if (endpoints) return async () => ({ endpoints, sendsIssuer, clientAuthentication })
  return createCachedFetch({
    load: async signal => await fetchMetadata(provider, signal),
    ttlMs: hour,
    timeoutMs,
    clock
  }).get
}

async function fetchMetadata ({ issuer, ...provider }: Provider, signal: AbortSignal): Promise<Metadata> {
  const answer = (await fetchJson({
    what: 'metadata',
    url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    signal
  })) as Record<string, unknown>
  // §4.3: the very same string, or one provider could speak for another.
  if (answer.issuer !== issuer) throw new ProviderError('provider_error', 'metadata: the issuer is another')
  const endpoint = (name: string) => checkEndpoint(name, answer[name], issuer)
  return {
    endpoints: {
      authorization: endpoint('authorization_endpoint'),
      token: endpoint('token_endpoint'),
      jwks: endpoint('jwks_uri'),
      ...(answer.userinfo_endpoint !== undefined && { userinfo: endpoint('userinfo_endpoint') })
    },
    sendsIssuer: provider.sendsIssuer ?? answer.authorization_response_iss_parameter_supported === true,
    clientAuthentication:
      provider.clientAuthentication ?? authenticationOf(answer.token_endpoint_auth_methods_supported)
  }
}

/** §3: whoever says nothing takes Basic. */
const authenticationOf = (methods: unknown) =>
  Array.isArray(methods) && methods.includes('client_secret_post') ? 'body' : 'header'

/** An issuer on the developer's own machine, the only one without TLS, may have such endpoints. */
function checkEndpoint (name: string, value: unknown, issuer: string): string {
  const { protocol = '', username = '' } = typeof value === 'string' && URL.canParse(value) ? new URL(value) : {}
  if ((protocol !== 'https:' && protocol !== new URL(issuer).protocol) || username !== '') { throw new ProviderError('provider_error', `metadata: ${name} is no https address`) }
  return value as string
}
