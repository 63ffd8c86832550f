/** The option `social` becomes one setting for each provider. What is wrong with it is told at start, in one line, without the secret. */
import type { GivenSocialProvider } from '../../schemas/options/social.js'
import { canonicalEmail } from '../lib/email.js'
import { refuseOption } from '../lib/refuse-option.js'
import { createAppleSecret } from '../providers/apple-client-secret.js'
import { providers } from '../providers/built-in.js'
import { oidc } from '../providers/oidc.js'
import type { Provider } from '../providers/provider.js'
import { checkProvider, isAddressOf } from '../providers/validate-provider.js'
import { ownPaths } from './reserved-paths.js'
import type { SocialSettings } from './types.js'

const builtIn: Readonly<Record<string, Provider>> = providers

/** Every provider's settings, in the order of the option; the first that can't work is refused. */
export function resolveSocial (option: Readonly<Record<string, GivenSocialProvider>> = {}, { production }: { production: boolean }): readonly SocialSettings[] {
  return Object.entries(option).map(([name, given]) => resolveProvider(name, given, production))
}

function resolveProvider (name: string, given: GivenSocialProvider, production: boolean): SocialSettings {
  const option = `social.${name}`
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) { refuseOption(`${option}: name it with a-z, 0-9 and - (31 at most), a letter first`) }
  if (ownPaths.includes(name)) refuseOption(`${option}: the name is a route's; choose another`)
  const provider = findProvider(name, given, production)
  checkFit(option, given, provider)
  const { clientId, callbackUrl, storeTokens = false, accessToken = false, audiences = [] } = given
  if (!isPrintable(clientId)) refuseOption(`${option}.clientId: must be printable ASCII`)
  checkCallback(option, callbackUrl, production)
  return {
    name,
    label: given.label ?? provider.label,
    provider,
    clientId,
    clientSecret: resolveSecret(name, given),
    callbackUrl,
    scopes: resolveScopes(option, given.scopes, provider),
    trustEmail: resolveTrust(option, given.trustEmail),
    accessToken,
    audiences: [...new Set([clientId, ...audiences])],
    storeTokens
  }
}

function findProvider (name: string, { issuer, provider, label }: GivenSocialProvider, production: boolean): Provider {
  const option = `social.${name}`
  const known = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
  if (issuer !== undefined && provider !== undefined) { return refuseOption(`${option}: give issuer or provider, not both`) }
  if (provider !== undefined) return checkProvider(`${option}.provider`, provider, production)
  if (issuer === undefined) {
    return (
      known ??
      refuseOption(
        `${option}: is none of the built-in providers (${Object.keys(builtIn).join(', ')}); for another, give its issuer or a provider`
      )
    )
  }
  if (!isAddressOf(issuer, production)) {
    return refuseOption(
      `${option}.issuer: must be https${production ? '' : ', or http on localhost, 127.0.0.1 or [::1]'}`
    )
  }
  if (!known) return oidc({ label: label ?? name, issuer })
  if (known.endpoints?.jwks === undefined) { return refuseOption(`${option}.issuer: ${known.label} is no OpenID provider; choose another name for one`) }
  return issuer === known.issuer ? known : atIssuer(known, issuer)
}

/** One's own GitLab, one's own tenant: what was known of the public one's addresses and mailboxes says nothing of it. */
function atIssuer ({ endpoints: _endpoints, acceptsIssuer: _acceptsIssuer, ownsMailbox: _ownsMailbox, isOurs: _isOurs, ...rest }: Provider, issuer: string): Provider {
  return { ...rest, issuer }
}

function checkFit (option: string, { accessToken = false, audiences = [] }: GivenSocialProvider, { label, endpoints, isOurs }: Provider): void {
  if (accessToken && !isOurs) {
    refuseOption(
      `${option}.accessToken: ${label} does not tell which app an access token was issued to, so that any app's would do; let clients post a code or an ID token`
    )
  }
  if (audiences.length > 0 && endpoints && endpoints.jwks === undefined) { refuseOption(`${option}.audiences: ${label} has no ID tokens`) }
}

function checkCallback (option: string, url: string | undefined, production: boolean): void {
  if (url === undefined) return
  if (!URL.canParse(url)) { refuseOption(`${option}.callbackUrl: must be an address such as https://app.example/auth/google/callback`) }
  if (production && !url.startsWith('https:')) refuseOption(`${option}.callbackUrl: must be https in production`)
}

function resolveSecret (name: string, { clientId, clientSecret }: GivenSocialProvider): SocialSettings['clientSecret'] {
  const option = `social.${name}.clientSecret`
  if (typeof clientSecret === 'object') {
    return name === 'apple'
      ? createAppleSecret(option, clientId, clientSecret)
      : refuseOption(`${option}: must be a string; only apple's is signed`)
  }
  // The client library's refusal would quote it.
  if (!isPrintable(clientSecret)) refuseOption(`${option}: must be printable ASCII`)
  return () => clientSecret
}

/** RFC 6749 appendix A.1, A.2. */
const isPrintable = (text: string) => /^[\x20-\x7E]+$/.test(text)

/** RFC 6749 §3.3; without `openid` there would be no ID token (OpenID Connect Core §3.1.2.1). */
function resolveScopes (option: string, scopes: readonly string[] | undefined, provider: Provider): readonly string[] {
  if (scopes === undefined) return provider.scopes
  if (!scopes.every(scope => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))) { refuseOption(`${option}.scopes: each must be one word`) }
  if (provider.scopes.includes('openid') && !scopes.includes('openid')) { refuseOption(`${option}.scopes: must contain openid, or nobody is named`) }
  return scopes
}

/** Domains in the form that addresses are compared in. */
function resolveTrust (option: string, trustEmail: GivenSocialProvider['trustEmail']): SocialSettings['trustEmail'] {
  if (typeof trustEmail !== 'object') return trustEmail
  return trustEmail.map(
    domain =>
      canonicalEmail(`a@${domain}`)?.slice(2) ??
      refuseOption(`${option}.trustEmail: each must be a domain such as app.example`)
  )
}
