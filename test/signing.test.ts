/** Access tokens signed with keys: algorithms, key rotation, the published public halves, and custom claims. */
import { createHash, createPublicKey, sign, type JsonWebKey } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JWTVerifyOptions } from 'jose'
import { generateSigningKey, readSigningKey } from '../src/lib/signing-keys.js'
import { codeOf, keyIn } from './support/answers.js'
import { generate, hs256, open, schemes, signature, type Json } from './support/forgery.js'
import { alice, password, secret, sqliteBuild, story, t, type BuiltApp } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const newKey = (algorithm: 'EdDSA' | 'ES256'): JsonWebKey =>
  JSON.parse(generateSigningKey(algorithm, 'jwk')) as JsonWebKey
const signed = (algorithm: 'EdDSA' | 'ES256', ...keys: unknown[]) => ({ tokens: { algorithm, keys } })
const publicHalf = ({ kty, crv, x, y }: JsonWebKey): JsonWebKey =>
  ({ kty, crv, x, ...(y !== undefined && { y }) }) as JsonWebKey
const jwksOf = async ({ get }: BuiltApp): Promise<Json[]> => (await get('/.well-known/jwks.json')).json().keys
const login = async ({ post }: BuiltApp): Promise<string> =>
  (await post('/login', { email: alice.email, password })).json().access

for (const algorithm of ['EdDSA', 'ES256'] as const) {
  story(`a session works with access tokens signed by ${algorithm}`, async (t, build) => {
    const { get, post, register } = await build(t, { options: signed(algorithm, newKey(algorithm)) })
    const { access } = await register()
    t.equal(open(access).header.alg, algorithm)
    t.equal((await get('/user', { token: access })).statusCode, 200)
    await post('/logout', {}, { token: access })
    t.equal(codeOf(await get('/user', { token: access })), '401 token_not_valid')
  })

  t.test(`a key can be given as PKCS#8, as a JWK or as JSON (${algorithm})`, async t => {
    const jwk = newKey(algorithm)
    for (const key of [
      generateSigningKey(algorithm, 'pem'), `\n${generateSigningKey(algorithm, 'pem')}\n`, jwk, JSON.stringify(jwk),
      ` ${JSON.stringify(jwk, null, 2)}`, { ...publicHalf(jwk), d: jwk.d },
      { ...jwk, kid: 'mine', key_ops: ['sign'], ext: true }
    ]) {
      const { get, register } = await sqliteBuild(t, { options: signed(algorithm, key) })
      t.equal((await get('/user', { token: (await register()).access })).statusCode, 200)
    }
  })

  t.test(`of several keys the first signs, all verify, and a removed one verifies nothing (${algorithm})`, async t => {
    const [old, next] = [newKey(algorithm), newKey(algorithm)]
    const database = temporaryFile(t)
    const start = async (...keys: unknown[]) =>
      await sqliteBuild(t, { database, options: { ...signed(algorithm, ...keys), database } })
    const one = await start(old)
    const { access: first } = await one.register()
    // Every instance gets the new key to verify with before any signs with it.
    const [warned, both, publicOnly, late] = [
      await start(old, next), await start(next, old), await start(next, publicHalf(old)), await start(next)
    ]
    const young = await login(both)
    t.strictSame([open(first).header.kid, open(young).header.kid], [old.kid, next.kid])
    t.equal(open(await login(warned)).header.kid, old.kid)
    for (const app of [warned, both, publicOnly]) {
      for (const token of [first, young]) t.equal((await app.get('/user', { token })).statusCode, 200)
      t.strictSame((await jwksOf(app)).map(({ kid }) => kid).sort(), [old.kid, next.kid].sort())
    }
    t.equal((await late.get('/user', { token: young })).statusCode, 200)
    t.equal(codeOf(await late.get('/user', { token: first })), '401 token_not_valid')
    t.equal(codeOf(await one.get('/user', { token: young })), '401 token_not_valid')
  })

  t.test(`only the public halves of the keys are published (${algorithm})`, async t => {
    const keys = [newKey(algorithm), generateSigningKey(algorithm, 'pem'), publicHalf(newKey(algorithm))]
    const { app, get, call } = await sqliteBuild(t, { options: signed(algorithm, ...keys) })
    const answer = await get('/.well-known/jwks.json')
    t.match(answer.headers, { 'content-type': /^application\/json/, 'cache-control': 'public, max-age=300' })
    const published: Json[] = answer.json().keys
    t.strictSame(
      published.map(key => Object.keys(key).sort()),
      keys.map(() => ['alg', 'crv', 'kid', 'kty', 'use', 'x', ...(algorithm === 'ES256' ? ['y'] : [])])
    )
    for (const key of published) {
      t.match(key, algorithm === 'EdDSA' ? { kty: 'OKP', crv: 'Ed25519' } : { kty: 'EC', crv: 'P-256' })
      t.match(key, { use: 'sig', alg: algorithm, kid: /^[\w-]{43}$/ })
      t.equal(createPublicKey({ format: 'jwk', key: key as JsonWebKey }).type, 'public')
    }
    t.notMatch(answer.body, String((keys[0] as JsonWebKey).d))
    t.equal((await get('/.well-known/jwks.json/')).body, answer.body)
    t.equal((await call('HEAD', '/.well-known/jwks.json')).statusCode, 200)
    t.equal((await call('POST', '/.well-known/jwks.json')).headers.allow, 'GET, HEAD, OPTIONS')
    t.match((app.restAuth.openapi().paths as Json)['/auth/.well-known/jwks.json'], {
      get: { operationId: 'getJwks', security: [] }
    })
  })
}

