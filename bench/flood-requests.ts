/** The floods of bench/flood.ts. Each sends its requests, and returns what is special about it. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MailServer } from '../test/support/mail-server.js'

export const password = 'Sup3r-secret-pw'
export const honest = { email: 'honest@example.com', ip: '192.0.2.1' }

export interface Target {
  url: string
  /** What the login of the honest user returned. */
  refresh: string
  mailServer: MailServer
  /** 1 for the whole flood, less for a quick run. */
  scale: number
  statuses: Map<number, number>
}
export type Flood = (target: Target) => Promise<string>

interface Sent { body?: object, ip?: string, headers?: Record<string, string> }

export async function send (url: string, path: string, { body, ip = honest.ip, headers }: Sent): Promise<Response> {
  return await fetch(`${url}/auth${path}`, {
    redirect: 'manual',
    headers: { 'x-forwarded-for': ip, ...body && { 'content-type': 'application/json' }, ...headers },
    ...body && { method: 'POST', body: JSON.stringify(body) }
  })
}

/** Another address for each number, each in a network of its own. */
const addressOf = (index: number) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`

/** Sends `count` requests over `connections` at once. */
async function flood (
  { url, statuses }: Target, count: number, connections: number, make: (index: number) => [string, Sent]
): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: connections }, async () => {
    while (next < count) {
      const [path, sent] = make(next++)
      const answer = await send(url, path, sent)
      await answer.arrayBuffer()
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }
  }))
}

export const nothing: Flood = async ({ scale }) => {
  await sleep(Math.max(2000, 20_000 * scale))
  return ''
}

const guess = (ipOf: (index: number) => string): Flood => async target => {
  const began = performance.now()
  const count = Math.ceil(3000 * target.scale)
  // Each at another account, so that the limit by account does not answer.
  await flood(target, count, 64, index => [
    '/login', { body: { email: `g${index}@example.com`, password: `wrong-${index}` }, ip: ipOf(index) }
  ])
  return `${Math.round(count / (performance.now() - began) * 1000)} guesses/s`
}
export const guessesFromMany = guess(addressOf)
export const guessesFromOne = guess(() => '198.51.100.1')

/** An honest user asks in the midst of the flood; how long until they have the mail? */
export const resets: Flood = async target => {
  const { url, mailServer, scale } = target
  const count = Math.ceil(10_000 * scale)
  let waited = Promise.resolve(0)
  async function honestMail (): Promise<number> {
    const began = performance.now()
    await send(url, '/password/reset', { body: { email: honest.email } })
    while (!mailServer.mails.some(({ to, subject }) => to === honest.email && /reset/i.test(subject))) await sleep(5)
    return performance.now() - began
  }
  await flood(target, count, 16, index => {
    if (index === count >> 1) waited = honestMail()
    return ['/password/reset', { body: { email: `nobody${index}@example.com` }, ip: addressOf(index) }]
  })
  return `the honest mail arrived after ${Math.round(await waited)} ms`
}

export const socialStarts: Flood = async target => {
  const began = performance.now()
  const count = Math.ceil(10_000 * target.scale)
  await flood(target, count, 16, index => [
    '/company/login', { ip: addressOf(index), headers: { 'sec-fetch-site': 'same-origin' } }
  ])
  return `${Math.round(count / (performance.now() - began) * 1000)} starts/s`
}

/** One user refreshes, each time with the token of the last. */
export const refreshes: Flood = async target => {
  const count = Math.ceil(100_000 * target.scale)
  const times: number[] = []
  let { refresh } = target
  for (let index = 0; index < count; index++) {
    const began = performance.now()
    const answer = await send(target.url, '/token/refresh', { body: { refresh } })
    const body = await answer.json() as { refresh: string }
    times.push(performance.now() - began)
    target.statuses.set(answer.status, (target.statuses.get(answer.status) ?? 0) + 1)
    refresh = body.refresh
  }
  const size = Math.min(1000, count >> 1)
  const [first, last] = [times.slice(0, size), times.slice(-size)].map(part => quantile(part, 0.5).toFixed(2))
  return `a refresh took ${first} ms (median of the first ${size}), ${last} ms (of the last ${size})`
}

export const quantile = (times: readonly number[], part: number): number =>
  [...times].sort((a, b) => a - b)[Math.ceil(times.length * part) - 1] ?? 0
