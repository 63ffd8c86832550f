/** The base of the identity providers of the tests: an HTTP server on loopback that records its requests. */
import {
  createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type ServerResponse
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Endpoints } from '../../../src/providers/provider.js'
import type { Test } from '../build.js'

export interface RecordedRequest {
  method: string
  path: string
  query: Record<string, string>
  headers: IncomingHttpHeaders
  /** The fields of a form, or the members of a JSON object. */
  form: Record<string, string>
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: string | Buffer
}

export interface Listening {
  /** Without a trailing slash. */
  url: string
  /** Later connections are refused. */
  close: () => Promise<void>
}

export async function listen (t: Test, listener: RequestListener): Promise<Listening> {
  const server = createServer(listener)
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise(resolve => { server.close(resolve) })
  }
  t.teardown(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

type Handler = (request: RecordedRequest, response: ServerResponse) => Promise<Answer | undefined> | Answer | undefined

/** Sends the answer that `handle` returns; if it returns none, `handle` writes the response itself. */
export async function serve (t: Test, handle: Handler): Promise<Listening & { requests: RecordedRequest[] }> {
  const requests: RecordedRequest[] = []
  async function respond (incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await record(incoming)
    requests.push(request)
    const answer = await handle(request, response)
    if (answer) response.writeHead(answer.status ?? 200, answer.headers).end(answer.body)
  }
  const listening = await listen(t, (incoming, response) => {
    respond(incoming, response).catch((error: unknown) => {
      t.fail('a provider of the tests is broken', { error })
      response.destroy()
    })
  })
  return { ...listening, requests }
}

async function record (request: IncomingMessage): Promise<RecordedRequest> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
  const body = await text(request)
  const form = /json/.test(request.headers['content-type'] ?? '')
    ? JSON.parse(body)
    : Object.fromEntries(new URLSearchParams(body))
  return {
    method: request.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: request.headers,
    form
  }
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body)
})

export const html = (body: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body
})

export const redirect = (url: string): Answer => ({ status: 302, headers: { location: url } })

/** Adds the parameters that are defined to a URL. */
export function withQuery (url: string, parameters: Record<string, string | undefined>): string {
  const to = new URL(url)
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) to.searchParams.set(name, value)
  return to.href
}

/** The requests to one of a provider's endpoints: `calls('token')`. */
export type Calls = (endpoint: keyof Endpoints | 'discovery') => RecordedRequest[]

export const metadataPath = '/.well-known/openid-configuration'

export function createCalls (requests: RecordedRequest[], endpoints: Endpoints): Calls {
  const paths = new Map(Object.entries(endpoints).map(([endpoint, url]) => [endpoint, new URL(url).pathname]))
  paths.set('discovery', metadataPath)
  return endpoint => requests.filter(({ path }) => path === paths.get(endpoint))
}

/** The time at a provider. */
export interface ProviderClock {
  now: Date
}

/** Starts at the time of the apps of `build()`. To follow an app's clock: `provider.clock = clock`. */
export const createClock = (): ProviderClock => ({ now: new Date('2026-11-23T12:00:00.000Z') })

export const secondsOf = ({ now }: ProviderClock): number => Math.floor(now.getTime() / 1000)
