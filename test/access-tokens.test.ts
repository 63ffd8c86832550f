/** Access tokens are accepted only if signed by this registration of the plugin, unexpired and of a live session. */
import { randomBytes, createPublicKey, type KeyObject } from 'node:crypto'
import fp from 'fastify-plugin'
import { keyId } from '../src/lib/secrets.js'
import { createPlugin } from '../src/plugin.js'
import { codeOf } from './support/answers.js'
import {
  encode, everyAlgorithm, generate, hs256, open, parse, schemes, signature, without, type Json, type Scheme
} from './support/forgery.js'
import { alice, articleOptions, cheapHash, password, secret, sqliteBuild, story, t } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { processorMs } from './support/processor-time.js'

const { forge } = hs256

everyAlgorithm('access tokens are RFC 9068 JWTs with exactly nine claims', async (t, build, { algorithm, forge }) => {
  const { get, register } = await build(t)
  const { access, user } = await register()
  const { header, claims } = open(access)
  t.match(header, { alg: algorithm, typ: 'at+jwt', kid: algorithm === 'HS256' ? /^[\w-]{8}$/ : /^[\w-]{43}$/ })
  t.strictSame(Object.keys(header).sort(), ['alg', 'kid', 'typ'])
  t.match(claims, {
    iss: 'http://localhost:3000',
    aud: 'http://localhost:3000/auth',
    sub: user.pk,
    sid: /^[\w-]{36}$/,
    jti: /^[\w-]{36}$/
  })
  t.strictSame(Object.keys(claims).sort(), ['amr', 'aud', 'auth_time', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub'])
  t.equal(Number(claims.exp) - Number(claims.iat), 300)
  // The forgeries of the other tests are then refused only for what is wrong with them.
  t.equal((await get('/user', { token: forge(header, claims) })).statusCode, 200)
  for (const typ of ['AT+JWT', 'application/at+jwt']) {
    t.equal(
      (await get('/user', { token: forge({ ...header, typ }, claims) })).statusCode, 200, `${typ} is the same type`
    )
  }
})

everyAlgorithm('only the configured algorithm and key are valid, whatever a header says', async (t, build, scheme) => {
  const { forge, algorithm } = scheme
  const { get, register } = await build(t)
  const { access } = await register()
  const { header, claims, input } = open(access)
  const none = ['none', 'None', 'NONE', 'nOnE', '', 'null'].flatMap(alg => [
    `${encode({ ...header, alg })}.${encode(claims)}.`, `${encode({ ...header, alg })}.${encode(claims)}`,
    forge({ ...header, alg }, claims)
  ])
  const otherNames = [
    `${algorithm} `, ` ${algorithm}`, algorithm.toLowerCase(), [algorithm], { alg: algorithm }, null, 0, true, 'HMAC',
    'Ed25519', 'HS257', `${algorithm}\0`, `${algorithm}\n`
  ].map(alg => forge({ ...header, alg }, claims))
  const otherHashes = [
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['HS256', 'sha512'],
    ['HS256', 'sha1'],
    ['HS512', 'sha256']
  ].map(([alg, hash]) => forge({ ...header, alg }, claims, secret, hash))
  const embedded = [{ jwk: { kty: 'oct', k: encode('x') } }, { jku: 'http://127.0.0.1:9/' }].map(extra =>
    forge({ ...header, alg: 'HS256', ...extra }, claims, 'x')
  )
  const otherKeys = [
    '', 'x', secret.slice(1), `${secret} `, secret.toUpperCase(), Buffer.from(secret, 'base64'), String(header.kid),
    randomBytes(32)
  ].map(key => forge({ ...header, alg: 'HS256' }, claims, key))
  const unsigned = [
    `${input}.`, input, `${input}..`, `.${input}`, `${input}.${'A'.repeat(43)}`, `${input}.${'A'.repeat(86)}`
  ]
  for (const token of [
    ...none, ...otherNames, ...otherHashes, ...ofStrangers(scheme, header, claims), ...confused(scheme, header, claims),
    ...embedded, ...otherKeys, ...unsigned
  ]) {
    const answer = await get('/user', { token })
    t.ok(
      ['401 token_not_valid', '401 bad_authorization_header'].includes(codeOf(answer)),
      `${Buffer.from(token.split('.')[0] ?? '', 'base64url').toString().slice(0, 80)} → ${answer.body.slice(0, 200)}`
    )
  }
  t.equal((await get('/user', { token: access })).statusCode, 200)
})

/** Signed by keys that the token itself carries or links to. */
function ofStrangers ({ forge }: Scheme, header: Json, claims: Json): string[] {
  return (['RS256', 'ES256', 'EdDSA'] as const).flatMap(alg => {
    const privateKey = generate(alg)
    const publicKey = createPublicKey(privateKey)
    const jwk = publicKey.export({ format: 'jwk' })
    const signed = (extra: Json) => {
      const text = `${encode({ ...header, alg, ...extra })}.${encode(claims)}`
      return `${text}.${signature(text, privateKey)}`
    }
    return [
      signed({}),
      signed({ jwk }),
      signed({ jwk, kid: undefined }),
      signed({ jku: 'http://127.0.0.1:9/jwks' }),
      signed({ x5u: 'http://127.0.0.1:9/cert' }),
      signed({ x5c: ['MIIB'] }),
      ...spellings(publicKey).flatMap(text => [
        forge({ ...header, alg: 'HS256' }, claims, text), forge({ ...header, alg }, claims, text)
      ])
    ]
  })
}

/** Algorithm confusion: signed with a public value, or by the right key under another name; none exist for HS256. */
function confused ({ forge, privateKey, algorithm }: Scheme, header: Json, claims: Json): string[] {
  if (!privateKey) return []
  const byPublicKey = spellings(createPublicKey(privateKey)).flatMap(text =>
    [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
      [algorithm, 'sha256']
    ].map(([alg, hash]) => forge({ ...header, alg }, claims, text, hash))
  )
  const bySecret = [header.kid, keyId(secret), undefined].map(kid =>
    forge({ ...header, alg: 'HS256', kid }, claims, secret)
  )
  const relabelled = ['ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'Ed25519', 'RS256', 'PS256', 'HS256']
    .filter(alg => alg !== algorithm)
    .map(alg => forge({ ...header, alg }, claims))
  const text = `${encode({ ...header, alg: 'ES384' })}.${encode(claims)}`
  return [
    ...byPublicKey, ...bySecret, ...relabelled,
    `${text}.${signature(text, privateKey, algorithm === 'ES256' ? 'sha384' : null)}`
  ]
}

/** The classic confusion is a public key's text as an HMAC secret: in every spelling. */
function spellings (publicKey: KeyObject): Array<string | Buffer> {
  const [text, jwk] = [pem(publicKey), publicKey.export({ format: 'jwk' })]
  return [
    text, ` ${text}`, `\n${text}`, `\ufeff${text}`, text.trim(), text.replaceAll('\n', '\r\n'),
    text.replaceAll('\n', ''), publicKey.export({ type: 'spki', format: 'der' }), JSON.stringify(jwk),
    JSON.stringify({ keys: [jwk] }), Buffer.from(jwk.x ?? jwk.n ?? '', 'base64url'), String(jwk.x ?? jwk.n)
  ]
}

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

everyAlgorithm('a wrong type, issuer, audience or claim makes a token invalid', async (t, build, { forge }) => {
  const { get, register, clock } = await build(t)
  const { header, claims } = open((await register()).access)
  const others: unknown[] = [null, true, 0, '', [], {}, ['x'], { x: 1 }]
  const isPossible = (name: string, value: unknown) =>
    (['iat', 'auth_time'].includes(name) && value === 0) || (name === 'amr' && Array.isArray(value))
  const headers: Json[] = [
    ...['JWT', 'jwt', 'at', 'refresh+jwt', 'id+jwt', 'at+jwt ', 'text/at+jwt', '', null, 7, ['at+jwt']].map(typ => ({
      ...header,
      typ
    })),
    without(header, 'typ'),
    without(header, 'alg'),
    without(header, 'kid'),
    { ...header, crit: ['exp'] },
    { ...header, crit: ['b64'], b64: false },
    { ...header, crit: [] },
    { ...header, crit: 'x' },
    { ...header, crit: null },
    { ...header, crit: ['x'], x: 1 }
  ]
  for (const forged of headers) {
    t.equal(codeOf(await get('/user', { token: forge(forged, claims) })), '401 token_not_valid', JSON.stringify(forged))
  }

  const now = clock.now.getTime() / 1000
  const bodies: Json[] = [
    ...Object.keys(claims).filter(name => !['amr', 'auth_time'].includes(name)).map(name => without(claims, name)),
    ...Object.keys(claims).flatMap(name =>
      others.filter(value => !isPossible(name, value)).map(value => ({ ...claims, [name]: value }))
    ),
    ...['iss', 'aud', 'sub', 'sid', 'jti'].flatMap(name => [
      { ...claims, [name]: [claims[name]] },
      { ...claims, [name]: 'x'.repeat(300) }
    ]),
    ...['iss', 'aud'].flatMap(name =>
      [
        `${String(claims[name])}/`, `${String(claims[name])} `, String(claims[name]).toUpperCase(),
        'https://evil.example', '*'
      ].map(value => ({ ...claims, [name]: value }))
    ),
    { ...claims, aud: claims.iss },
    { ...claims, aud: [claims.aud, 'https://evil.example'] },
    ...['exp', 'iat'].flatMap(name =>
      [String(claims[name]), Number(claims[name]) + 0.5, '1e99'].map(value => ({ ...claims, [name]: value }))
    ),
    { ...claims, iat: now + 6 },
    { ...claims, iat: now + 3600 },
    { ...claims, nbf: 4102444800 },
    { ...claims, nbf: '0' },
    { ...claims, nbf: null }
  ]
  for (const body of bodies) {
    const code = codeOf(await get('/user', { token: forge(header, body) }))
    // Zero is a time, and past.
    t.equal(code, body.exp === 0 ? '401 token_expired' : '401 token_not_valid', JSON.stringify(body).slice(0, 300))
  }
  for (const text of [
    '{"exp":1e999}', '[]', 'null', '"x"', '7', '', '{', '\ufeff{}', '{"__proto__":{"sub":"x"}}',
    JSON.stringify([claims])
  ]) {
    t.equal(codeOf(await get('/user', { token: forge(header, text) })), '401 token_not_valid', text)
    t.equal(codeOf(await get('/user', { token: forge(text, claims) })), '401 token_not_valid', `${text} as the header`)
  }
})

story('a token is valid until the second it expires; `iat` may be five seconds ahead', async (t, build) => {
  const { get, register, clock } = await build(t)
  const { access } = await register()
  const { header, claims } = open(access)
  const now = Number(claims.iat)
  t.equal((await get('/user', { token: forge(header, { ...claims, iat: now + 5 }) })).statusCode, 200)
  t.equal((await get('/user', { token: forge(header, { ...claims, exp: now + 1 }) })).statusCode, 200)
  t.equal(codeOf(await get('/user', { token: forge(header, { ...claims, exp: now }) })), '401 token_expired')
  clock.advance(299.999)
  t.equal((await get('/user', { token: access })).statusCode, 200)
  clock.advance(0.001)
  const answer = await get('/user', { token: access })
  t.equal(codeOf(answer), '401 token_expired')
  t.match(answer.headers['www-authenticate'], 'error="invalid_token"')
})

story('a session ends at its absolute age, even if its access token has a later `exp`', async (t, build) => {
  const { get, register, clock } = await build(t, { options: { tokens: { refresh: { idle: 60, absolute: 3600 } } } })
  const { header, claims } = open((await register()).access)
  const eternal = forge(header, { ...claims, exp: 99_999_999_999 })
  clock.advance(3599)
  t.equal((await get('/user', { token: eternal })).statusCode, 200)
  clock.advance(1)
  t.equal(codeOf(await get('/user', { token: eternal })), '401 token_not_valid')
})

everyAlgorithm(
  '`kid` only selects a key: SQL, paths, URLs and prototype properties in it are refused',
  async (t, build, { forge }) => {
    const { get, register } = await build(t)
    const { header, claims } = open((await register()).access)
    const kids = [
      "' OR 1=1--", "x' UNION SELECT 'x'--", '../../dev/null', '/dev/null', 'file:///dev/null', 'x'.repeat(10_000),
      '\0', `${String(header.kid)}\0`, '__proto__', 'constructor', 'toString', 'hasOwnProperty', '0', '', ' ', '|id',
      'http://127.0.0.1:9/', null, 0, [header.kid], { kid: header.kid }
    ]
    for (const kid of kids) {
      for (const key of [undefined, secret, '', 'x', '\0']) {
        t.equal(
          codeOf(await get('/user', { token: forge({ ...header, kid }, claims, key) })), '401 token_not_valid',
          `${JSON.stringify(kid)?.slice(0, 40)} with ${key?.slice(0, 1)}`
        )
      }
    }
  }
)

for (const { algorithm, options } of schemes) {
  t.test(`a token with one bit flipped or its end cut off is refused (${algorithm})`, async t => {
    const { app, register } = await sqliteBuild(t, { options })
    const { access } = await register()
    const statusOf = async (token: string) =>
      (await app.inject({ url: '/auth/user', headers: { authorization: `Bearer ${token}` } })).statusCode
    t.equal(await statusOf(access), 200)
    const { parts } = open(access)
    let flipped = 0
    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit += index === 1 ? 3 : 1) {
        const changed = Buffer.from(bytes)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const token = parts.map((one, place) => place === index ? changed.toString('base64url') : one).join('.')
        flipped++
        if (await statusOf(token) !== 401) t.fail(`bit ${bit} of part ${index}`)
      }
    }
    t.ok(flipped > 1000, `${flipped} bits`)
    for (let length = 0; length < access.length; length += 1) {
      if ((await statusOf(access.slice(0, length))) !== 401) t.fail(`cut to ${length}`)
    }
    // In base64url the last character of a signature has two spare bits (32 bytes) or four (64), which decoders ignore.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(access.at(-1) ?? '')
    for (let spare = 1; spare < (algorithm === 'HS256' ? 4 : 16); spare++) {
      t.equal(await statusOf(access.slice(0, -1) + alphabet[last ^ spare]), 401, 'one token, one spelling')
    }
  })
}

everyAlgorithm('anything but a compact JWS is refused without much work', async (t, build, { algorithm, forge }) => {
  const { get, register } = await build(t)
  const { access } = await register()
  const { parts: [header, claims, signature] } = open(access)
  const jwe = encode({ alg: 'dir', enc: 'A256GCM' })
  const bomb = encode({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2_147_483_647, p2s: 'x', zip: 'DEF' })
  const odd = [
    'x', '.', '..', '...', 'a.b', 'a.b.c', 'a.b.c.d.e', `${access}.`, `.${access}`, `${access}.x`, `${access}=`,
    `${access}==`, `${header}.${claims}.${signature}=`, `${header}=.${claims}.${signature}`, `${header}..${signature}`,
    `.${claims}.${signature}`, `${header}\t.${claims}.${signature}`, `${header}.${claims}.${signature}\u00e9`,
    access.replaceAll('-', '+').replaceAll('_', '/').replace(/\./, '..'), `"${access}"`,
    `{"payload":"${claims}","protected":"${header}","signature":"${signature}"}`,
    `${jwe}.${'a'.repeat(8)}.${'a'.repeat(16)}.${'a'.repeat(32)}.${'a'.repeat(16)}`, `${bomb}.a.b.c.d`,
    `${bomb}.${claims}.${signature}`, '.'.repeat(10_000), 'x'.repeat(50_000),
    `${header}.${'x'.repeat(50_000)}.${signature}`, `${'x'.repeat(50_000)}.${claims}.${signature}`,
    `${header}.${claims}.${signature.repeat(1200)}`,
    encode({ ...parse(header), x: 'x'.repeat(5000) }) + `.${claims}.${signature}`
  ]
  for (const token of odd) {
    const ms = await processorMs(async () => t.ok(
      ['401 token_not_valid', '401 bad_authorization_header'].includes(codeOf(await get('/user', { token }))),
      token.slice(0, 50)
    ))
    // Each takes a millisecond or two; the two thousand million rounds that one asks for would take minutes.
    t.ok(ms < 1000, `${ms} ms`)
  }
  t.equal(
    codeOf(await get('/user', { token: forge({ ...parse(header), alg: algorithm }, encode(access)) })),
    '401 token_not_valid', 'a token inside a token'
  )
})

story('the Authorization header is `Bearer` in any letter case, one space and a token', async (t, build) => {
  const { get, register } = await build(t)
  const { access } = await register()
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    t.equal((await get('/user', { headers: { authorization: `${scheme} ${access}` } })).statusCode, 200, scheme)
  }
  const malformed: Array<[value: string, code: string]> = [
    ['', '401 not_authenticated'],
    [' ', '401 not_authenticated'],
    [access, '401 not_authenticated'],
    [`Basic ${encode('alice@example.com:x')}`, '401 not_authenticated'],
    [`Token ${access}`, '401 not_authenticated'],
    [`JWT ${access}`, '401 not_authenticated'],
    [`Bearer\t${access}`, '401 not_authenticated'],
    [`Bearer,${access}`, '401 not_authenticated'],
    [`Bearer:${access}`, '401 not_authenticated'],
    [`"Bearer" ${access}`, '401 not_authenticated'],
    [`Bеarer ${access}`, '401 not_authenticated'],
    [`Bearer${access}`, '401 not_authenticated'],
    [`Basic x, Bearer ${access}`, '401 not_authenticated'],
    ['Bearer', '401 bad_authorization_header'],
    ['Bearer ', '401 bad_authorization_header'],
    [`Bearer  ${access}`, '401 bad_authorization_header'],
    [`Bearer ${access} x`, '401 bad_authorization_header'],
    [`bearer x ${access}`, '401 bad_authorization_header'],
    [`Bearer ${access}, Bearer ${access}`, '401 bad_authorization_header'],
    ['Bearer null', '401 token_not_valid'],
    ['Bearer undefined', '401 token_not_valid'],
    ['Bearer é😀', '401 token_not_valid'],
    [`Bearer ${access},`, '401 token_not_valid'],
    [`Bearer token=${access}`, '401 token_not_valid'],
    ['Bearer \u0000', '401 token_not_valid'],
    [`Bearer ${'a '.repeat(5000)}`, '401 bad_authorization_header']
  ]
  for (const [authorization, code] of malformed) {
    const answer = await get('/user', { headers: { authorization } })
    t.equal(codeOf(answer), code, authorization.slice(0, 30))
    t.match(
      answer.headers['www-authenticate'], /^Bearer realm="api"(, error="invalid_token")?$/,
      'the challenge repeats nothing of it'
    )
  }
  t.equal(
    (await get('/user', { headers: { authorization: ['Bearer x', `Bearer ${access}`] as unknown as string } }))
      .statusCode,
    401
  )
})

