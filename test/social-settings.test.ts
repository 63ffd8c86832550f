/** An invalid `social` option is reported at start: in one line, with the option's path, without the secret. */
import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose'
import type { SocialOptions } from '../schemas/options/types.js'
import { providers } from '../src/providers/built-in.js'
import { defineProvider } from '../src/providers/provider.js'
import { resolveSocial } from '../src/settings/social.js'
import { t } from './support/build.js'

const base = { clientId: 'app', clientSecret: 'a-secret-never-told' }
const own = defineProvider({
  label: 'Own',
  issuer: 'https://own.example',
  endpoints: { authorization: 'https://own.example/a', token: 'https://own.example/t' },
  scopes: [],
  profile: () => ({ subject: '1' })
})

/** The line that an app with this provider refuses to start with. */
function refusal (name: string, given: object, production = true): string {
  try {
    resolveSocial({ [name]: { ...base, ...given } as SocialOptions }, { production })
    return 'it started'
  } catch (error) {
    return (error as Error).message.replace('fastify-rest-auth: ', '')
  }
}

const resolve = (name: string, given: object = {}, production = true) => {
  const [settings] = resolveSocial({ [name]: { ...base, ...given } as SocialOptions }, { production })
  if (!settings) throw new Error('no settings')
  return settings
}

const pem = (namedCurve: string) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  return {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString()
  }
}
const key = pem('P-256')
const signed = (privateKey: string) => ({ clientSecret: { teamId: 'TEAM', keyId: 'KEY', privateKey } })
const badName = 'the name must start with a letter and contain only a-z, 0-9 and - (31 characters at most)'
const list = 'google, github, facebook, apple, microsoft, gitlab, discord, linkedin'

