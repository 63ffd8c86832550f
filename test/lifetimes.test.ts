/** The longest lifetimes that the options allow hold to the second, and the mails name them in words. */
import { describeDuration } from '../src/lib/time.js'
import { keyIn, uidAndTokenIn } from './support/answers.js'
import { alice, sqliteBuild, story, t } from './support/build.js'

const days = 86400
const longest = {
  access: 1 * days,
  refresh: { idle: 400 * days, absolute: 400 * days },
  passwordReset: 3 * days,
  emailVerification: 30 * days
}
const options = { tokens: longest, account: { emailVerification: 'optional' } }

story('a session may live 400 days, and an access token one', async (t, build) => {
  const { register, post, get, clock } = await build(t, { options })
  const { access, refresh } = await register()
  clock.advance(1 * days - 1)
  t.equal((await get('/user', { token: access })).statusCode, 200)
  clock.advance(1)
  t.equal((await get('/user', { token: access })).json().code, 'token_expired')
  clock.advance(399 * days - 1)
  const next = (await post('/token/refresh', { refresh })).json()
  clock.advance(1)
  t.equal((await post('/token/refresh', { refresh: next.refresh })).json().code, 'token_expired')
})

t.test('a longer access token lives as long as its session at most', async t => {
  const { register } = await sqliteBuild(t, {
    options: { tokens: { access: 1 * days, refresh: { idle: 3600, absolute: 3600 } } }
  })
  const { access_expiration: access, refresh_expiration: refresh } = await register()
  t.ok(access <= refresh)
})

story('a reset link may work for three days, a confirmation link for thirty', async (t, build) => {
  const { post, mails, clock } = await build(t, { options })
  await post('/registration', alice)
  await post('/registration', { ...alice, email: 'bob@example.com' })
  await post('/password/reset', { email: alice.email })
  const sent = await mails()
  const [first, second, reset] = sent
  t.match(first, { text: 'The link works for 30 days.', html: 'The link works for 30 days.' })
  t.match(reset, { text: 'The link works for 3 days.', html: 'The link works for 3 days.' })
  const body = { ...uidAndTokenIn(reset), new_password1: 'Brand-new-pw-1' }
  clock.advance(3 * days - 1)
  t.equal((await post('/password/reset/confirm', { ...body, new_password1: '1234' })).json().errors[0].field,
    'new_password1', 'only the password is wrong')
  clock.advance(1)
  t.match((await post('/password/reset/confirm', body)).json(), { errors: [{ code: 'token_invalid' }] })
  clock.advance(27 * days - 1)
  t.equal((await post('/registration/verify-email', { key: keyIn(first) })).statusCode, 200)
  clock.advance(1)
  t.equal((await post('/registration/verify-email', { key: keyIn(second) })).statusCode, 404)
})

t.test('a duration is described in the largest unit that fits, and never longer than it is', async t => {
  for (const [seconds, words] of [
    [300, '5 minutes'], [1800, '30 minutes'], [3600, '1 hour'], [5400, '90 minutes'], [5455, '90 minutes'],
    [86400, '24 hours'], [129600, '36 hours'], [172800, '2 days'], [2592000, '30 days']
  ] as const) t.equal(describeDuration(seconds), words)
})
