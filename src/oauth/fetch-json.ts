/** JSON from a provider. Follows no redirects, which would leak the access token; ignores unreliable content types. */
import { networkError, ProviderError, statusError } from './provider-error.js'

export const maxBytes = 2 ** 20
/** GitHub rejects requests without a User-Agent. */
export const userAgent = 'fastify-rest-auth'

interface FetchJsonOptions {
  /** Names the request in the log. */
  what: string
  url: string
  signal: AbortSignal
  headers?: Record<string, string>
  /** Sent as JSON with POST; without a body the method is GET. */
  body?: object | undefined
}

/** The object or array in a response with status 200. Throws a ProviderError. */
export async function fetchJson ({ what, url, signal, headers = {}, body }: FetchJsonOptions): Promise<object> {
  const response = await send(what, url, {
    signal,
    redirect: 'manual',
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(body && { 'content-type': 'application/json' }),
      ...lowerCase(headers)
    },
    ...(body && { method: 'POST', body: JSON.stringify(body) })
  })
  if (response.status !== 200) {
    response.body?.cancel().catch(() => {})
    throw statusError(what, response.status)
  }
  return parse(what, await read(what, response))
}

export const lowerCase = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

async function send (what: string, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    throw networkError(what, error instanceof Error ? error.cause : undefined)
  }
}

async function read (what: string, { body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body ?? []) {
      size += chunk.length
      if (size > maxBytes) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw networkError(what, error)
  }
  if (size > maxBytes) throw new ProviderError('provider_error', `${what}: more than 1 MiB`)
  return Buffer.concat(chunks)
}

function parse (what: string, bytes: Buffer): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Not rethrown: the parser's message quotes the response.
  }
  throw new ProviderError('provider_error', `${what}: not JSON`)
}
