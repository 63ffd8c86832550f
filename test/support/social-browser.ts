/** A browser for stories about providers: it keeps the cookies it is given, and goes where it is sent. */
import type { LightMyRequestResponse } from 'fastify'
import type { BuiltApp, CallOptions } from './build.js'

export function createBrowser ({ call }: Pick<BuiltApp, 'call'>) {
  const cookies = new Map<string, string>()

  async function open (method: 'GET' | 'POST', path: string, { headers = {}, ...rest }: CallOptions = {}): Promise<LightMyRequestResponse> {
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

  return {
    cookies,
    open,
    /** Sets out for a provider; answers with the address that the browser is sent to. */
    async start (provider: string, query = ''): Promise<string> {
      const { statusCode, headers, body } = await open('GET', `/${provider}/login${query}`)
      if (statusCode !== 303) throw new Error(`no redirect to ${provider}: ${statusCode} ${body}`)
      return String(headers.location)
    },
    /** Comes back by the redirect of a provider, which is another site. */
    comeBack: async (redirect: string, rest: CallOptions = {}): Promise<LightMyRequestResponse> => {
      const { pathname, search } = new URL(redirect)
      return await open('GET', `${pathname}${search}`, {
        ...rest,
        headers: { 'sec-fetch-site': 'cross-site', ...rest.headers }
      })
    }
  }
}
export type Browser = ReturnType<typeof createBrowser>

/** What a redirect to the app's own page brings along. */
export const fragmentOf = ({ headers }: LightMyRequestResponse): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(new URL(String(headers.location)).hash.slice(1)))
