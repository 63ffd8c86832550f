/** Invalid options are reported at start: in one line, with the path of the option and what to do. */
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { restAuth } from '../src/index.js'
import { generateSigningKey } from '../src/lib/signing-keys.js'
import { createPlugin } from '../src/plugin.js'
import { isOwnPath } from '../src/settings/reserved-paths.js'
import { cheapHash, patient, secret, t, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { inProduction } from './support/environment.js'

/** Starts an app with only these options; returns it and its log. */
async function start (t: Test, options?: object): Promise<{ app: FastifyInstance, log: string[] }> {
  const log: string[] = []
  const app = Fastify({ ...patient, logger: { level: 'warn', stream: { write: line => { log.push(line) } } } })
  t.teardown(() => app.close())
  await app.register(fp(createPlugin({ hashCost: cheapHash })), options as object)
  await app.ready()
  return { app, log }
}

const minimal = { secret, database: ':memory:' }

/** The message that an app with these options refuses to start with. */
async function refusal (t: Test, options: object): Promise<string> {
  try {
    await start(t, { ...minimal, ...options })
    return 'it started'
  } catch (error) {
    return (error as Error).message
  }
}

const field = (schema: unknown, rest: object = {}) => ({ userFields: { phone: { schema, ...rest } } })
const withName = (name: string) => ({
  userFields: Object.fromEntries([[name, { schema: Type.Optional(Type.String()) }]])
})
const valueOfOption = {
  registration: 'optional',
  userDetails: 'hidden',
  unique: true,
  column: 'other',
  normalize: (value: string) => value,
  stored: true
}
const social = (changes: object) => ({ social: { google: { clientId: 'x', clientSecret: 'y', ...changes } } })
const weak = (what: string, path = 'secret') => `${path}: ${what}; generate one with: npx fastify-rest-auth secret`
const taken = (name: string) =>
  `userFields.${name}: the name is reserved by the plugin or JavaScript; choose another`
const otherKind = (kind: string) =>
  'userFields.phone.schema: use Type.String, Integer, Number, Boolean, Object, Array, Literals of one type or a ' +
  `Union of Objects (${kind} is none of these)`

const [ed, ec, otherEc] = (['EdDSA', 'ES256', 'ES256'] as const).map(
  algorithm => JSON.parse(generateSigningKey(algorithm, 'jwk')) as JsonWebKey
) as [JsonWebKey, JsonWebKey, JsonWebKey]
const publicHalf = ({ d: _private, ...jwk }: JsonWebKey) => jwk
const signedBy = (algorithm: string, ...keys: unknown[]) => ({ tokens: { algorithm, keys } })
const badKey = (what: string, algorithm = 'EdDSA', index = 0) =>
  `tokens.keys[${index}]: ${what}; generate one with: npx fastify-rest-auth secret --algorithm ${algorithm}`
const noKey = 'is not a valid key; use PKCS#8 PEM or a JWK'
const pemOf = ({ privateKey }: ReturnType<typeof generateKeyPairSync>, options = {}) =>
  privateKey.export({ type: 'pkcs8', format: 'pem', ...options }).toString()
const curve = (namedCurve: string) => pemOf(generateKeyPairSync('ec', { namedCurve }))
// Their private halves are published: RFC 8037 A.1, RFC 7515 A.3, jwt.io.
const samples: Array<[algorithm: string, key: unknown]> = [
  [
    'EdDSA',
    {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    }
  ],
  [
    'ES256',
    {
      kty: 'EC',
      crv: 'P-256',
      d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'
    }
  ],
  [
    'ES256',
    [
      '-----BEGIN PRIVATE KEY-----',
      'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2',
      'OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r',
      '1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G',
      '-----END PRIVATE KEY-----'
    ].join('\n')
  ]
]
const zeroDer = Buffer.from(`302e020100300506032b657004220420${'00'.repeat(32)}`, 'hex')
const zeros = `-----BEGIN PRIVATE KEY-----\n${zeroDer.toString('base64')}\n-----END PRIVATE KEY-----`

const refusals: Array<[options: object, line: string]> = [
  [{ colour: 'red' }, 'colour: unknown option'],
  [{ tokens: { acess: 300 } }, 'tokens.acess: unknown option; did you mean tokens.access?'],
  [{ tokens: { refresh: { idel: 300 } } }, 'tokens.refresh.idel: unknown option; did you mean tokens.refresh.idle?'],
  [{ hooks: { registred: () => {} } }, 'hooks.registred: unknown option; did you mean hooks.registered?'],
  [{ account: { userName: 'none' } }, 'account.userName: unknown option; did you mean account.username?'],
  [
    field(Type.String(), { uniqe: true }),
    'userFields.phone.uniqe: unknown option; did you mean userFields.phone.unique?'
  ],
  [JSON.parse('{"__proto__":{"secret":"x"}}') as object, '__proto__: unknown option'],

  [{ secret: '' }, weak('is shorter than 32 bytes')],
  [{ secret: 'zXc9zXc9zXc9zXc9zXc9zXc9zXc9zXc' }, weak('is shorter than 32 bytes')],
  [{ secret: 'zXc9zXc9zXc9zXc9zXc9zXc9zXc9zXc9' }, weak('has too few different characters')],
  [{ secret: 'my-very-own-Secret-for-this-very-app-2026' }, weak('looks like an example value')],
  [{ secret: 'change-me-change-me-now-please-quickly' }, weak('looks like an example value')],
  [{ secret: '9f86d081884c7d659a2feaa0c55ad015' }, weak('has only 128 bits: 64 hex digits make 256')],
  [{ secret: '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822C' }, weak('has only 192 bits: 64 hex digits make 256')],
  [{ secret: 'correct horse battery staple and three more' }, weak('looks like a passphrase, which can be guessed')],
  [{ secret: [secret, 'short'] }, weak('is shorter than 32 bytes', 'secret[1]')],
  [{ secret: [secret, secret] }, 'secret: contains a duplicate'],
  ...[7, null, [], [secret, 7], { key: secret }].map((value): [object, string] => [
    { secret: value },
    'secret: must be a string or a non-empty list, each item a string'
  ]),

  ...[
    'app.example', 'ftp://app.example', 'https://', 'https://app.example?x', 'https://app.example/#x',
    'https://app example', 'https://eve:pw@app.example', 'http://[', 'javascript:alert(1)', 7
  ].map((value): [object, string] => [
    { publicUrl: value },
    'publicUrl: must be an address such as https://app.example'
  ]),
  ...['/', 'auth', '/auth/', '//auth', '/a b', '/:x', '/*', '/a?b', ''].map((value): [object, string] => [
    { prefix: value },
    'prefix: must be a path such as /auth'
  ]),
  ...[true, 'docs', '/'].map((value): [object, string] => [
    { docs: value },
    'docs: must be false or a path such as /docs'
  ]),
  [{ docs: '/auth' }, "docs: conflicts with the plugin's routes; choose another path"],
  [{ docs: '/auth/user' }, "docs: conflicts with the plugin's routes; choose another path"],
  [
    field(Type.String({ default: 'free', maxLength: 9 }), { registration: 'hidden', unique: true }),
    "userFields.phone.schema.default: a unique field can't have a default, which all users would share"
  ],
  [{ errors: 'json' }, 'errors: must be "problem" or "drf"'],
  [{ migrate: 'yes' }, 'migrate: must be true or false'],
  [{ database: 7 }, 'database: must be a SQLite file, a postgres:// URL or a Drizzle instance'],
  [{ database: '' }, 'database: must be a SQLite file, a postgres:// URL or a Drizzle instance'],
  [
    { database: { url: ':memory:', prepared: false } },
    'database.prepared: unknown option; did you mean database.prepare?'
  ],
  [{ database: { ulr: ':memory:' } }, 'database.ulr: unknown option; did you mean database.url?'],
  [{ database: { url: ':memory:', connections: 5 } }, 'database.connections: unknown option'],
  [{ database: { url: ':memory:', schema: 'auth' } }, 'database.schema: only PostgreSQL has schemas'],
  [{ database: { url: ':memory:', drizzle: {} } }, 'database: give one of url and drizzle'],
  [{ database: { prepare: false } }, 'database: give one of url and drizzle'],
  [{ database: { url: 7 } }, 'database.url: must be a SQLite file or a postgres:// URL'],
  [{ database: { url: ':memory:', prepare: 'no' } }, 'database.prepare: must be true or false'],

  [{ tokens: null }, 'tokens: must be an object'],
  [{ tokens: { access: '5m' } }, 'tokens.access: must be a whole number from 30 to 86400'],
  [{ tokens: { access: 86401 } }, 'tokens.access: must be a whole number from 30 to 86400'],
  [
    { tokens: { refresh: { absolute: 34560001 } } },
    'tokens.refresh.absolute: must be a whole number from 60 to 34560000'
  ],
  [
    { tokens: { refresh: { idle: 7200, absolute: 3600 } } },
    'tokens.refresh.idle: must not exceed tokens.refresh.absolute, after which the session ends'
  ],
  [{ tokens: { refreshGrace: 61 } }, 'tokens.refreshGrace: must be a whole number from 0 to 60'],
  [{ tokens: { refreshGrace: false } }, 'tokens.refreshGrace: must be a whole number from 0 to 60'],
  [{ docs: '/auth/sessions' }, "docs: conflicts with the plugin's routes; choose another path"],
  [{ tokens: { passwordReset: 259201 } }, 'tokens.passwordReset: must be a whole number from 300 to 259200'],
  [{ tokens: { emailVerification: 2592001 } }, 'tokens.emailVerification: must be a whole number from 300 to 2592000'],

  [{ tokens: { algorithm: 'RS256' } }, 'tokens.algorithm: must be "HS256", "EdDSA" or "ES256"'],
  [{ tokens: { claims: { role: 'x' } } }, 'tokens.claims: must be a function'],
  ...(['EdDSA', 'ES256'] as const).map((algorithm): [object, string] => [
    { tokens: { algorithm } },
    `tokens.keys: ${algorithm} requires a private key; generate one with: npx fastify-rest-auth secret --algorithm ` +
    `${algorithm}`
  ]),
  [
    { tokens: { keys: [ed] } },
    'tokens.keys: has no effect with HS256, which signs with secret; set tokens.algorithm to EdDSA or ES256'
  ],
  [signedBy('EdDSA'), 'tokens.keys: must be a non-empty list, each item PKCS#8 PEM or a JWK'],
  [signedBy('EdDSA', 7), 'tokens.keys[0]: must be PKCS#8 PEM or a JWK'],
  ...[
    '', 'x', secret, '{', '{}', {}, pemOf(generateKeyPairSync('ed25519')).slice(0, 60),
    pemOf(generateKeyPairSync('ed25519')).replaceAll('\n', '\\n'), { ...ed, d: 'x' }, { ...ed, x: undefined },
    { ...ed, kty: 'EC' }, { ...ec, y: ec.x }, { kty: 'oct', k: secret },
    pemOf(generateKeyPairSync('ed25519'), { cipher: 'aes-256-cbc', passphrase: 'x' })
  ].map((key): [object, string] => [signedBy('EdDSA', key), badKey(noKey)]),
  ...[
    ec, curve('P-256'), pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 })), pemOf(generateKeyPairSync('ed448')),
    pemOf(generateKeyPairSync('x25519'))
  ].map((key): [object, string] => [signedBy('EdDSA', key), badKey('has the wrong type; EdDSA requires Ed25519')]),
  ...[
    ed, curve('P-384'), curve('P-521'), curve('secp256k1'), pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))
  ].map((key): [object, string] => [
    signedBy('ES256', key), badKey('has the wrong type; ES256 requires P-256', 'ES256')
  ]),
  [signedBy('EdDSA', ed, ec), badKey('has the wrong type; EdDSA requires Ed25519', 'EdDSA', 1)],
  [signedBy('ES256', { ...ec, alg: 'ES384' }), badKey('has alg "ES384" instead of ES256', 'ES256')],
  [signedBy('EdDSA', { ...ed, use: 'enc' }), badKey('has a use other than sig')],
  [
    signedBy('EdDSA', { ...ed, x: 'O2onvM62pC1imK5yUgNGzUZTL6fqXU1xCdqB2wwlKgE' }),
    badKey('has a public part that does not belong to its private part')
  ],
  [
    signedBy('ES256', { ...ec, d: otherEc.d }),
    badKey('has a public part that does not belong to its private part', 'ES256')
  ],
  ...samples.map(([algorithm, key]): [object, string] => [
    signedBy(algorithm, key),
    badKey('is a published example key', algorithm)
  ]),
  [signedBy('EdDSA', zeros), badKey('has too few different bytes')],
  [signedBy('EdDSA', publicHalf(ed)), 'tokens.keys[0]: must be a private key, because the first key signs'],
  [signedBy('EdDSA', ed, JSON.stringify(ed)), 'tokens.keys: contains a duplicate'],
  [signedBy('ES256', ec, publicHalf(ec)), 'tokens.keys: contains a duplicate'],
  [{ docs: '/auth/.well-known' }, "docs: conflicts with the plugin's routes; choose another path"],
  [{ docs: '/auth/reauthenticate' }, "docs: conflicts with the plugin's routes; choose another path"],
  ...['/auth/socialaccounts', '/auth/google', '/auth/google/login'].map((docs): [object, string] => [
    { ...social({}), docs },
    "docs: conflicts with the plugin's routes; choose another path"
  ]),
  [{ tokens: { cookies: true } }, 'tokens.cookies: must be false or an object'],
  [
    { tokens: { cookies: { acess: 'x' } } },
    'tokens.cookies.acess: unknown option; did you mean tokens.cookies.access?'
  ],
  ...['', 'my auth', 'a;b', 'a=b', 'naïve', 'a,b', '"a"', 'a\n', 'x'.repeat(129), 7].map((value): [object, string] =>
    [{ tokens: { cookies: { refresh: value } } }, 'tokens.cookies.refresh: must be a name such as my-app-auth']),
  ...[
    '', 'app example', 'https://app.example', 'app.example; Secure', 'app..example', '-app.example',
    'app.example:3000', '..app.example'
  ].map((value): [object, string] => [
    { tokens: { cookies: { domain: value } } },
    'tokens.cookies.domain: must be a host name such as app.example'
  ]),
  ...['', 'auth', '/a;b', '/a b', '/a\n', '/é'].map((value): [object, string] => [
    { tokens: { cookies: { path: value } } },
    'tokens.cookies.path: must be a path such as /'
  ]),
  [{ tokens: { cookies: { sameSite: 'Lax' } } }, 'tokens.cookies.sameSite: must be "strict", "lax" or "none"'],
  [{ tokens: { cookies: { secure: 'auto' } } }, 'tokens.cookies.secure: must be true or false'],
  [
    { tokens: { cookies: { sameSite: 'none', secure: false } } },
    "tokens.cookies.sameSite: 'none' requires tokens.cookies.secure, or browsers drop the cookies"
  ],
  [
    { tokens: { cookies: { partitioned: true } } },
    "tokens.cookies.partitioned: requires tokens.cookies.sameSite: 'none', or no embedded page sends them"
  ],
  [
    { tokens: { cookies: { partitioned: true, sameSite: 'none', secure: false } } },
    "tokens.cookies.sameSite: 'none' requires tokens.cookies.secure, or browsers drop the cookies"
  ],
  [
    { tokens: { cookies: { sameSite: 'none' }, csrf: false } },
    "tokens.csrf: must not be false when tokens.cookies.sameSite is 'none', or any site could act for your users"
  ],
  [
    { tokens: { cookies: { access: 'auth', refresh: 'auth' } } },
    'tokens.cookies.refresh: must differ from the name of the access cookie'
  ],
  [
    { tokens: { cookies: { access: '__Host-refresh' } } },
    'tokens.cookies.refresh: must differ from the name of the access cookie'
  ],
  // The five cookies that draft-ietf-httpbis-rfc6265bis §4.1.3.2 shows as rejected by browsers.
  ...[
    { secure: false },
    { domain: 'app.example' },
    { path: '/auth' },
    { secure: false, domain: 'app.example' },
    { domain: 'app.example', path: '/auth' }
  ].map((changes): [object, string] => [
    { tokens: { cookies: { access: '__Host-auth', ...changes } } },
    'secure' in changes
      ? 'tokens.cookies.access: __Host- requires tokens.cookies.secure, or browsers drop the cookie'
      : 'tokens.cookies.access: __Host- allows no domain and no path other than /, or browsers drop the cookie; ' +
        'use __Secure-'
  ]),
  [
    { tokens: { cookies: { refresh: '__Secure-auth', secure: false } } },
    'tokens.cookies.refresh: __Secure- requires tokens.cookies.secure, or browsers drop the cookie'
  ],
  ...['__HOST-auth', '__host-auth', '__secure-auth'].map((value): [object, string] => [
    { tokens: { cookies: { access: value } } },
    'tokens.cookies.access: must spell its prefix exactly __Host- or __Secure-'
  ]),
  [{ tokens: { csrf: { origins: [] } } }, 'tokens.csrf: has no effect without tokens.cookies'],
  [
    { tokens: { cookies: {}, csrf: { origin: [] } } },
    'tokens.csrf.origin: unknown option; did you mean tokens.csrf.origins?'
  ],
  [{ tokens: { cookies: {}, csrf: 'yes' } }, 'tokens.csrf: must be true or false or an object'],
  ...[
    'app.example', 'https://app.example/', 'https://app.example/path', 'https://*.example',
    'https://App.example', 'https://app.example:443', 'https://', 'null', '*', 'https://eve@app.example',
    'https://app.example?x'
  ].map((value): [object, string] => [
    { tokens: { cookies: {}, csrf: { origins: ['https://front.example', value] } } },
    'tokens.csrf.origins[1]: must be an origin such as https://app.example'
  ]),

  [
    { urls: { emailConfirmation: 'https://app.example/confirm' } },
    'urls.emailConfirmation: must contain {key}, or the mailed link would lead nowhere'
  ],
  [
    { urls: { passwordReset: 'https://app.example/reset?token={token}' } },
    'urls.passwordReset: must contain {uid}, or the mailed link would lead nowhere'
  ],
  [
    { urls: { passwordReset: 'https://app.example/reset/{uid}' } },
    'urls.passwordReset: must contain {token}, or the mailed link would lead nowhere'
  ],
  [
    { urls: { passwordReset: 'https://app.example/{uid}/{tokn}/{token}' } },
    'urls.passwordReset: unknown placeholder {tokn}; use {uid} and {token}'
  ],
  [{ urls: { login: 'https://app.example/{uid}' } }, 'urls.login: unknown placeholder {uid}'],
  ...[
    'login', '//evil.example', '/\\evil.example', 'javascript:alert(1)', 'https:evil', 'https:/evil',
    'data:text/html,x', '/a b', '', 'https://a b/'
  ].map((value): [object, string] => [
    { urls: { login: value } },
    value === ''
      ? 'urls.login: must be a non-empty string'
      : 'urls.login: must be an address such as https://app.example/login, or a path such as /login'
  ]),
  ...['/confirm/{key}', 'javascript://x/{key}', 'app.example/{key}'].map((value): [object, string] => [
    { urls: { emailConfirmation: value } },
    'urls.emailConfirmation: must be an address such as https://app.example/page'
  ]),
  [{ site: { domain: 'https://app.example' } }, 'site.domain: must be a host name such as app.example'],
  [{ site: { name: '' } }, 'site.name: must be a non-empty string'],
  ...['smtp', 'http://app.example', 'smtp://'].map((value): [object, string] => [
    { mail: { transport: value } },
    "mail.transport: must be 'console', an smtp:// or smtps:// URL (with its password percent-encoded), " +
    "nodemailer's options, transporter or plugin, or a function"
  ]),
  ...[7, []].map((value): [object, string] => [
    { mail: { transport: value } },
    "mail.transport: must be 'console', an SMTP URL, nodemailer options or transport, or a function"
  ]),
  [
    { mail: { from: 'a@b.co, c@d.co' } },
    'mail.from: must be one address such as noreply@app.example or App <noreply@app.example>'
  ],
  [{ mail: { subjectPrefix: 'a\nBcc: evil@x.y' } }, 'mail.subjectPrefix: must be one line of text'],
  [
    { mail: { variables: { activate_url: 'x' } } },
    'mail.variables.activate_url: the name is reserved by the plugin; choose another'
  ],
  [
    { mail: { variables: { 'a-b': 'x' } } },
    'mail.variables.a-b: the name must contain only letters, digits and _, and must not start with a digit'
  ],
  [{ mail: { filters: { shout: 'x' } } }, 'mail.filters.shout: must be a function'],
  [
    { mail: { filters: { upcase: () => '' } } },
    'mail.filters.upcase: Liquid has a filter of this name; choose another'
  ],
  [{ mail: { tags: { if: () => '' } } }, 'mail.tags.if: Liquid has a tag of this name; choose another'],
  [{ mail: { templates: '/no/such/folder' } }, 'mail.templates: there is no folder /no/such/folder to read (ENOENT)'],

  [{ password: { minLength: 4 } }, 'password.minLength: must be a whole number from 8 to 128'],
  [
    { password: { hash: { memoryCost: 1024 } } },
    'password.hash.memoryCost: must be a whole number from 19456 to 1048576'
  ],
  [{ password: { hash: { timeCost: 1 } } }, 'password.hash.timeCost: must be a whole number from 2 to 20'],
  [{ password: { validators: ['zxcvbn'] } }, 'password.validators[0]: must be a function'],
  [{ hooks: { registered: 'log' } }, 'hooks.registered: must be a function'],

  [{ social: [] }, 'social: must be an object'],
  [{ social: { google: 'x' } }, 'social.google: must be an object'],
  [social({ clientId: undefined }), 'social.google.clientId: must be a non-empty string'],
  [
    social({ clientSecret: undefined }),
    'social.google.clientSecret: must be a string or, for apple, { teamId, keyId, privateKey }'
  ],
  [
    social({ clientSecret: { teamId: 'x', keyId: 'y' } }),
    'social.google.clientSecret.privateKey: must be a non-empty string'
  ],
  [
    social({ clientsecret: 'x' }),
    'social.google.clientsecret: unknown option; did you mean social.google.clientSecret?'
  ],
  [
    social({ callbackUrl: '/auth/google/callback' }),
    'social.google.callbackUrl: must be an address such as https://app.example/auth/google/callback, or postmessage'
  ],
  [social({ scopes: 'email' }), 'social.google.scopes: must be a list, each item a non-empty string'],
  [social({ trustEmail: 'app.example' }), 'social.google.trustEmail: must be true, false or a list of domains'],
  [social({ issuer: 'login.example' }), 'social.google.issuer: must be an address such as https://login.example'],
  [social({ provider: 'google' }), 'social.google.provider: must be a provider, see docs/own-provider.md'],

  [{ account: { username: 'yes' } }, 'account.username: must be "none", "optional" or "required"'],
  [{ account: { registration: 'invite' } }, 'account.registration: must be "open", "closed" or a function'],
  [
    { account: { emailVerification: 'always' } },
    'account.emailVerification: must be "mandatory", "optional" or "none"'
  ],
  [
    {
      account: { emailVerification: 'mandatory', email: 'optional', username: 'required', loginMethods: ['username'] }
    },
    "account.emailVerification: 'mandatory' requires account.email 'required', or users without an address can't log in"
  ],
  ...[29, 86401, 0, -1, 60.5, '60'].map((value): [object, string] => [
    { account: { resendInterval: value } },
    'account.resendInterval: must be a whole number from 30 to 86400'
  ]),
  ...Object.entries({
    confirmEmailOnGet: true, loginOnEmailConfirmation: true, resendInterval: 60
  }).map(([option, value]): [object, string] => [
    { account: { emailVerification: 'none', [option]: value } },
    `account.${option}: has no effect when account.emailVerification is 'none'`
  ]),
  [
    { account: { loginMethods: [] } },
    'account.loginMethods: must be a non-empty list without duplicates, each item "email" or "username"'
  ],
  [
    { account: { loginMethods: ['email', 'email'] } },
    'account.loginMethods: must be a non-empty list without duplicates, each item "email" or "username"'
  ],
  [{ account: { loginMethods: ['phone'] } }, 'account.loginMethods[0]: must be "email" or "username"'],
  [{ account: { usernameMinLength: 0 } }, 'account.usernameMinLength: must be a whole number from 1 to 150'],
  [{ account: { usernameBlocklist: [''] } }, 'account.usernameBlocklist[0]: must be a non-empty string'],
  [
    { account: { loginMethods: ['username'] } },
    "account.loginMethods: 'username' requires account.username 'required' or 'optional'"
  ],
  [
    { account: { email: 'optional' } },
    "account.email: 'optional' requires 'username' in account.loginMethods, or users without an address can't log in"
  ],
  [
    { account: { email: 'optional', username: 'optional', loginMethods: ['email', 'username'] } },
    "account.email: 'optional' requires account.username 'required', or users could have neither"
  ],
  [
    { account: { username: 'optional', loginMethods: ['username'] } },
    "account.username: 'optional' requires 'email' in account.loginMethods, or users without a username can't log in"
  ],
  [
    { account: { usernameBlocklist: ['admin'] } },
    "account.usernameBlocklist: has no effect when account.username is 'none'"
  ],
  [
    { account: { usernameMinLength: 3 } },
    "account.usernameMinLength: has no effect when account.username is 'none'"
  ],

  [{ userFields: { phone: Type.String() } }, 'userFields.phone.schema: must be a TypeBox schema such as Type.String()'],
  [{ userFields: { phone: 'string' } }, 'userFields.phone: must be an object'],
  [{ userFields: [] }, 'userFields: must be an object'],
  [field('string'), 'userFields.phone.schema: must be a TypeBox schema such as Type.String()'],
  [field(Type.Any()), otherKind('Any')],
  [field(Type.Date()), otherKind('Date')],
  [field(Type.Null()), otherKind('Null')],
  [field(Type.Union([Type.String(), Type.Null()])), otherKind('Union')],
  [field(Type.Union([Type.Literal('1'), Type.Literal(2)])), otherKind('Union')],
  [field(Type.Union([Type.Literal('1'), Type.Null()])), otherKind('Union')],
  [field(Type.Union([Type.Object({}), Type.String()])), otherKind('Union')],
  [field({}), otherKind('this')],
  [
    field(Type.String(), { userDetails: 'readonly' }),
    'userFields.phone.userDetails: must be "editable", "read-only" or "hidden"'
  ],
  [
    field(Type.String(), { registration: 'no' }),
    'userFields.phone.registration: must be "required", "optional" or "hidden"'
  ],
  [field(Type.String(), { unique: 'yes' }), 'userFields.phone.unique: must be true or false'],
  [field(Type.String(), { column: '1st' }), 'userFields.phone.column: must be a name such as phone_number'],
  [
    field(Type.String(), { column: 'x"; DROP TABLE users; --' }),
    'userFields.phone.column: must be a name such as phone_number'
  ],
  [
    field(Type.String(), { column: 'password_hash' }),
    'userFields.phone.column: the name "password_hash" is reserved; choose another'
  ],
  [
    field(Type.String(), { column: 'XMIN' }),
    'userFields.phone.column: the name "XMIN" is reserved; choose another'
  ],
  [
    { userFields: { a: { schema: Type.String(), column: 'B' }, b: { schema: Type.String() } } },
    'userFields.b.column: "b" is already the column of another field'
  ],
  [withName('ctid'), 'userFields.ctid.column: the name "ctid" is reserved; choose another'],
  [
    field(Type.String({ format: 'decimal', maxLength: 1001 })),
    'userFields.phone.schema.maxLength: a decimal has at most 1000 characters'
  ],
  [field(Type.String(), { normalize: 'trim' }), 'userFields.phone.normalize: must be a function'],
  [field(Type.Object({}), { unique: true }), "userFields.phone.unique: objects and lists can't be unique"],
  [
    field(Type.String({ maxLength: 601 }), { unique: true }),
    'userFields.phone.unique: requires a maxLength of at most 600'
  ],
  [
    field(Type.String({ pattern: '(' })),
    'userFields.phone.schema: Invalid regular expression: /(/u: Unterminated group'
  ],
  [
    field(Type.String({ format: 'telephone' })),
    'userFields.phone.schema: unknown format "telephone" at path "#/properties/phone"'
  ],
  [
    field(Type.String({ minLength: -1 })),
    'userFields.phone.schema: schema is invalid: data/properties/phone/minLength must be >= 0'
  ],
  ...(['registration', 'userDetails', 'unique', 'column', 'normalize', 'stored'] as const).map(
    (option): [object, string] => [
      field(Type.String(), { compute: () => '', [option]: valueOfOption[option] }),
      `userFields.phone.${option}: conflicts with compute, which alone gives the field its value`
    ]
  ),
  [
    field(Type.String({ default: '' }), { compute: () => '' }),
    'userFields.phone.schema.default: conflicts with compute, which alone gives the field its value'
  ],
  [field(Type.String(), { compute: 'now' }), 'userFields.phone.compute: must be a function'],
  [field(Type.String(), { stored: 'no' }), 'userFields.phone.stored: must be true or false'],
  [
    field(Type.String(), { eager: true }),
    'userFields.phone.eager: requires compute; a stored field is always in request.user'
  ],
  ...(['userDetails', 'unique', 'column'] as const).map((option): [object, string] => [
    field(Type.String(), { stored: false, [option]: valueOfOption[option] }),
    `userFields.phone.${option}: conflicts with stored: false, which leaves no value to show or compare`
  ]),
  [
    field(Type.String(), { stored: false, registration: 'hidden' }),
    'userFields.phone.registration: conflicts with stored: false: nothing would ask for the value'
  ],
  [
    field(Type.String({ format: 'telephone' }), { compute: () => '' }),
    'userFields.phone.schema: unknown format "telephone" at path "#"'
  ],
  [field(Type.Any(), { compute: () => '' }), otherKind('Any')],
  [field(Type.Any(), { stored: false }), otherKind('Any')],
  [
    field(Type.Integer({ default: 'none' }), { stored: false }),
    'userFields.phone.schema.default: must match the schema'
  ],
  [field(Type.Integer({ default: 'none' })), 'userFields.phone.schema.default: must match the schema'],
  [field(Type.String({ maxLength: 3, default: 'none' })), 'userFields.phone.schema.default: must match the schema'],
  ...[
    'password', 'id', 'pk', 'email', 'is_active', 'isActive', 'password_hash', 'username', 'user',
    'constructor', 'prototype', 'hasOwnProperty', 'isPrototypeOf',
    'toString', 'then'
  ].map((name): [object, string] => [withName(name), taken(name)]),
  ...['__proto__', 'first-name', '1st', 'a b', 'naïve', '', 'x'.repeat(64), 'a"b', 'a;--'].map(
    (name): [object, string] => [
      withName(name),
      `userFields.${name}: the name must start with a letter and contain only letters, digits and _ (63 characters ` +
      'at most)'
    ]
  )
]

