/** The option `social`, checked at start: one `SocialSettings` for each provider. No error quotes a secret. */
import type { SocialOptions } from '../../schemas/options/types.js'
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

/** The settings of each provider, in the order of the option. Throws an Error that names the first invalid option. */
export function resolveSocial (
  option: Readonly<Record<string, SocialOptions>> = {},
  { production }: { production: boolean }
): readonly SocialSettings[] {
  return Object.entries(option).map(([name, given]) => resolveProvider(name, given, production))
}

function resolveProvider (name: string, given: SocialOptions, production: boolean): SocialSettings {
  const option = `social.${name}`
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    refuseOption(
      `${option}: the name must start with a letter and contain only a-z, 0-9 and - (31 characters at most)`
    )
  }
  if (ownPaths.includes(name)) refuseOption(`${option}: a route has this name; choose another`)
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

function findProvider (name: string, { issuer, provider, label }: SocialOptions, production: boolean): Provider {
  const option = `social.${name}`
  const known = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
  if (issuer !== undefined && provider !== undefined) refuseOption(`${option}: set either issuer or provider, not both`)
  if (provider !== undefined) return checkProvider(`${option}.provider`, provider, production)
  if (issuer === undefined) {
    return known ?? refuseOption(
      `${option}: is not a built-in provider (${Object.keys(builtIn).join(', ')}); ` +
      'for any other provider, set issuer or provider'
    )
  }
  if (!isAddressOf(issuer, production)) {
    const scheme = production ? 'https' : 'https, or http on localhost, 127.0.0.1 or [::1]'
    refuseOption(`${option}.issuer: must be ${scheme}, without user name or fragment`)
  }
  if (!known) return oidc({ label: label ?? name, issuer })
  if (known.endpoints?.jwks === undefined) {
    refuseOption(
      `${option}.issuer: ${known.label} is not an OpenID Connect provider; choose another name for this issuer`
    )
  }
  return issuer === known.issuer ? known : atIssuer(known, issuer)
}

/** A built-in provider at another issuer, such as a self-hosted GitLab, without what is true of the public one only. */
function atIssuer (provider: Provider, issuer: string): Provider {
  const { endpoints: _endpoints, acceptsIssuer: _acceptsIssuer, ownsMailbox: _ownsMailbox, isOurs: _isOurs, ...rest } =
    provider
  return { ...rest, issuer }
}

function checkFit (
  option: string,
  { accessToken = false, audiences = [] }: SocialOptions,
  { label, endpoints, isOurs }: Provider
): void {
  if (accessToken && !isOurs) {
    refuseOption(
      `${option}.accessToken: ${label} does not disclose which app an access token was issued to, ` +
      'so tokens of any app would be accepted; let clients post a code or an ID token'
    )
  }
  if (audiences.length > 0 && endpoints && endpoints.jwks === undefined) {
    refuseOption(`${option}.audiences: has no effect, because ${label} issues no ID tokens`)
  }
}

/** What Google's JavaScript client sends as redirect URI when it opens a popup. */
export const popupRedirectUri = 'postmessage'

function checkCallback (option: string, url: string | undefined, production: boolean): void {
  if (url === undefined || url === popupRedirectUri) return
  if (!URL.canParse(url)) {
    refuseOption(`${option}.callbackUrl: must be an address such as https://app.example/auth/google/callback`)
  }
  if (production && !url.startsWith('https:')) refuseOption(`${option}.callbackUrl: must be https in production`)
}

function resolveSecret (name: string, { clientId, clientSecret }: SocialOptions): SocialSettings['clientSecret'] {
  const option = `social.${name}.clientSecret`
  if (typeof clientSecret === 'object') {
    return name === 'apple'
      ? createAppleSecret(option, clientId, clientSecret)
      : refuseOption(`${option}: must be a string; only apple takes a signing key`)
  }
  // Checked here, because the error of the client library would quote it.
  if (!isPrintable(clientSecret)) refuseOption(`${option}: must be printable ASCII`)
  return () => clientSecret
}

/** RFC 6749 appendix A.1, A.2. */
const isPrintable = (text: string) => /^[\x20-\x7E]+$/.test(text)

/** RFC 6749 §3.3. Without `openid` there would be no ID token (OpenID Connect Core §3.1.2.1). */
function resolveScopes (option: string, scopes: readonly string[] | undefined, provider: Provider): readonly string[] {
  if (scopes === undefined) return provider.scopes
  if (!scopes.every(scope => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))) {
    refuseOption(`${option}.scopes: each item must be one scope: printable ASCII without spaces, quotes or backslashes`)
  }
  if (provider.scopes.includes('openid') && !scopes.includes('openid')) {
    refuseOption(`${option}.scopes: must contain openid, or the ID token that identifies the user is missing`)
  }
  return scopes
}

/** Domains are stored in the canonical form that addresses are compared in. */
function resolveTrust (option: string, trustEmail: SocialOptions['trustEmail']): SocialSettings['trustEmail'] {
  if (typeof trustEmail !== 'object') return trustEmail
  return trustEmail.map(
    domain =>
      canonicalEmail(`a@${domain}`)?.slice(2) ??
      refuseOption(`${option}.trustEmail: each item must be a domain such as app.example`)
  )
}
