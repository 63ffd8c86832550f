/** Facebook, without ID tokens: https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow */
import { createHmac } from 'node:crypto'
import { asText, membersOf } from './claims.js'
import { defineProvider } from './provider.js'

const graph = 'https://graph.facebook.com/v24.0'

export const facebook = defineProvider({
  label: 'Facebook',
  issuer: 'https://www.facebook.com',
  endpoints: {
    authorization: 'https://www.facebook.com/v24.0/dialog/oauth',
    token: `${graph}/oauth/access_token`,
    userinfo: `${graph}/me`,
    tokeninfo: `${graph}/debug_token`
  },
  scopes: ['email', 'public_profile'],
  addsFragment: true,
  profile: async ({ accessToken = '', endpoints: { userinfo }, get }, { clientSecret }) => {
    // Proves that the app sends this request and not a thief of the token; apps can require it.
    const proof = createHmac('sha256', clientSecret).update(accessToken).digest('hex')
    const query = new URLSearchParams({ fields: 'id,email,first_name,last_name', appsecret_proof: proof })
    const { id, email, first_name: first, last_name: last } = membersOf(await get(`${userinfo}?${query}`))
    // Facebook does not report whether the address is verified.
    return {
      subject: asText(id) ?? '',
      email: asText(email),
      emailVerified: false,
      fields: { first_name: asText(first), last_name: asText(last) }
    }
  },
  isOurs: async ({ accessToken = '', endpoints: { tokeninfo }, get }, { clientId, clientSecret }) => {
    // In a header rather than the query, because the app's own token contains the secret.
    const response = await get(`${tokeninfo}?${new URLSearchParams({ input_token: accessToken })}`, {
      authorization: `Bearer ${clientId}|${clientSecret}`
    })
    const { app_id: app, is_valid: valid, type = 'USER' } = membersOf(membersOf(response).data)
    return valid === true && String(app) === clientId && type === 'USER'
  }
})