t.test('every invalid option is refused with one line: its path, and what it must be', async t => {
  for (const [options, line] of refusals) t.equal(await refusal(t, options), `fastify-rest-auth: ${line}`)
})

t.test('an error message never contains a secret or a database password', async t => {
  const hidden = 'tops3cret'
  const wrong = [
    { secret: hidden },
    { secret: [secret, hidden] },
    { secret: { hidden } },
    { secret: [[hidden]] },
    { publicUrl: `https://eve:${hidden}@app.example` },
    { tokens: { algorithm: 'EdDSA', keys: [hidden] } },
    { tokens: { algorithm: 'ES256', keys: [{ ...ec, d: hidden }] } },
    { tokens: { algorithm: 'EdDSA', keys: [`{"d":"${hidden}"`] } },
    { tokens: { algorithm: 'EdDSA', keys: [{ ...ed, use: hidden }] } },
    { tokens: { algorithm: 'EdDSA', keys: [{ ...ec, alg: 'EdDSA' }] } },
    { tokens: { keys: [ed] } },
    { social: { google: { clientId: 'x', clientSecret: [hidden] } } },
    { social: { apple: { clientId: 'x', clientSecret: { teamId: 'x', privateKey: hidden } } } },
    { database: `mysql://root:${hidden}@127.0.0.1/x` },
    { database: `postgres://postgres:${hidden}@127.0.0.1:9/x`, migrate: true },
    { database: { password: hidden } }
  ]
  for (const options of wrong) {
    const line = await refusal(t, options)
    t.not(line, 'it started', JSON.stringify(options))
    t.notMatch(line, hidden)
    for (const one of [secret, ed.d, ec.d]) t.notOk(line.includes(String(one)))
  }
})