story('a token anywhere but in the Authorization header is ignored', async (t, build) => {
  const { call, get, register } = await build(t)
  const { header, claims } = open((await register()).access)
  // The app's log shows the URL of a request: no token that the test holds to be secret.
  const access = forge(header, { ...claims, jti: 'of-this-test' })
  t.equal((await get('/user', { token: access })).statusCode, 200)
  for (const query of [
    `?token=${access}`, `?access_token=${access}`, `?authorization=Bearer%20${access}`, `?jwt=${access}`
  ]) { t.equal(codeOf(await get(`/user${query}`)), '401 not_authenticated', query.slice(0, 15)) }
  for (const headers of [
    { cookie: `access=${access}; token=${access}; my-app-auth=${access}` },
    { 'x-access-token': access },
    { 'x-authorization': `Bearer ${access}` },
    { 'proxy-authorization': `Bearer ${access}` }
  ] as Array<Record<string, string>>) {
    t.equal(codeOf(await get('/user', { headers })), '401 not_authenticated', Object.keys(headers).join())
  }
  const body = { access, token: access, access_token: access, authorization: `Bearer ${access}` }
  t.equal(codeOf(await call('PATCH', '/user', { body: { ...body, gender: 'M' } })), '401 not_authenticated')
  t.equal(
    codeOf(
      await call('POST', '/password/change', {
        form: { ...body, old_password: password, new_password1: 'An0ther-secret-pw' }
      })
    ),
    '401 not_authenticated'
  )
})

