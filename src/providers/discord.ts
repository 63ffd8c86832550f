/** Discord, by its API without ID tokens: https://discord.com/developers/docs/topics/oauth2 */
import { asText, membersOf } from './claims.js'
import { defineProvider } from './provider.js'

export const discord = defineProvider({
  label: 'Discord',
  issuer: 'https://discord.com',
  endpoints: {
    authorization: 'https://discord.com/oauth2/authorize',
    token: 'https://discord.com/api/v10/oauth2/token',
    userinfo: 'https://discord.com/api/v10/users/@me',
    tokeninfo: 'https://discord.com/api/v10/oauth2/@me'
  },
  scopes: ['identify', 'email'],
  profile: async ({ endpoints: { userinfo = '' }, get }) => {
    const { id, email, verified } = membersOf(await get(userinfo))
    return { subject: asText(id) ?? '', email: asText(email), emailVerified: verified === true }
  },
  isOurs: async ({ endpoints: { tokeninfo = '' }, get }, { clientId }) =>
    membersOf(membersOf(await get(tokeninfo)).application).id === clientId
})
