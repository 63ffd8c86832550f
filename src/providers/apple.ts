/** Apple: https://developer.apple.com/documentation/signinwithapplerestapi */
import { domainOf } from '../lib/email.js'
import { asText, membersOf, standardProfile } from './claims.js'
import { defineProvider } from './provider.js'

const mailboxes = new Set(['icloud.com', 'me.com', 'mac.com', 'privaterelay.appleid.com'])

export const apple = defineProvider({
  label: 'Apple',
  issuer: 'https://appleid.apple.com',
  endpoints: {
    authorization: 'https://appleid.apple.com/auth/authorize',
    token: 'https://appleid.apple.com/auth/token',
    jwks: 'https://appleid.apple.com/auth/keys'
  },
  scopes: ['name', 'email'],
  // Apple requires it for these scopes.
  parameters: { response_mode: 'form_post' },
  profile: ({ claims = { iss: '', sub: '' }, extras }) => {
    const { firstName, lastName } = nameOf(extras.user)
    return {
      ...standardProfile(claims),
      fields: { first_name: asText(firstName), last_name: asText(lastName) }
    }
  },
  ownsMailbox: email => mailboxes.has(domainOf(email))
})

/** Sent at the first login only, by the browser: untrusted. */
function nameOf (user: unknown): Record<string, unknown> {
  try {
    return membersOf(membersOf(JSON.parse(String(user))).name)
  } catch {
    return {}
  }
}
