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
  // Google documents both forms. Identities are always stored with the first, so that each user has only one.
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
  // Google verified any other address only once, and reports it as verified for ever. `hd` is a Workspace's domain.
  ownsMailbox: (email, claims) =>
    ['gmail.com', 'googlemail.com', asText(claims?.hd)?.toLowerCase()].includes(domainOf(email))
})
