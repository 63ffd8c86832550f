/** GitLab.com or (`issuer`) any other GitLab: https://docs.gitlab.com/integration/openid_connect_provider */
import { oidc } from './oidc.js'
import { defineProvider } from './provider.js'

const issuer = 'https://gitlab.com'

export const gitlab = defineProvider({
  ...oidc({ label: 'GitLab', issuer }),
  endpoints: {
    authorization: `${issuer}/oauth/authorize`,
    token: `${issuer}/oauth/token`,
    jwks: `${issuer}/oauth/discovery/keys`,
    userinfo: `${issuer}/oauth/userinfo`
  }
})