story('a refresh token is not accepted as an access token, nor the reverse', async (t, build) => {
  const { get, post, register } = await build(t)
  const { access, refresh } = await register()
  t.equal(codeOf(await get('/user', { token: refresh })), '401 token_not_valid')
  t.equal(codeOf(await post('/token/refresh', { refresh: access })), '401 token_not_valid')
  t.equal((await get('/user', { token: access })).statusCode, 200)
  t.equal((await post('/logout', { refresh: access })).statusCode, 200)
  t.equal((await get('/user', { token: access })).statusCode, 401, 'but a logout ends the session of either')
})

story('secrets rotate: the first signs, the others verify, a removed one does not', async (t, build, { dialect }) => {
  const next = 'Zb7kQeR2nWx9LmT4vYc1HsJ6gPd8FaUo'
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const one = await build(t, file ? { options: { database: file } } : {})
  const { access: old } = await one.register()
  const database = file ?? one.database
  const [both, late] = [
    await build(t, { database, options: { secret: [next, secret] } }),
    await build(t, { database, options: { secret: next } })
  ]

  const { access: young } = (await both.post('/login', { email: alice.email, password })).json()
  t.not(open(young).header.kid, open(old).header.kid)
  t.equal((await both.get('/user', { token: old })).statusCode, 200)
  t.equal((await both.get('/user', { token: young })).statusCode, 200)
  t.equal((await late.get('/user', { token: young })).statusCode, 200)
  t.equal(codeOf(await late.get('/user', { token: old })), '401 token_not_valid')
  t.equal(codeOf(await one.get('/user', { token: young })), '401 token_not_valid')
  const { header, claims } = open(young)
  t.equal(
    codeOf(await both.get('/user', { token: forge(header, claims, secret) })), '401 token_not_valid',
    'a key verifies what names it, and nothing else'
  )
})

