import { alice, password, story } from './support/build.js'

const done = { detail: 'Successfully logged out.' }

story('logout immediately ends the session of the access token, and no other', async (t, build) => {
  const { post, get, register } = await build(t)
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json().access
  const answer = await post('/logout', undefined, { token })
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), done)
  t.equal((await get('/user', { token })).json().code, 'token_not_valid')
  t.equal((await get('/user', { token: other })).statusCode, 200, 'the other session stays')
})

story('logout with only a refresh token ends its session', async (t, build) => {
  const { post, get, register } = await build(t)
  const { access: token, refresh } = await register()
  t.same((await post('/logout', { refresh })).json(), done)
  t.equal((await get('/user', { token })).statusCode, 401)
})

story('logout accepts a used refresh token of the session, and does not report it as reuse', async (t, build) => {
  const { post, get, register, clock, logs } = await build(t)
  const { refresh } = await register()
  const next = (await post('/token/refresh', { refresh })).json()
  clock.advance(60)
  t.same((await post('/logout', { refresh })).json(), done)
  t.equal((await get('/user', { token: next.access })).statusCode, 401)
  t.equal((await post('/token/refresh', { refresh: next.refresh })).statusCode, 401)
  t.notOk(logs.some(line => line.includes('token_reused')), 'logging out with a used token is not reported as theft')
})

story('if the header and the body name different sessions, logout ends both', async (t, build) => {
  const { post, get, register } = await build(t)
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json()
  t.same((await post('/logout', { refresh: other.refresh }, { token })).json(), done)
  for (const access of [token, other.access]) t.equal((await get('/user', { token: access })).statusCode, 401)
})

story('logout ends the session of a token, whatever the Authorization header says before it', async (t, build) => {
  const { post, register, app } = await build(t)
  const { user } = await register()
  const credentials = { email: alice.email, password }
  for (const spell of [
    (token: string) => token,
    (token: string) => `bearer ${token}`,
    (token: string) => `Bearer  ${token} `,
    (token: string) => `Bearer\t${token}`,
    (token: string) => `Bearer,${token}`,
    (token: string) => `Bearer "${token}"`,
    (token: string) => `Bearer ${token} x`,
    (token: string) => `Bearer Bearer ${token}`,
    (token: string) => `Bearer token=${token}`,
    (token: string) => `Token ${token}`,
    (token: string) => `JWT ${token}`,
    (token: string) => `Basic YTpi, Bearer ${token}`,
    (token: string) => `Bearer: ${token}.`,
    (token: string) => `JWT:${token}`,
    (token: string) => `Bearer <${token}>`,
    (token: string) => `{"token":"${token}"}`
  ]) {
    for (const kind of ['access', 'refresh'] as const) {
      const authorization = spell((await post('/login', credentials)).json()[kind])
      const headers = { authorization }
      t.same((await post('/logout', {}, { headers })).json(), done)
      const left = (await app.restAuth.sessions.list(user.pk)).length
      t.equal(left, 1, `${kind}: ${spell('…')}`)
    }
  }
  const { access } = (await post('/login', credentials)).json()
  t.same((await post('/logout', { refresh: access })).json(), done)
  t.equal((await app.restAuth.sessions.list(user.pk)).length, 1, 'an access token as `refresh`')
  const many = Array.from({ length: 300 }, () => access.slice(0, 43)).join(' ')
  t.equal((await post('/logout', {}, { headers: { authorization: `Bearer ${many}` } })).statusCode, 200)
})

story('with cookies, a logout through a proxy that asks for a password ends the session', async (t, build) => {
  const { post, app } = await build(t, { options: { tokens: { cookies: {} } } })
  const registered = await post('/registration', alice)
  const cookie = registered.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const headers = { cookie, authorization: 'Basic YTpi', 'x-requested-with': 'fetch' }
  t.same((await post('/logout', undefined, { headers })).json(), done)
  t.same(await app.restAuth.sessions.list(registered.json().user.pk), [])
})

story('logout returns 200 even if the token is expired, unknown, malformed or missing', async (t, build) => {
  const { post, register, clock, app } = await build(t)
  const { access: token, refresh, user } = await register()
  await post('/logout', { refresh }, { token })
  const attempts = [
    () => post('/logout', { refresh }, { token }),
    () => post('/logout', { refresh: 'garbage' }),
    () => post('/logout', { refresh: null }),
    () => post('/logout', {}),
    () => post('/logout'),
    () => post('/logout', {}, { token: 'garbage' }),
    () => post('/logout', {}, { headers: { authorization: 'Basic YTpi' } })
  ]
  for (const attempt of attempts) {
    const answer = await attempt()
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), done)
  }
  const late = (await post('/login', { email: alice.email, password })).json()
  clock.advance(3600)
  t.equal((await post('/logout', {}, { token: late.access })).statusCode, 200)
  t.same(await app.restAuth.sessions.list(user.pk), [], 'an expired access token still ends its session')
})
