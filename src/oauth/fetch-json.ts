/**
 * Asks a provider for JSON. It gets limited time and space, is asked once, and sends nobody elsewhere: a redirect would take
 * the token along. JSON is what parses as such; what the content type says of it is of no use.
 */
import { networkError, ProviderError, statusError } from './provider-error.js'

/** Bytes of an answer, at most. */
export const maxBytes = 2 ** 20
/** GitHub answers nobody without a name. */
export const userAgent = 'fastify-rest-auth'

interface FetchJsonOptions {
  /** What is asked for, in the log. */
  what: string
  url: string
  signal: AbortSignal
  headers?: Record<string, string>
  /** Sent as JSON, by POST. */
  body?: object | undefined
}

/** The object or array that a provider answers with status 200; throws a ProviderProblem. */
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
    throw networkError(what, (error as Error).cause)
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
    // The parser's message would quote the answer.
  }
  throw new ProviderError('provider_error', `${what}: no JSON`)
}