story('a token is valid only at the registration of the plugin that issued it', async (t, build, { dialect }) => {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const internals = { hashCost: cheapHash, clock: () => new Date('2026-11-23T12:00:00.000Z') }
  const { database, get, register } = await build(t, file ? { options: { database: file } } : {})
  const { access } = await register()
  t.equal((await get('/user', { token: access })).statusCode, 200)
  // The same users, the same secret: only the address differs.
  for (const options of [
    { prefix: '/staff' },
    { publicUrl: 'http://localhost:3001' },
    { publicUrl: 'http://localhost:3000/app' }
  ]) {
    const other = await build(t, { database: file ?? database, options })
    const path = `${'prefix' in options ? options.prefix : '/auth'}/user`
    const answer = await other.app.inject({ url: path, headers: { authorization: `Bearer ${access}` } })
    t.equal(codeOf(answer), '401 token_not_valid', JSON.stringify(options))
  }

  const place = file ?? database
  const twins = await build(t, {
    ...(file && { options: { database: file } }),
    database: file ?? database,
    after: async app => {
      await app.register(fp(createPlugin(internals)), {
        ...articleOptions,
        secret,
        database: { ...(typeof place === 'string' ? { url: place } : { drizzle: place }), share: true },
        prefix: '/staff',
        docs: false
      } as object)
    }
  })
  const ask = async (path: string, token: string) =>
    await twins.app.inject({ url: path, headers: { authorization: `Bearer ${token}` } })
  const { access: staff } = (
    await twins.app.inject({ method: 'POST', url: '/staff/login', payload: { email: alice.email, password } })
  ).json()
  t.equal((await ask('/auth/user', access)).statusCode, 200)
  t.equal((await ask('/staff/user', staff)).statusCode, 200)
  t.equal(codeOf(await ask('/staff/user', access)), '401 token_not_valid')
  t.equal(codeOf(await ask('/auth/user', staff)), '401 token_not_valid')
})