t.test('every route has a reserved path, which the documentation cannot use', async t => {
  const { app } = await start(t, {
    ...minimal,
    ...social({}),
    docs: false,
    account: { emailVerification: 'mandatory' },
    tokens: { algorithm: 'EdDSA', keys: [ed] }
  })
  const paths = Object.keys(app.restAuth.openapi().paths as object)
  t.ok(paths.includes('/auth/google/callback') && paths.includes('/auth/.well-known/jwks.json'))
  t.same(paths.filter(path => !isOwnPath(path, '/auth', ['google'])), [])
})

t.test('an unsupported or unreachable database is reported under its option', async t => {
  const choices =
    'database: give a SQLite file, a postgres:// URL, or a Drizzle instance on better-sqlite3 or PostgreSQL'
  for (const database of [{}, { client: 1 }, 'mysql://root@127.0.0.1/x', 'file:///tmp/x.sqlite', 'redis://127.0.0.1']) {
    t.equal(await refusal(t, { database }), `fastify-rest-auth: ${choices}`)
  }
  t.match(
    await refusal(t, { database: join(temporaryFile(t), 'nowhere', 'auth.sqlite') }),
    /^fastify-rest-auth: database: .*directory does not exist/
  )
  const started = performance.now()
  t.match(
    await refusal(t, { database: 'postgres://postgres@127.0.0.1:9/x' }),
    /^fastify-rest-auth: database: .*ECONNREFUSED/
  )
  // On a busy machine even a refused connection takes a while; one that is tried again and again never ends.
  t.ok(performance.now() - started < 60_000, 'at once')
})

