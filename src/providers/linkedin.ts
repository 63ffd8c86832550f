/** LinkedIn: https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2 */
import { oidc } from './oidc.js'
import { defineProvider } from './provider.js'

const issuer = 'https://www.linkedin.com/oauth'

export const linkedin = defineProvider({
  ...oidc({ label: 'LinkedIn', issuer }),
  endpoints: {
    authorization: `${issuer}/v2/authorization`,
    token: `${issuer}/v2/accessToken`,
    jwks: `${issuer}/openid/jwks`,
    userinfo: 'https://api.linkedin.com/v2/userinfo'
  },
  // LinkedIn rejects a code_verifier with 401 invalid_client and omits the nonce from its ID tokens. Only the state,
  // and the fact that the token comes directly from LinkedIn, bind a login to its browser.
  pkce: false,
  sendsNonce: false
})