story('logout, a new password, deactivation and deletion take effect on the next request', async (t, build) => {
  const { app, get, patch, post, register } = await build(t)
  const { access, user } = await register()
  const login = async (): Promise<string> =>
    (await post('/login', { email: alice.email, password: current })).json().access
  let current = password
  const alive = async (token: string) => (await get('/user', { token })).statusCode === 200

  const phone = await login()
  await post('/logout', {}, { token: phone })
  t.equal(codeOf(await get('/user', { token: phone })), '401 token_not_valid')
  t.ok(await alive(access), 'the other device stays')

  const [laptop, tablet] = [await login(), await login()]
  await post('/password/change', { old_password: password, new_password1: 'An0ther-secret-pw' }, { token: laptop })
  current = 'An0ther-secret-pw'
  t.ok(await alive(laptop), 'the session that changed the password stays')
  for (const token of [access, tablet]) {
    t.equal(codeOf(await get('/user', { token })), '401 token_not_valid')
    t.equal(codeOf(await patch('/user', { gender: 'M' }, { token })), '401 token_not_valid')
    t.equal(
      codeOf(await post('/password/change', { old_password: current, new_password1: password }, { token })),
      '401 token_not_valid'
    )
  }

  await app.restAuth.users.deactivate(user.pk)
  t.equal(codeOf(await get('/user', { token: laptop })), '401 user_inactive')
  await app.restAuth.users.activate(user.pk)
  t.equal(codeOf(await get('/user', { token: laptop })), '401 token_not_valid', 'its sessions do not come back')

  const [session, other] = [await login(), await login()]
  await app.restAuth.sessions.end(String(open(other).claims.sid))
  t.equal(codeOf(await get('/user', { token: other })), '401 token_not_valid')
  await app.restAuth.users.delete(user.pk)
  t.equal(codeOf(await get('/user', { token: session })), '401 user_not_found')
})