t.test('registering the published plugin rejects with the error message', async t => {
  const app = Fastify(patient)
  t.teardown(() => app.close())
  await t.rejects(async () => await app.register(restAuth, { ...minimal, prefix: 'auth' }), {
    message: 'fastify-rest-auth: prefix: must be a path such as /auth'
  })
})

t.test('without options, it runs in development: with a SQLite file, a random secret and a warning', async t => {
  const here = process.cwd()
  process.chdir(join(temporaryFile(t), '..'))
  t.teardown(() => process.chdir(here))
  const { app, log } = await start(t)
  t.match(log.join(''), 'secret is not set; using a random one')
  const registered = await app.inject({
    method: 'POST',
    url: '/auth/registration',
    payload: { email: 'alice@example.com', password1: 'Sup3r-secret-pw' }
  })
  t.equal(registered.statusCode, 201)
  const { access, user } = registered.json()
  t.same(Object.keys(user), ['pk', 'email', 'first_name', 'last_name'])
  const headers = { authorization: `Bearer ${access}` }
  t.equal((await app.inject({ url: '/auth/user', headers })).statusCode, 200)
  t.equal((await app.inject({ url: '/docs/json' })).statusCode, 200)
  await app.close()

  const { app: again } = await start(t)
  t.equal((await again.inject({ url: '/auth/user', headers })).statusCode, 401, 'after a restart the secret is another')
  const payload = { email: 'alice@example.com', password: 'Sup3r-secret-pw' }
  const login = await again.inject({ method: 'POST', url: '/auth/login', payload })
  t.equal(login.statusCode, 200, 'the users are kept')
})

