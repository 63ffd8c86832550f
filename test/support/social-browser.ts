/** A browser for tests of social login: it keeps cookies, and follows a redirect when told to. */
import type { LightMyRequestResponse } from 'fastify'
import type { BuiltApp, CallOptions } from './build.js'

export interface Browser {
  cookies: Map<string, string>
  open: (method: 'GET' | 'POST', path: string, options?: CallOptions) => Promise<LightMyRequestResponse>
  /** Starts a login at a provider; returns the authorization URL. */
  start: (provider: string, query?: string) => Promise<string>
  /** Follows the redirect of a provider, which is another site, back to the app. */
  comeBack: (redirect: string, options?: CallOptions) => Promise<LightMyRequestResponse>
}

/** Makes a browser without cookies that requests the app by `call`. */
export function createBrowser ({ call }: Pick<BuiltApp, 'call'>): Browser {
  const cookies = new Map<string, string>()

  const open: Browser['open'] = async (method, path, { headers, ...rest } = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await call(method, path, {
      ...rest,
      headers: { 'sec-fetch-site': 'same-origin', ...(cookie && { cookie }), ...headers }
    })
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  const start: Browser['start'] = async (provider, query = '') => {
    const { statusCode, headers, body } = await open('GET', `/${provider}/login${query}`)
    if (statusCode !== 303) throw new Error(`no redirect to ${provider}: ${statusCode} ${body}`)
    return String(headers.location)
  }

  const comeBack: Browser['comeBack'] = async (redirect, rest = {}) => {
    const { pathname, search } = new URL(redirect)
    const headers = { 'sec-fetch-site': 'cross-site', ...rest.headers }
    return await open('GET', `${pathname}${search}`, { ...rest, headers })
  }

  return { cookies, open, start, comeBack }
}
/** The parameters in the fragment of a redirect to a page of the app. */
export const fragmentOf = ({ headers }: LightMyRequestResponse): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(new URL(String(headers.location)).hash.slice(1)))
