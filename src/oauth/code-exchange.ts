/**
 * The code exchange (RFC 6749 §4.1) by @fastify/oauth2, on a separate Fastify instance, because its cookie plugin may
 * conflict with the host's. The token response is trusted only after the checks here and those of the ID token.
 */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { SocialSettings } from '../settings/types.js'
import type { Metadata } from './discovery.js'
import { maxBytes, userAgent } from './fetch-json.js'
import { withinTime } from './provider-error.js'
import { exchangeError, readTokenResponse, type TokenResponse } from './token-response.js'

/** The part we use of simple-oauth2, with which @fastify/oauth2 decorates its instance. */
interface OAuth2 {
  authorizeURL: (parameters: Record<string, string>) => string
  getToken: (parameters: Record<string, string>, http: object) => Promise<{ token: unknown }>
}

export interface CodeExchange {
  authorizationUrl: (metadata: Metadata, parameters: Record<string, string>) => Promise<string>
  /** Throws `code_exchange_failed`, `provider_error`, `provider_unavailable`. */
  exchange: (metadata: Metadata, parameters: Record<string, string>, signal: AbortSignal) => Promise<TokenResponse>
}

export function createCodeExchange ({ clientId, clientSecret }: SocialSettings, clock: () => Date): CodeExchange {
  let current: { metadata: Metadata, secret: string, oauth2: Promise<OAuth2> } | undefined
  /** A new instance when the endpoints or the secret change, because they can't be changed in an existing one. */
  const oauth2Of = async (metadata: Metadata) => {
    const secret = await clientSecret(clock())
    if (!current || current.metadata !== metadata || current.secret !== secret) {
      current = { metadata, secret, oauth2: openOAuth2(metadata, { id: clientId, secret }) }
    }
    return await current.oauth2
  }
  return {
    authorizationUrl: async (metadata, parameters) => (await oauth2Of(metadata)).authorizeURL(parameters),
    exchange: async (metadata, parameters, signal) => {
      const oauth2 = await oauth2Of(metadata)
      const { agent, observed } = createAbortableAgent(metadata.endpoints.token, signal)
      try {
        const { token } = await withinTime(
          oauth2.getToken(parameters, { agent, maxBytes, json: 'force', redirects: 0, redirect303: true }),
          signal
        )
        return readTokenResponse(token, observed().status, clock())
      } catch (error) {
        throw exchangeError(error, observed())
      }
    }
  }
}

async function openOAuth2 (
  { endpoints, clientAuthentication }: Metadata,
  client: { id: string, secret: string }
): Promise<OAuth2> {
  const [{ default: fastify }, { default: oauth2 }] = await Promise.all([import('fastify'), import('@fastify/oauth2')])
  const scope = fastify()
  const [authorization, token] = [new URL(endpoints.authorization), new URL(endpoints.token)]
  await scope.register(oauth2, {
    name: 'provider',
    userAgent,
    // Required but unused: each request has its own redirect URI.
    callbackUri: 'https://unused.example',
    credentials: {
      client,
      auth: {
        authorizeHost: authorization.origin,
        authorizePath: pathOf(authorization),
        tokenHost: token.origin,
        tokenPath: pathOf(token)
      },
      options: { authorizationMethod: clientAuthentication }
    }
  })
  await scope.ready()
  // The types of @fastify/oauth2 do not declare the decorator.
  return (scope as unknown as { provider: { oauth2: OAuth2 } }).provider.oauth2
}

const pathOf = ({ pathname, search }: URL) => `${pathname}${search}`

/**
 * simple-oauth2's HTTP client accepts no AbortSignal, reads on after its timeout, and hides the status of successful
 * responses. But it accepts an agent, which sees the request.
 */
function createAbortableAgent (url: string, signal: AbortSignal) {
  const isTls = url.startsWith('https:')
  const agent = isTls ? new HttpsAgent() : new HttpAgent()
  let request: ClientRequest | undefined
  let status: number | undefined
  const addRequest = (added: ClientRequest, ...rest: unknown[]) => {
    request = added
    const stop = () => { added.destroy() }
    added.once('response', (response: IncomingMessage) => { status = response.statusCode })
    added.once('close', () => signal.removeEventListener('abort', stop))
    signal.addEventListener('abort', stop)
    // Node.js calls this method on every agent, but its types do not declare it.
    const { addRequest } = agent as unknown as { addRequest: (...parameters: unknown[]) => void }
    addRequest.call(agent, added, ...rest)
  }
  return {
    agent: { addRequest, protocol: isTls ? 'https:' : 'http:', defaultPort: isTls ? 443 : 80 },
    observed: () => ({ status, tooLarge: (request?.socket?.bytesRead ?? 0) > maxBytes })
  }
}