t.test('access tokens that live over an hour are warned of at start', async t => {
  for (const [access, warned] of [[3600, false], [3601, true]] as const) {
    const { log } = await start(t, { ...minimal, tokens: { access } })
    t.equal(/tokens\.access is over an hour/.test(log.join('')), warned, String(access))
  }
})

t.test('valid options are accepted', async t => {
  const fine = [
    {},
    { publicUrl: 'https://app.example/' },
    { publicUrl: 'http://localhost:3000/base' },
    { prefix: '/api/v1/auth' },
    { secret: [secret] },
    { docs: '/api-docs' },
    { docs: '/auth/google' },
    { ...social({}), docs: '/auth/googles' },
    { docs: '/authors/login' },
    { errors: 'drf' },
    { userFields: {} },
    { hooks: {} },
    { tokens: {} },
    { account: { username: 'required', loginMethods: ['username'] } },
    { account: { username: 'required', email: 'optional', loginMethods: ['email', 'username'] } },
    { account: { registration: () => true } },
    { tokens: { cookies: false, csrf: true } },
    { tokens: { cookies: false, csrf: false } },
    { tokens: { cookies: {}, csrf: { origins: ['https://front.example', 'http://localhost:5173'] } } },
    {
      tokens: {
        cookies: {
          access: 'my-app-auth',
          refresh: 'my-refresh-token',
          secure: false,
          sameSite: 'lax',
          domain: '.example.com',
          path: '/dj-rest-auth/'
        },
        csrf: false
      }
    },
    { tokens: { cookies: { access: '__Secure-a', refresh: '__Host-b' } } },
    { tokens: { refresh: { idle: 3600, absolute: 3600 } } },
    { password: { minLength: 15, validators: [() => true] } },
    { tokens: { refresh: { idle: 3600, absolute: 3600 }, refreshGrace: 0 } },
    { password: { minLength: 15, validators: [() => true] } },
    field(Type.Optional(Type.Integer({ minimum: 0, maximum: 1e30, default: 0 }))),
    field(Type.String({ pattern: '^[+\\d]*$' })),
    field(Type.Optional(Type.String({ format: 'date-time' }))),
    field(Type.Enum({ A: 'a', B: 'b' })),
    field(Type.Literal('a')),
    field(Type.Record(Type.String(), Type.Integer())),
    field(Type.String({ maxLength: 600 }), { unique: true, column: 'phone_number' })
  ]
  for (const options of fine) {
    await t.resolves(start(t, { ...minimal, docs: false, ...options }), JSON.stringify(options))
  }
})