void t.test('an invalid configuration is refused at start', async t => {
  const rows: Array<[name: string, given: object, line: string]> = [
    ['Google', {}, `social.Google: ${badName}`],
    ['9gag', {}, `social.9gag: ${badName}`],
    ['a/b', {}, `social.a/b: ${badName}`],
    ['a'.repeat(32), {}, `social.${'a'.repeat(32)}: ${badName}`],
    ...[
      'login', 'logout', 'user', 'registration', 'token', 'password', 'sessions', 'socialaccounts',
      'reauthenticate', 'mfa', 'passkeys', 'email'
    ].map((name): [string, object, string] => [
      name,
      { issuer: 'https://own.example' },
      `social.${name}: a route has this name; choose another`
    ]),
    [
      'gogle',
      {},
      `social.gogle: is not a built-in provider (${list}); for any other provider, set issuer or provider`
    ],
    [
      'constructor',
      {},
      `social.constructor: is not a built-in provider (${list}); for any other provider, set issuer or provider`
    ],
    ['own', { issuer: 'https://own.example', provider: own }, 'social.own: set either issuer or provider, not both'],
    ['own', { issuer: 'http://own.example' }, 'social.own.issuer: must be https, without user name or fragment'],
    ['own', { issuer: 'http://localhost:9000' }, 'social.own.issuer: must be https, without user name or fragment'],
    ['own', { issuer: 'https://a:b@own.example' }, 'social.own.issuer: must be https, without user name or fragment'],
    [
      'github',
      { issuer: 'https://github.example' },
      'social.github.issuer: GitHub is not an OpenID Connect provider; choose another name for this issuer'
    ],
    [
      'facebook',
      { issuer: 'https://own.example' },
      'social.facebook.issuer: Facebook is not an OpenID Connect provider; choose another name for this issuer'
    ],
    [
      'discord',
      { issuer: 'https://own.example' },
      'social.discord.issuer: Discord is not an OpenID Connect provider; choose another name for this issuer'
    ],
    [
      'gitlab',
      { accessToken: true },
      'social.gitlab.accessToken: GitLab does not disclose which app an access token was issued to, ' +
        'so tokens of any app would be accepted; let clients post a code or an ID token'
    ],
    [
      'google',
      { issuer: 'https://own.example', accessToken: true },
      'social.google.accessToken: Google does not disclose which app an access token was issued to, ' +
        'so tokens of any app would be accepted; let clients post a code or an ID token'
    ],
    ['github', { audiences: ['other'] }, 'social.github.audiences: has no effect, because GitHub issues no ID tokens'],
    ['google', { clientId: 'ä' }, 'social.google.clientId: must be printable ASCII'],
    ['google', { clientSecret: 'se\ncret' }, 'social.google.clientSecret: must be printable ASCII'],
    ['google', signed(key.private), 'social.google.clientSecret: must be a string; only apple takes a signing key'],
    ['apple', signed('nonsense'), 'social.apple.clientSecret.privateKey: is not a valid key; use PKCS#8 PEM or a JWK'],
    [
      'apple',
      signed(pem('P-384').private),
      'social.apple.clientSecret.privateKey: has the wrong type; ES256 requires P-256'
    ],
    [
      'apple',
      signed(key.public),
      'social.apple.clientSecret.privateKey: must be a private key: the content of Apple\'s file AuthKey_….p8'
    ],
    ['google', { callbackUrl: 'http://app.example/cb' }, 'social.google.callbackUrl: must be https in production'],
    [
      'google',
      { callbackUrl: 'https://:0/cb' },
      'social.google.callbackUrl: must be an address such as https://app.example/auth/google/callback'
    ],
    [
      'google',
      { scopes: ['openid email'] },
      'social.google.scopes: each item must be one scope: printable ASCII without spaces, quotes or backslashes'
    ],
    [
      'google',
      { scopes: ['email'] },
      'social.google.scopes: must contain openid, or the ID token that identifies the user is missing'
    ],
    [
      'google',
      { trustEmail: ['@app.example'] },
      'social.google.trustEmail: each item must be a domain such as app.example'
    ],
    [
      'google',
      { trustEmail: ['*.app.example'] },
      'social.google.trustEmail: each item must be a domain such as app.example'
    ],
    [
      'google',
      { trustEmail: ['localhost'] },
      'social.google.trustEmail: each item must be a domain such as app.example'
    ],
    [
      'google',
      { trustEmail: ['https://app.example'] },
      'social.google.trustEmail: each item must be a domain such as app.example'
    ]
  ]
  for (const [name, given, line] of rows) t.equal(refusal(name, given), line)
})

void t.test('a custom provider is validated at start', async t => {
  const { endpoints } = own
  const rows: Array<[changes: object, line: string]> = [
    [{ label: '' }, 'label: must be a string, not empty'],
    [{ issuer: 'own' }, 'issuer: must be an https address'],
    [{ issuer: 'http://own.example' }, 'issuer: must be an https address'],
    [{ scopes: 'openid' }, 'scopes: must be a list of strings'],
    [{ profile: undefined }, 'profile: must be a function'],
    [{ parameters: { prompt: 1 } }, 'parameters: must be an object of strings'],
    [{ clientAuthentication: 'basic' }, 'clientAuthentication: must be "body" or "header"'],
    [{ isOurs: true }, 'isOurs: must be a function'],
    [{ pkce: 'S256' }, 'pkce: must be true or false'],
    [{ endpoints: {} }, 'endpoints.authorization: must be an https address'],
    [{ endpoints: { ...endpoints, token: 'http://own.example/t' } }, 'endpoints.token: must be an https address'],
    [{ endpoints: { ...endpoints, jwks: 7 } }, 'endpoints.jwks: must be an https address']
  ]
  for (const [changes, line] of rows) {
    t.equal(refusal('own', { provider: { ...own, ...changes } }), `social.own.provider.${line}`)
  }
  t.equal(resolve('own', { provider: own }).provider, own)
})