story('even with a valid signature, a token cannot combine one user with another user\'s session', async (t, build) => {
  const { get, register } = await build(t)
  const [first, second] = [open((await register()).access), open((await register({ email: 'bob@example.com' })).access)]
  t.equal(
    codeOf(await get('/user', { token: forge(first.header, { ...first.claims, sid: second.claims.sid }) })),
    '401 token_not_valid'
  )
  t.equal(
    codeOf(await get('/user', { token: forge(first.header, { ...first.claims, sub: second.claims.sub }) })),
    '401 token_not_valid'
  )
  t.equal(
    codeOf(await get('/user', { token: forge(first.header, { ...first.claims, sub: 'nobody' }) })), '401 user_not_found'
  )
  t.equal(
    codeOf(await get('/user', { token: forge(first.header, { ...first.claims, sub: "' OR ''='" }) })),
    '401 user_not_found'
  )
})

story('concurrent requests never see each other\'s user', async (t, build) => {
  const { app, register } = await build(t)
  const users = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => await register({ email: `u${index}@example.com` }))
  )
  // Not all at once: on a busy machine the last would wait for a connection longer than they may.
  for (let round = 0; round < 20; round++) {
    const asking = Array.from({ length: 50 }, (_, index) => users[(index * 5 + round) % users.length])
    const seen = await Promise.all(
      asking.map(
        async user =>
          (await app.inject({ url: '/auth/user', headers: { authorization: `Bearer ${user?.access}` } })).json().pk
      )
    )
    t.strictSame(seen, asking.map(user => user?.user.pk))
  }
})
