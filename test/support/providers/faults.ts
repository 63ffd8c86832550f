/** Failures of servers, and of what is between them and their clients: each changes a true answer. */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { html, json, type Answer } from './server.js'

export const faults = [
  /** Accepts the request, and never answers. */
  'slow',
  /** Sends a byte now and then, without end. */
  'drip',
  /** Resets the connection. (For a port without a listener, close the provider.) */
  'reset',
  'empty',
  /** A page with 200, like a captive portal's. */
  'html',
  'truncated',
  /** The true answer in UTF-16. */
  'charset',
  'null',
  'array',
  /** The true answer with 2 MiB of padding. */
  'huge',
  /** The same, compressed to 2 KiB. */
  'bomb',
  /** 307 to the true answer: a client that follows it sends its secret there. */
  'redirect',
  'error500',
  'error429'
] as const
export type Fault = typeof faults[number]

/** The answer instead of the true one; undefined if `response` is left to itself. */
export function failWith (
  fault: Fault, truth: Answer, response: ServerResponse, elsewhere: string
): Answer | undefined {
  const body = String(truth.body)
  switch (fault) {
    case 'slow':
      return
    case 'drip':
      return drip(response)
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'empty':
      return { ...truth, body: '' }
    case 'html':
      return html('<!DOCTYPE html><html lang="en"><title>Welcome</title><p>Room number?')
    case 'truncated':
      return { ...truth, body: body.slice(0, -2) }
    case 'charset':
      return {
        ...truth,
        headers: { 'content-type': 'application/json; charset=utf-16le' },
        body: Buffer.from(body, 'utf16le')
      }
    case 'null':
      return json(null)
    case 'array':
      return json([JSON.parse(body)])
    case 'huge':
      return { ...truth, body: padded(body) }
    case 'bomb':
      return { ...truth, headers: { ...truth.headers, 'content-encoding': 'gzip' }, body: gzipSync(padded(body)) }
    case 'redirect':
      return { status: 307, headers: { location: elsewhere } }
    case 'error500':
      return json({ error: 'server_error' }, 500)
    case 'error429':
      return json({ error: 'temporarily_unavailable' }, 429, { 'retry-after': '30' })
  }
}

const padded = (object: string): string => `${object.slice(0, -1)},"padding":"${'x'.repeat(2 ** 21)}"}`

function drip (response: ServerResponse): undefined {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}
