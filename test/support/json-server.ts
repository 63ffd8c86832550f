/** A small HTTP server that gives the answers a test prepares, and records its requests. */
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

/** JSON to answer with, or a function that writes the response itself. */
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

const jsonHeaders = { 'content-type': 'application/json' }

/** An answer with this status and body, sent unchanged. */
export const raw = (
  status: number, body: string | Buffer = '', headers: Record<string, string> = jsonHeaders
): Answer => response => response.writeHead(status, headers).end(body)