t.test('the key id is the thumbprint of RFC 7638', async t => {
  const thumbprint = (members: string) => createHash('sha256').update(members).digest('base64url')
  const [ed, ec] = [newKey('EdDSA'), newKey('ES256')]
  t.equal(readSigningKey(ed, 'EdDSA').kid, thumbprint(`{"crv":"Ed25519","kty":"OKP","x":"${ed.x}"}`))
  t.equal(readSigningKey(ec, 'ES256').kid, thumbprint(`{"crv":"P-256","kty":"EC","x":"${ec.x}","y":"${ec.y}"}`))
})

t.test('with HS256, no keys are published', async t => {
  const { app, get } = await sqliteBuild(t)
  t.equal(codeOf(await get('/.well-known/jwks.json')), '404 not_found')
  t.notOk(Object.keys(app.restAuth.openapi().paths as Json).some(path => path.includes('jwks')))
})

t.test('a token of one algorithm is refused by an app of another, even on the same database', async t => {
  const database = temporaryFile(t)
  const apps = await Promise.all(
    schemes.map(async ({ options }) => await sqliteBuild(t, { database, options: { ...options, database } }))
  )
  await apps[0]?.register()
  const tokens = await Promise.all(apps.map(login))
  for (const [index, { get }] of apps.entries()) {
    for (const [other, token] of tokens.entries()) {
      t.equal((await get('/user', { token })).statusCode, index === other ? 200 : 401, `${other} at ${index}`)
    }
  }
})