void t.test('http addresses are allowed only on localhost', async t => {
  for (const host of ['localhost:9000', '127.0.0.1:9000', '[::1]:9000']) {
    t.equal(refusal('own', { issuer: `http://${host}` }, false), 'it started')
    t.equal(
      refusal(
        'own',
        {
          provider: {
            ...own,
            issuer: `http://${host}`,
            endpoints: { authorization: `http://${host}/a`, token: `http://${host}/t` }
          }
        },
        false
      ),
      'it started'
    )
  }
  t.equal(
    refusal('own', { issuer: 'http://localhost.evil.example' }, false),
    'social.own.issuer: must be https, or http on localhost, 127.0.0.1 or [::1], without user name or fragment'
  )
  t.equal(refusal('google', { callbackUrl: 'http://localhost:3000/auth/google/callback' }, false), 'it started')
})

void t.test('with only a client id and secret, the defaults of the provider apply', async t => {
  t.same(resolveSocial(undefined, { production: true }), [])
  for (const [name, provider] of Object.entries(providers)) {
    const settings = resolve(name)
    t.match(settings, {
      name,
      label: provider.label,
      callbackUrl: undefined,
      trustEmail: undefined,
      accessToken: false,
      storeTokens: false
    })
    t.equal(settings.provider, provider)
    t.same(settings.scopes, provider.scopes)
    t.same(settings.audiences, ['app'])
    t.equal(await settings.clientSecret(new Date()), base.clientSecret)
  }
})

void t.test('an issuer defines a provider, or replaces the issuer of a built-in one', async t => {
  const keycloak = resolve('keycloak', { issuer: 'https://login.example/realms/app' })
  t.match(keycloak, {
    label: 'keycloak',
    provider: { issuer: 'https://login.example/realms/app', endpoints: undefined },
    scopes: ['openid', 'email', 'profile']
  })
  t.equal(resolve('keycloak', { issuer: 'https://login.example/realms/app', label: 'Example' }).label, 'Example')
  t.match(resolve('gitlab', { issuer: 'https://git.example' }), {
    label: 'GitLab',
    provider: { issuer: 'https://git.example', endpoints: undefined }
  })
  const tenant = resolve('microsoft', {
    issuer: 'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0'
  }).provider
  t.match([tenant.acceptsIssuer, tenant.ownsMailbox, tenant.isOurs], [undefined, undefined, undefined])
  t.equal(
    resolve('google', { issuer: 'https://accounts.google.com' }).provider,
    providers.google,
    'its own changes nothing'
  )
})

void t.test('trusted domains are normalized like addresses', async t => {
  t.same(resolve('github', { trustEmail: ['Example.ORG', 'Bücher.example'] }).trustEmail, [
    'example.org',
    'xn--bcher-kva.example'
  ])
  t.equal(resolve('github', { trustEmail: false }).trustEmail, false)
  t.same(resolve('google', { audiences: ['ios', 'app'] }).audiences, ['app', 'ios'])
})

void t.test('the client secret for Apple is signed for an hour and renewed before it expires', async t => {
  for (const privateKey of [key.private, key.private.replaceAll('\n', '\\n')]) {
    const { clientSecret } = resolve('apple', signed(privateKey))
    const now = new Date('2026-11-23T12:00:00.000Z')
    const seconds = now.getTime() / 1000
    const secret = await clientSecret(now)
    t.same(decodeProtectedHeader(secret), { alg: 'ES256', kid: 'KEY' })
    t.same(decodeJwt(secret), {
      iss: 'TEAM',
      sub: 'app',
      aud: 'https://appleid.apple.com',
      iat: seconds,
      exp: seconds + 3600
    })
    await jwtVerify(secret, await importSPKI(key.public, 'ES256'), { currentDate: now })
    t.equal(await clientSecret(new Date(now.getTime() + 2_999_000)), secret)
    const next = await clientSecret(new Date(now.getTime() + 3_000_000))
    t.equal(decodeJwt(next).exp, seconds + 6600)
  }
})
