/** A small HTTP server that answers as a test tells it to, well or badly, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from './build.js'

export interface Asked {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
}

/** JSON to answer with, or a function that does what no library would let it. */
export type Answer = object | ((response: ServerResponse, asked: Asked) => unknown)

export interface JsonServer {
  url: string
  answers: Record<string, Answer>
  asked: Asked[]
  /** How often a path was asked for. */
  count: (path: string) => number
}

/** Answers by path; 404 for others. */
export async function startJsonServer (t: Test, answers: Record<string, Answer> = {}): Promise<JsonServer> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk)).on('end', () => {
      const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost')
      const one = {
        method: request.method ?? '',
        path,
        query,
        headers: request.headers,
        body: Buffer.concat(chunks).toString()
      }
      asked.push(one)
      const answer = answers[path]
      if (typeof answer === 'function') return answer(response, one)
      response
        .writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
        .end(JSON.stringify(answer ?? { error: 'not_found' }))
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    asked,
    count: path => asked.filter(one => one.path === path).length
  }
}

/** An answer of this status, sent as it is. */
export const raw =
  (
    status: number,
    body: string | Buffer = '',
    headers: Record<string, string> = { 'content-type': 'application/json' }
  ): Answer =>
    response =>
      response.writeHead(status, headers).end(body)
