import { story } from './helper.js'
import { withProvider } from './social-app.js'
import { fragmentOf } from './social-browser.js'

story('a browser goes to the provider and comes back logged in', async (t, build) => {
  const { openid, browser, get } = await withProvider(t, build)
  const redirect = await openid.authorize(await browser.start('company'), 'alice')
  const answer = await browser.comeBack(redirect)
  t.equal(answer.statusCode, 200)
  const { access, user } = answer.json()
  t.match(user, { email: 'alice@example.com', gender: null, missing_fields: ['gender', 'phone_number'] })
  t.equal((await get('/user', { token: access })).json().pk, user.pk)
})

story('where the app names a place to end, its page fetches the tokens', async (t, build) => {
  const { openid, browser } = await withProvider(t, build, { urls: { socialLogin: '/welcome' } })
  const answer = await browser.comeBack(await openid.authorize(await browser.start('company'), 'alice'))
  t.equal(answer.statusCode, 303)
  t.match(answer.headers.location, /^http:\/\/localhost:3000\/welcome#provider=company&login_code=[\w-]{43}$/)
  const fetched = await browser.open('POST', '/company', { body: { login_code: fragmentOf(answer).login_code } })
  t.equal(fetched.statusCode, 200)
  t.equal(fetched.json().user.email, 'alice@example.com')
})

story('with cookies the browser comes back with them', async (t, build) => {
  const { openid, browser } = await withProvider(t, build, { tokens: { cookies: {} }, urls: { socialLogin: '/welcome' } })
  const answer = await browser.comeBack(await openid.authorize(await browser.start('company', '?next=%2Fbasket'), 'alice'))
  t.equal(answer.headers.location, 'http://localhost:3000/basket')
  t.same([...browser.cookies.keys()].sort(), ['__Host-access', '__Host-refresh'])
})