t.test('trailing slashes of publicUrl are removed', async t => {
  const { app } = await start(t, { ...minimal, publicUrl: 'https://app.example///', docs: false })
  const payload = { email: 'alice@example.com', password1: 'Sup3r-secret-pw' }
  const { access } = (await app.inject({ method: 'POST', url: '/auth/registration', payload })).json()
  const claims = JSON.parse(Buffer.from(String(access).split('.')[1] ?? '', 'base64url').toString()) as object
  t.match(claims, { iss: 'https://app.example', aud: 'https://app.example/auth' })
})

t.test('in production', async t => {
  inProduction(t)
  const safe = { ...minimal, publicUrl: 'https://app.example', mail: { transport: async () => {} } }

  await t.test('a secret and an https address are required', async t => {
    t.equal(
      await refusal(t, { ...safe, secret: undefined }),
      'fastify-rest-auth: secret: is required in production; generate one with: npx fastify-rest-auth secret'
    )
    t.equal(
      await refusal(t, { ...safe, publicUrl: undefined }),
      'fastify-rest-auth: publicUrl: is required in production, such as https://app.example'
    )
    t.equal(
      await refusal(t, { ...safe, publicUrl: 'http://app.example' }),
      'fastify-rest-auth: publicUrl: must be https in production'
    )
    t.equal(await refusal(t, { ...safe, secret: 'x' }), `fastify-rest-auth: ${weak('is shorter than 32 bytes')}`)
  })

  await t.test('with both, it starts without a warning, and without documentation unless docs is set', async t => {
    const { app, log } = await start(t, safe)
    t.same(log, [])
    for (const url of ['/docs', '/docs/', '/docs/json', '/docs/yaml']) {
      t.equal((await app.inject({ url })).statusCode, 404, url)
    }
    t.equal((await app.inject({ method: 'POST', url: '/auth/login', payload: {} })).statusCode, 400)
    const { app: documented } = await start(t, { ...safe, docs: '/docs' })
    t.equal((await documented.inject({ url: '/docs/json' })).statusCode, 200)
    t.equal((await documented.inject({ url: '/docs/mail' })).statusCode, 404, 'the mail viewer is never served')
  })

  await t.test('cookies must be secure, and trusted origins https', async t => {
    t.equal(
      await refusal(t, { ...safe, tokens: { cookies: { secure: false } } }),
      'fastify-rest-auth: tokens.cookies.secure: must be true in production'
    )
    t.equal(
      await refusal(t, { ...safe, tokens: { cookies: {}, csrf: { origins: ['http://front.example'] } } }),
      'fastify-rest-auth: tokens.csrf.origins[0]: must be https in production'
    )
    const { log } = await start(t, { ...safe, tokens: { cookies: {}, csrf: { origins: ['https://front.example'] } } })
    t.same(log, [])
  })

  await t.test('mails cannot go to the console, and links must be https', async t => {
    t.equal(
      await refusal(t, { ...safe, mail: {} }),
      "fastify-rest-auth: mail.transport: 'console' is not allowed in production, because it prints links that open " +
      'accounts; set an SMTP URL such as smtps://user:password@smtp.example'
    )
    t.equal(
      await refusal(t, { ...safe, urls: { login: 'http://app.example/login' } }),
      'fastify-rest-auth: urls.login: must be https in production'
    )
  })
})

t.test('without NODE_ENV, the mail viewer is served only if publicUrl is local', async t => {
  const viewer = async (publicUrl?: string) =>
    (await (await start(t, { ...minimal, publicUrl })).app.inject('/docs/mail')).statusCode
  for (const url of ['https://app.example', 'https://localhost.app.example/base']) t.equal(await viewer(url), 404, url)
  for (const url of ['https://localhost:3000', 'https://127.0.0.1', 'http://192.168.1.5:3000', undefined]) {
    t.equal(await viewer(url), 200, url ?? 'no publicUrl')
  }
})
