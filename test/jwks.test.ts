/** A second service verifies access tokens on its own: over real HTTP, with only jose and the JWK Set. */
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

/** A listening app, and the URL of its keys. */
async function start (
  t: Test,
  algorithm: 'EdDSA' | 'ES256',
  { keys, database = ':memory:', ...options }: { keys: unknown[], database?: string, prefix?: string }
) {
  const built = await sqliteBuild(t, {
    options: {
      publicUrl: issuer, ...options, database, tokens: { algorithm, keys, claims: () => ({ role: 'admin' }) }
    },
    internals: { clock }
  })
  const base = await built.app.listen({ port: 0 })
  const keysAt = new URL(`.${options.prefix ?? '/auth'}/.well-known/jwks.json`, `${base}/`)
  return { ...built, keysAt }
}

for (const algorithm of ['EdDSA', 'ES256'] as const) {
  t.test(`jose verifies access tokens by issuer, audience, type and the published keys (${algorithm})`, async t => {
    const { register, keysAt } = await start(t, algorithm, { keys: [generateSigningKey(algorithm, 'jwk')] })
    const { access, user } = await register()
    const keys = createRemoteJWKSet(keysAt)
    const expected = { issuer, audience, typ: 'at+jwt', algorithms: [algorithm] }
    const { payload, protectedHeader } = await jwtVerify(access, keys, expected)
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

t.test('the example service accepts tokens of the app, and refuses forged, foreign and expired ones', async t => {
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
    '', 'x', byStranger(header, claims), byUs({ ...header, alg: 'HS256' }, claims, pem),
    byUs({ ...header, alg: 'none' }, claims), byUs({ ...header, kid: 'x' }, claims),
    byUs({ ...header, typ: 'JWT' }, claims), byUs(header, { ...claims, aud: 'https://other.example' }),
    byUs(header, { ...claims, iss: 'https://other.example' }), byUs(header, { ...claims, exp: 1 })
  ]
  for (const token of refused) t.equal((await ask(`Bearer ${token}`)).status, 401, token)
  t.equal((await ask(`Bearer ${byUs(header, claims)}`)).status, 200)
  t.equal((await ask('')).headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

t.test('while the keys cannot be fetched, the example service returns 500, and not 401', async t => {
  const service = buildService('http://127.0.0.1:9')
  t.teardown(() => service.close())
  const { access } = await (await start(t, 'EdDSA', { keys: [generateSigningKey('EdDSA', 'jwk')] })).register()
  t.equal((await service.inject({ url: '/orders', headers: { authorization: `Bearer ${access}` } })).statusCode, 500)
})

t.test('a service that fetched a key before the app signed with it accepts every token', async t => {
  const [old, next] = [generateSigningKey('EdDSA', 'jwk'), generateSigningKey('EdDSA', 'pem')]
  const database = temporaryFile(t)
  const before = await start(t, 'EdDSA', { keys: [old, next], database })
  const keys = createRemoteJWKSet(before.keysAt)
  const expected = { issuer, audience, typ: 'at+jwt' }
  t.ok(await jwtVerify((await before.register()).access, keys, expected))
  const after = await start(t, 'EdDSA', { keys: [next, old], database })
  await before.app.close()
  const { access } = await after.register({ email: 'bob@example.com' })
  t.ok(await jwtVerify(access, keys, expected), 'with the keys it has cached')
  t.ok(await jwtVerify(access, createRemoteJWKSet(after.keysAt), expected))
})

t.test('the key set is published below the prefix, and the audience is the URL of the prefix', async t => {
  const { app, keysAt } = await start(t, 'EdDSA', {
    keys: [generateSigningKey('EdDSA', 'jwk')],
    prefix: '/api/accounts'
  })
  const payload = { email: 'a@example.com', password1: 'Sup3r-secret-pw', gender: 'F', phone_number: '+1' }
  const { access } = (await app.inject({ method: 'POST', url: '/api/accounts/registration', payload })).json()
  const expected = { issuer, audience: `${issuer}/api/accounts`, typ: 'at+jwt' }
  t.ok(await jwtVerify(access, createRemoteJWKSet(keysAt), expected))
})
