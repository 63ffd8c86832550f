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
  t.notOk(logs.some(line => line.includes('token_reuse')), 'logging out with a used token is not reported as theft')
})

story('if the header and the body name different sessions, logout ends both', async (t, build) => {
  const { post, get, register } = await build(t)
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json()
  t.same((await post('/logout', { refresh: other.refresh }, { token })).json(), done)
  for (const access of [token, other.access]) t.equal((await get('/user', { token: access })).statusCode, 401)
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
