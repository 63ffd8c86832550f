/** Google: https://developers.google.com/identity/openid-connect/openid-connect */
import { domainOf } from '../lib/email.js'
import { asText, claimsOf, membersOf, standardProfile } from './claims.js'
import { defineProvider } from './provider.js'

const issuer = 'https://accounts.google.com'

export const google = defineProvider({
  label: 'Google',
  issuer,
  endpoints: {
    authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    jwks: 'https://www.googleapis.com/oauth2/v3/certs',
    userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
    tokeninfo: 'https://oauth2.googleapis.com/tokeninfo'
  },
  scopes: ['openid', 'email', 'profile'],
  // Both are Google's, which says so; one person has one identity, stored with the first, whatever the token has.
  acceptsIssuer: iss => iss === 'accounts.google.com',
  profile: async grant => standardProfile(await claimsOf(grant)),
  isOurs: async ({ accessToken = '', endpoints: { tokeninfo }, get }, { clientId }) => {
    const {
      aud,
      azp,
      expires_in: left
    } = membersOf(await get(`${tokeninfo}?${new URLSearchParams({ access_token: accessToken })}`))
    return aud === clientId && (azp === undefined || azp === clientId) && Number(left) > 0
  },
  // Of another address it once sent a mail there, and says that it is verified for ever; `hd` is the domain of a Workspace.
  ownsMailbox: (email, claims) =>
    ['gmail.com', 'googlemail.com', asText(claims?.hd)?.toLowerCase()].includes(domainOf(email))
})
