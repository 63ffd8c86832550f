/** Any OpenID provider, by its issuer: Keycloak, Auth0, Okta, Zitadel, a self-managed GitLab. */
import { claimsOf, standardProfile } from './claims.js'
import type { Provider } from './provider.js'

/** A provider whose endpoints are read from the metadata of its issuer (OpenID Connect Discovery 1.0). */
export const oidc = ({ label, issuer }: { label: string, issuer: string }): Provider => ({
  label,
  issuer,
  scopes: ['openid', 'email', 'profile'],
  profile: async grant => standardProfile(await claimsOf(grant))
})
