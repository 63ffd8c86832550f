/** How servers fail, and what stands between a server and its client: each a change of a true answer. */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { html, json, type Answer } from './server.js'

export const faults = [
  /** Accepts, and never answers. */
  'slow',
  /** A byte now and then, without end. */
  'drip',
  /** Hangs up instead of answering. (Close the provider, and its port is one that nobody listens on.) */
  'reset',
  'empty',
  /** A page, with 200, as hotels answer. */
  'html',
  'truncated',
  /** The truth, but in UTF-16. */
  'charset',
  'null',
  'array',
  /** The truth, and two MiB more. */
  'huge',
  /** The same, packed into two KiB. */
  'bomb',
  /** 307, to where the truth is told: who follows takes the secret along. */
  'redirect',
  'error500',
  'error429'
] as const
export type Fault = typeof faults[number]

/** What is answered instead of the truth, if anything is. */
export function failWith (fault: Fault, truth: Answer, response: ServerResponse, elsewhere: string): Answer | undefined {
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
