/** What a client keeps of a login, as headers. */
import type { LightMyRequestResponse } from 'fastify'

export interface Credentials {
  headers: Record<string, string>
}

/** Tokens of the body for the header, and cookies as the app's own page would send them. */
export function credentialsOf (login: LightMyRequestResponse): Credentials {
  if (login.statusCode !== 200) throw new Error(`as: the login fails with ${login.statusCode}: ${login.body}`)
  const { access, key }: { access?: string, key?: string } = login.json()
  const token = access ?? key
  const cookie = login.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  return {
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(cookie !== '' && { cookie, 'sec-fetch-site': 'same-origin' })
    }
  }
}