/** Big-endian bytes as a number, and a number as 32 such bytes. */
const toNumber = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`)
const toBytes = (number: bigint) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')

t.test('both equivalent ECDSA signatures of a token verify; Ed25519 has only one', async t => {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const l = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn
  for (const { algorithm, options } of schemes.slice(1)) {
    const { get, register } = await sqliteBuild(t, { options })
    const { input, parts: [, , text] } = open((await register()).access)
    const bytes = Buffer.from(text, 'base64url')
    const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)]
    const statusOf = async (...parts: Buffer[]) =>
      (await get('/user', { token: `${input}.${Buffer.concat(parts).toString('base64url')}` })).statusCode
    // RFC 7518 §3.4 does not require a low s, so both must verify. A token is identified by its jti, never by its text.
    if (algorithm === 'ES256') t.equal(await statusOf(r, toBytes(n - toNumber(s))), 200, 'n - s')
    else t.equal(await statusOf(r, toBytes(toNumber(Buffer.from(s).reverse()) + l).reverse()), 401, 's + l')
    const zero = Buffer.alloc(32)
    for (const parts of [
      [zero, zero],
      [r, zero],
      [zero, s],
      [toBytes(n), toBytes(n)],
      [toBytes(1n), toBytes(1n)],
      [r],
      [r, s, zero],
      [zero, r, s],
      [s, r]
    ]) {
      t.equal(await statusOf(...parts), 401)
    }
  }
})

t.test('an ECDSA signature in DER is refused', async t => {
  const privateKey = generate('ES256')
  const { get, register } = await sqliteBuild(t, { options: signed('ES256', privateKey.export({ format: 'jwk' })) })
  const { input } = open((await register()).access)
  t.equal((await get('/user', { token: `${input}.${signature(input, privateKey)}` })).statusCode, 200)
  const der = sign('sha256', Buffer.from(input), privateKey).toString('base64url')
  t.equal(codeOf(await get('/user', { token: `${input}.${der}` })), '401 token_not_valid')
})

story('each access token has the custom claims, which a sync or async function computes', async (t, build) => {
  const asked: string[] = []
  const claims = async (user: { email: string, gender: string }) => {
    asked.push(user.email)
    return { role: user.gender === 'F' ? 'admin' : 'user', tags: ['a', 'ö'], nothing: undefined, since: new Date(0) }
  }
  const { app, get, patch, post, register } = await build(t, {
    options: { tokens: { claims } },
    after: app => { app.get('/claims', { onRequest: app.authenticate }, request => app.restAuth.claims(request)) }
  })
  const { access, user } = await register()
  t.match(open(access).claims, { sub: user.pk, role: 'admin', tags: ['a', 'ö'], since: '1970-01-01T00:00:00.000Z' })
  t.notOk('nothing' in open(access).claims)
  t.notOk('role' in user)
  t.equal((await get('/user', { token: access })).statusCode, 200)
  t.strictSame(
    (await app.inject({ url: '/claims', headers: { authorization: `Bearer ${access}` } })).json(), open(access).claims
  )
  await patch('/user', { gender: 'M' }, { token: access })
  t.match(open((await post('/login', { email: alice.email, password })).json().access).claims, { role: 'user' })
  t.same(asked, [alice.email, alice.email])
})

story('a service with simplejwt accepts access tokens, by SECRET_KEY or the published keys', async (t, build) => {
  const djangoKey = 'django-insecure-7v&3kq!w@x0z5(m+_b1r)t9=g^n4#c*e6ysu2jf8d$hlaopi'
  const claims = ({ pk }: { pk: string }) => ({ user_id: pk, token_type: 'access' })
  // What simplejwt requires; with AUDIENCE and ISSUER it checks these, too.
  const requiredClaims = ['token_type', 'user_id', 'jti', 'exp']
  const pinned = { audience: 'http://localhost:3000/auth', issuer: 'http://localhost:3000' }

  const shared = await build(t, { options: { secret: djangoKey, tokens: { claims } } })
  const published = await build(t, { options: { tokens: { claims, algorithm: 'ES256', keys: [newKey('ES256')] } } })
  for (const app of [shared, published]) {
    const { access, user } = await app.register()
    const verify = async (options: JWTVerifyOptions) => {
      const rules = { requiredClaims, currentDate: app.clock.now, ...options }
      return app === shared
        ? await jwtVerify(access, new TextEncoder().encode(djangoKey), { algorithms: ['HS256'], ...rules })
        : await jwtVerify(access, createLocalJWKSet((await app.get('/.well-known/jwks.json')).json()), rules)
    }
    for (const options of [{}, pinned]) {
      t.match((await verify(options)).payload, { token_type: 'access', user_id: user.pk, sub: user.pk, jti: String })
    }
    await t.rejects(verify({ audience: 'another-service' }))
    app.clock.advance(300)
    await t.rejects(verify({}), { code: 'ERR_JWT_EXPIRED' })
  }
})

story('custom claims are computed when confirming an address logs the user in', async (t, build) => {
  const { mails, post } = await build(t, {
    options: {
      account: { emailVerification: 'mandatory', loginOnEmailConfirmation: true, username: 'none' },
      tokens: { claims: () => ({ role: 'x' }) }
    }
  })
  await post('/registration', alice)
  const key = keyIn((await mails())[0])
  t.match(open((await post('/registration/verify-email', { key })).json().access).claims, { role: 'x' })
})

const reserved = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'typ', 'alg', 'kid', 'cnf', 'auth_time']
const refused: Array<[claims: () => unknown, line: string]> = [
  ...reserved.map((name): [() => unknown, string] => [
    () => ({ role: 'x', [name]: 'y' }),
    `fastify-rest-auth: tokens.claims: ${name} is set by the plugin; choose another name`
  ]),
  ...['x', 7, ['x'], true].map((value): [() => unknown, string] => [
    () => value, 'fastify-rest-auth: tokens.claims: must return an object'
  ]),
  [() => ({ list: 'x'.repeat(4000) }), 'fastify-rest-auth: tokens.claims: the access token is '],
  [() => { throw new Error('no role today') }, 'no role today'],
  [async () => await Promise.reject(new Error('no role tomorrow')), 'no role tomorrow']
]

t.test('a failure of custom claims is only logged, and leaves no session', async t => {
  let claims: () => unknown = () => ({})
  const { app, logs, post, register } = await sqliteBuild(t, { options: { tokens: { claims: () => claims() } } })
  const { user } = await register()
  await app.restAuth.sessions.endAll(user.pk)
  for (const [compute, line] of refused) {
    claims = compute
    logs.length = 0
    const answer = await post('/login', { email: alice.email, password }, { fault: true })
    t.equal(codeOf(answer), '500 internal_error', line)
    t.notMatch(answer.body, line)
    t.ok(logs.join('').includes(line), line)
    t.same(await app.restAuth.sessions.list(user.pk), [], 'no session is left')
  }
  for (const fine of [undefined, null, {}, { list: 'x'.repeat(2500) }]) {
    claims = () => fine
    t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
  }
  claims = () => JSON.parse('{"__proto__":{"sub":"eve"},"constructor":"x"}') as object
  t.equal(open(await login({ post } as BuiltApp)).claims.sub, user.pk)
})

t.test('a valid token that is too large is refused', async t => {
  const { get, register } = await sqliteBuild(t)
  const { header, claims } = open((await register()).access)
  t.equal((await get('/user', { token: hs256.forge(header, { ...claims, x: 'x'.repeat(2000) }) })).statusCode, 200)
  const large = hs256.forge(header, { ...claims, x: 'x'.repeat(3500) })
  t.equal(codeOf(await get('/user', { token: large })), '401 token_not_valid')
})

t.test('keys and secrets are neither in the log nor in what an app can print of the plugin', async t => {
  const key = newKey('ES256')
  const { app, logs, register } = await sqliteBuild(t, { options: signed('ES256', key) })
  await register()
  const text = `${logs.join('')}${JSON.stringify(app.restAuth.openapi())}${app.printPlugins()}`
  for (const one of [key.d, secret]) t.notOk(text.includes(String(one)))
})
