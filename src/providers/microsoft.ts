/**
 * Microsoft, for work, school and personal accounts:
 * https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc
 */
import { domainOf } from '../lib/email.js'
import { claimsOf, standardProfile } from './claims.js'
import { defineProvider, type IdClaims } from './provider.js'

const base = 'https://login.microsoftonline.com/common'
/** Each tenant has its own issuer; all share one JWKS. */
const tenant = /^https:\/\/login\.microsoftonline\.com\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/v2\.0$/
/** The tenant of personal accounts. */
const personal = '9188040d-6c67-4c5b-b112-36a304b66dad'
const mailboxes = new Set(['outlook.com', 'hotmail.com', 'live.com', 'msn.com'])

export const microsoft = defineProvider({
  label: 'Microsoft',
  issuer: `${base}/v2.0`,
  endpoints: {
    authorization: `${base}/oauth2/v2.0/authorize`,
    token: `${base}/oauth2/v2.0/token`,
    jwks: `${base}/discovery/v2.0/keys`
  },
  scopes: ['openid', 'email', 'profile'],
  acceptsIssuer: (iss, claims) => {
    const id = tenant.exec(iss)?.[1]
    return id !== undefined && (claims === undefined || claims.tid === id)
  },
  profile: async grant => {
    const claims = await claimsOf(grant)
    return {
      // `sub` is stable per user and app. A tenant administrator can reassign every other identifier.
      ...standardProfile(claims),
      ...(grant.claims && { issuer: grant.claims.iss }),
      emailVerified: ownsDomain(claims)
    }
  },
  ownsMailbox: (email, claims) => claims?.tid === personal && mailboxes.has(domainOf(email))
})

/**
 * The administrator of a tenant can give users any address (“nOAuth”). This optional claim confirms that the tenant has
 * proven ownership of the domain; it is a boolean, a number or a string.
 */
const ownsDomain = ({ xms_edov: proven }: IdClaims | Record<string, unknown>) => ['true', '1'].includes(String(proven))
