/** A second service verifies our tokens by itself: over real HTTP, with jose and the JWK Set alone. */
import { createPublicKey } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { buildService } from '../examples/jwks-service/app.js'
import { generateSigningKey } from '../src/lib/signing-keys.js'
import { forgeWith, generate, open, signature } from './support/forgery.js'
import { sqliteBuild, t, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const issuer = 'https://app.example'
const audience = `${issuer}/auth`
const clock = () => new Date()

/** An app that listens, and a token of its. */
async function start (t: Test, algorithm: 'EdDSA' | 'ES256', { keys, database = ':memory:', ...options }: { keys: unknown[], database?: string, prefix?: string }) {
  const built = await sqliteBuild(t, {
    options: {
      publicUrl: issuer,
      ...options,
      database,
      tokens: { algorithm, keys, claims: () => ({ role: 'admin' }) }
    },
    internals: { clock }
  })
  const keysAt = new URL(
    `.${options.prefix ?? '/auth'}/.well-known/jwks.json`,
    `${await built.app.listen({ port: 0 })}/`
  )
  return { ...built, keysAt }
}

for (const algorithm of ['EdDSA', 'ES256'] as const) {
  t.test(`jose verifies our tokens by issuer, audience, type and the published keys (${algorithm})`, async t => {
    const { register, keysAt } = await start(t, algorithm, { keys: [generateSigningKey(algorithm, 'jwk')] })
    const { access, user } = await register()
    const keys = createRemoteJWKSet(keysAt)
    const { payload, protectedHeader } = await jwtVerify(access, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: [algorithm]
    })
    t.match(payload, { sub: user.pk, role: 'admin', iss: issuer, aud: audience })
    t.equal(protectedHeader.kid, open(access).header.kid)
    for (const wrong of [
      { issuer: `${issuer}/` },
      { audience: issuer },
      { typ: 'JWT' },
      { algorithms: [algorithm === 'EdDSA' ? 'ES256' : 'EdDSA'] },
      { currentDate: new Date(Date.now() + 301_000) }
    ]) {
      await t.rejects(jwtVerify(access, keys, { issuer, audience, typ: 'at+jwt', ...wrong }), JSON.stringify(wrong))
    }
  })
}

t.test('the example lets in who holds a token of ours, and nobody else', async t => {
  const privateKey = generate('EdDSA')
  const { register, keysAt } = await start(t, 'EdDSA', { keys: [privateKey.export({ format: 'jwk' })] })
  const { access, user } = await register()
  const service = buildService(issuer, keysAt.href)
  t.teardown(() => service.close())
  const base = await service.listen({ port: 0 })
  const ask = async (authorization: string) => await fetch(`${base}/orders`, { headers: { authorization } })
  t.same(await (await ask(`Bearer ${access}`)).json(), { of: user.pk, role: 'admin', orders: [] })

  const { header, claims } = open(access)
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const byUs = forgeWith(text => signature(text, privateKey))
  const byStranger = forgeWith(text => signature(text, generate('EdDSA')))
  const refused = [
    '',
    'x',
    byStranger(header, claims),
    byUs({ ...header, alg: 'HS256' }, claims, pem),
    byUs({ ...header, alg: 'none' }, claims),
    byUs({ ...header, kid: 'x' }, claims),
    byUs({ ...header, typ: 'JWT' }, claims),
    byUs(header, { ...claims, aud: 'https://other.example' }),
    byUs(header, { ...claims, iss: 'https://other.example' }),
    byUs(header, { ...claims, exp: 1 })
  ]
  for (const token of refused) t.equal((await ask(`Bearer ${token}`)).status, 401, token)
  t.equal((await ask(`Bearer ${byUs(header, claims)}`)).status, 200)
  t.equal((await ask('')).headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

t.test('where the app has no keys to show, the example refuses nobody by mistake: it fails', async t => {
  const service = buildService('http://127.0.0.1:9')
  t.teardown(() => service.close())
  const { access } = await (await start(t, 'EdDSA', { keys: [generateSigningKey('EdDSA', 'jwk')] })).register()
  t.equal((await service.inject({ url: '/orders', headers: { authorization: `Bearer ${access}` } })).statusCode, 500)
})

t.test('a service that has seen a key before it signs never misses a token', async t => {
  const [old, next] = [generateSigningKey('EdDSA', 'jwk'), generateSigningKey('EdDSA', 'pem')]
  const database = temporaryFile(t)
  const before = await start(t, 'EdDSA', { keys: [old, next], database })
  const keys = createRemoteJWKSet(before.keysAt)
  const expected = { issuer, audience, typ: 'at+jwt' }
  t.ok(await jwtVerify((await before.register()).access, keys, expected))
  const after = await start(t, 'EdDSA', { keys: [next, old], database })
  await before.app.close()
  const { access } = await after.register({ email: 'bob@example.com' })
  t.ok(await jwtVerify(access, keys, expected), 'by the keys it has kept')
  t.ok(await jwtVerify(access, createRemoteJWKSet(after.keysAt), expected))
})

t.test('the key set stands below the prefix, whose address is the audience', async t => {
  const { app, keysAt } = await start(t, 'EdDSA', {
    keys: [generateSigningKey('EdDSA', 'jwk')],
    prefix: '/api/accounts'
  })
  const { access } = (
    await app.inject({
      method: 'POST',
      url: '/api/accounts/registration',
      payload: { email: 'a@example.com', password1: 'Sup3r-secret-pw', gender: 'F', phone_number: '+1' }
    })
  ).json()
  t.ok(
    await jwtVerify(access, createRemoteJWKSet(keysAt), { issuer, audience: `${issuer}/api/accounts`, typ: 'at+jwt' })
  )
})
